"""Who are the demo's people, and what may each of them read? Made once; a second call changes nothing."""

from dataclasses import dataclass

from django.contrib.auth.models import Group, User

from kb.models import Collection, Role
from kb.permissions import Principal, grant


@dataclass(frozen=True, slots=True)
class DemoPerson:
    username: str
    first_name: str
    last_name: str
    group: str  # Empty: in none.

    @property
    def password(self) -> str:
        """Known to everyone who reads this, so these accounts are made by the demo only."""
        return f"demo-{self.username}"


PEOPLE = (
    DemoPerson("anna", "Anna", "Lie", "engineering"),
    DemoPerson("bo", "波", "李", "finance"),
    DemoPerson("chen", "立", "陈", ""),
)


@dataclass(frozen=True, slots=True)
class DemoCollection:
    """A folder of the library. `group` reads it, else everyone; `manager` may add to it and grant."""

    slug: str
    name: str
    group: str = ""
    manager: str = ""


COLLECTIONS = (
    DemoCollection("handbook", "Handbook"),
    DemoCollection("engineering", "Engineering", "engineering", "anna"),
    DemoCollection("finance", "Finance", "finance", "bo"),
)


def make_people() -> dict[str, User]:
    users = {}
    for person in PEOPLE:
        user, _ = User.objects.get_or_create(
            username=person.username,
            defaults={"first_name": person.first_name, "last_name": person.last_name},
        )
        if not user.check_password(person.password):
            user.set_password(person.password)
            user.save(update_fields=["password"])
        if person.group:
            user.groups.add(Group.objects.get_or_create(name=person.group)[0])
        users[person.username] = user
    return users


def make_collections(users: dict[str, User], operator: User) -> None:
    """The three collections with their grants. `operator` brings the files in."""
    for wanted in COLLECTIONS:
        collection, _ = Collection.objects.get_or_create(slug=wanted.slug, defaults={"name": wanted.name})
        grant(collection, Principal(user=operator), Role.MANAGER)
        if wanted.group:
            grant(collection, Principal(group=Group.objects.get(name=wanted.group)), Role.VIEWER)
        else:
            grant(collection, Principal(everyone=True), Role.VIEWER)
        if wanted.manager:
            grant(collection, Principal(user=users[wanted.manager]), Role.MANAGER)
