"""On whose behalf does the command line act?"""

from django.contrib.auth.models import User

from kb.exceptions import KbError

# Whoever may run `kb` on this machine can read the files of the installation anyway; this account gives them no more
# than the collections that `kb ingest` made them manager of. It has no password, so nobody signs in with it.
OPERATOR = "operator"


class UnknownUserError(KbError):
    """There is no such user."""


def acting_user(name: str | None) -> User:
    """The named user, or the local operator, made at first use."""
    if name is None:
        user, created = User.objects.get_or_create(username=OPERATOR)
        if created:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        return user
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None:
        raise UnknownUserError(f"There is no active user {name!r}.")
    return found
