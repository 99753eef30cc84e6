"""Who holds this bearer token? Makes, checks and revokes API tokens; only their sha256 is kept."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q, TextChoices
from django.utils import timezone

from kb.models import ApiToken

PREFIX = "kb_"
# 30 random bytes are 40 url-safe characters: 240 bits, so a plain sha256 needs neither salt nor stretching.
SECRET_BYTES = 30
# Enough to tell one's own tokens apart, far too little to guess the rest.
SHOWN_CHARACTERS = 9
# A write a request would turn every read into a transaction on one hot row.
LAST_USED_STEP = timedelta(minutes=1)


class Scope(TextChoices):
    """What a token may be used for. None includes another."""

    SEARCH = "search", "Search"
    READ = "read", "Read collections, assets and runs"
    WRITE = "write", "Upload, and steer runs"
    MANAGE = "manage", "Create, change and delete collections, grants, audiences and assets"


def issue(
    user: User, name: str, scopes: Sequence[str], expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token and its secret, which cannot be had again."""
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=secret[:SHOWN_CHARACTERS],
        digest=_digest(secret),
        scopes=sorted({Scope(scope).value for scope in scopes}),
        expires_at=expires_at,
    )
    return token, secret


def holder(secret: str) -> ApiToken | None:
    """The live token with this secret, its user loaded; None when there is none or its user is inactive."""
    if not secret.startswith(PREFIX):
        return None
    now = timezone.now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now), digest=_digest(secret), user__is_active=True)
        .first()
    )
    if token is not None and (token.last_used_at is None or token.last_used_at < now - LAST_USED_STEP):
        # By condition, not by save(): of many requests at once, one writes.
        ApiToken.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_STEP), pk=token.pk
        ).update(last_used_at=now)
    return token


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
