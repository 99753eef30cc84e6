"""What may a manager change about collections and assets?

Callers have checked the role. Each function keeps what must always hold (a collection has a manager, nobody locks
themselves out) and records in the audit trail what was done, in the same transaction.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from kb import audit, library, permissions
from kb.exceptions import KbError
from kb.models import Asset, Audience, AudienceMember, Collection, Role
from kb.permissions import Principal


class LastManagerError(KbError):
    """A collection needs at least one manager. Make someone else manager first."""


class ReadersWithoutYouError(KbError):
    """You are not among these readers, so you could not undo this. Add yourself, or a group that you are in."""


@transaction.atomic
def create_collection(creator: User, name: str, **fields: Any) -> Collection:
    """A new collection, managed by `creator`."""
    collection = _with_free_slug(name, fields)
    permissions.grant(collection, Principal(user=creator), Role.MANAGER)
    audit.record(creator, "collection.created", collection, name=name)
    return collection


def _with_free_slug(name: str, fields: Mapping[str, Any]) -> Collection:
    # A taken slug may belong to a collection that the creator cannot see, so it is no error to report.
    stem = slugify(name)[:70] or "collection"
    for number in range(1, 10_000):
        try:
            with transaction.atomic():
                return Collection.objects.create(
                    name=name, slug=stem if number == 1 else f"{stem}-{number}", **fields
                )
        except IntegrityError:
            continue
    raise KbError("Too many collections have this name.")


@transaction.atomic
def change_collection(actor: User, collection: Collection, changes: Mapping[str, Any]) -> Collection:
    for field, value in changes.items():
        setattr(collection, field, value)
    collection.save(update_fields=list(changes))
    audit.record(actor, "collection.changed", collection, fields=sorted(changes))
    return collection


@transaction.atomic
def delete_collection(actor: User, collection: Collection) -> None:
    """Deletes the collection with all its assets, also those that `actor` cannot see."""
    audience_id = collection.audience_id
    audit.record(actor, "collection.deleted", collection, name=collection.name)
    for asset in Asset.objects.filter(collection=collection).order_by("pk").iterator():
        library.delete_asset(asset)
    collection.delete()
    Audience.objects.filter(pk=audience_id).delete()


@transaction.atomic
def set_grant(actor: User, collection: Collection, principal: Principal, role: Role) -> AudienceMember:
    _lock(collection)
    member = permissions.grant(collection, principal, role)
    _require_manager(collection)
    audit.record(actor, "grant.set", collection, principal=_name(principal), role=role.label)
    return member


@transaction.atomic
def remove_grant(actor: User, collection: Collection, member_id: int) -> bool:
    """True when there was such a grant."""
    _lock(collection)
    member = AudienceMember.objects.filter(audience_id=collection.audience_id, pk=member_id).first()
    if member is None or not permissions.revoke(collection, member_id):
        return False
    _require_manager(collection)
    principal = Principal(user=member.user, group=member.group, everyone=member.everyone)
    audit.record(actor, "grant.removed", collection, principal=_name(principal))
    return True


@transaction.atomic
def set_readers(actor: User, asset: Asset, readers: Iterable[Principal]) -> Audience:
    """Gives the asset an audience of its own, which replaces its collection's."""
    readers = list(readers)
    audience = permissions.interned_audience(readers)
    if audience.pk not in permissions.visible_audiences(actor):
        raise ReadersWithoutYouError
    library.move(asset, audience)
    audit.record(actor, "asset.readers_set", asset, readers=sorted(_name(reader) for reader in readers))
    return audience


@transaction.atomic
def reset_readers(actor: User, asset: Asset) -> None:
    """Puts the asset back under its collection's audience."""
    library.move(asset, None)
    audit.record(actor, "asset.readers_reset", asset)


@transaction.atomic
def move_asset(actor: User, asset: Asset, target: Collection) -> None:
    """Puts the asset into another collection. Raises library.PlaceTakenError or library.SameBytesError."""
    source = asset.collection_id
    if source == target.pk:
        return
    library.move_to_collection(asset, target)
    audit.record(actor, "asset.moved", asset, from_collection=source, to_collection=target.pk)


@transaction.atomic
def delete_asset(actor: User, asset: Asset) -> None:
    audit.record(actor, "asset.deleted", asset, title=asset.title, collection=asset.collection_id)
    library.delete_asset(asset)


def _lock(collection: Collection) -> None:
    """Two people who demote each other at once must not leave a collection without a manager."""
    Collection.objects.select_for_update().get(pk=collection.pk)


def _require_manager(collection: Collection) -> None:
    if not AudienceMember.objects.filter(audience_id=collection.audience_id, role=Role.MANAGER).exists():
        raise LastManagerError


def _name(principal: Principal) -> str:
    if principal.user is not None:
        return f"user:{principal.user.get_username()}"
    if principal.group is not None:
        return f"group:{principal.group.name}"
    return "everyone"
