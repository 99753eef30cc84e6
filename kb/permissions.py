"""Who may see what? The only place that answers; every path to content goes through here.

A person reads an asset when they belong to the audience in force on it: the asset's own when it has one, else its
collection's. Membership is by user, by group, or as everyone who is signed in. Nothing else grants: a superuser
without a grant sees nothing, an inactive or anonymous user sees nothing, and rows without an audience (not yet
published) are seen by nobody.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.http import Http404

from kb.models import (
    Asset,
    AssetVersion,
    Audience,
    AudienceMember,
    Collection,
    IngestRun,
    Role,
    Segment,
    Source,
)

AnyUser = AbstractBaseUser | AnonymousUser


def memberships(user: AnyUser) -> QuerySet[AudienceMember]:
    """The audience memberships that hold for `user`; none for whoever is not signed in and active."""
    if not (user.is_authenticated and user.is_active):
        return AudienceMember.objects.none()
    return AudienceMember.objects.filter(
        Q(everyone=True) | Q(user_id=user.pk) | Q(group__in=Group.objects.filter(user=user.pk))
    )


def visible_audiences(user: AnyUser) -> tuple[int, ...]:
    """Ids of the audiences that `user` belongs to, ascending: what every search statement is restricted to."""
    ids = memberships(user).values_list("audience_id", flat=True).distinct()
    return tuple(sorted(ids))


def visible_assets(user: AnyUser) -> QuerySet[Asset]:
    return Asset.objects.filter(audience__in=memberships(user).values("audience"))


def visible_segments(user: AnyUser) -> QuerySet[Segment]:
    return Segment.objects.filter(audience__in=memberships(user).values("audience"))


def segments_in(audiences: Sequence[int]) -> QuerySet[Segment]:
    """What `visible_segments` gives, for a search that asked for the `visible_audiences` of its person already."""
    return Segment.objects.filter(audience__in=audiences)


def visible_versions(user: AnyUser) -> QuerySet[AssetVersion]:
    """The published version of each visible asset; earlier ones, and one in the making, are nobody's to see."""
    return AssetVersion.objects.filter(
        asset__audience__in=memberships(user).values("audience"), number=F("asset__version")
    )


def visible_collections(user: AnyUser) -> QuerySet[Collection]:
    """Collections whose own audience `user` is in. Someone who may read single assets only does not see its name."""
    return Collection.objects.filter(audience__in=memberships(user).values("audience"))


def visible_runs(user: AnyUser) -> QuerySet[IngestRun]:
    """Runs name files that may have audiences of their own, so they are for those who manage the collection."""
    return IngestRun.objects.filter(collection__in=collections_with_role(user, Role.EDITOR))


def visible_sources(user: AnyUser) -> QuerySet[Source]:
    """Sources say where the company keeps its files, so they are for those who manage the collection."""
    return Source.objects.filter(collection__in=collections_with_role(user, Role.MANAGER))


def collections_with_role(user: AnyUser, role: Role) -> QuerySet[Collection]:
    """Collections in which `user` is at least `role`."""
    return Collection.objects.filter(audience__in=memberships(user).filter(role__gte=role).values("audience"))


def role_in(user: AnyUser, collection: Collection) -> Role | None:
    """The strongest role that `user` has in `collection`, or None."""
    strongest = memberships(user).filter(audience=collection.audience_id).aggregate(Max("role"))["role__max"]
    return None if strongest is None else Role(strongest)


def managed_collections(user: AnyUser, pks: Sequence[int]) -> list[Collection]:
    """Those of `pks` that still exist. Raises as `require_role` does where `user` is not the manager of one."""
    collections = list(Collection.objects.filter(pk__in=pks))
    for collection in collections:
        require_role(user, collection, Role.MANAGER)
    return collections


def require_role(user: AnyUser, collection: Collection, role: Role) -> None:
    """Raises Http404 when `user` may not know of the collection, PermissionDenied when their role is too weak."""
    held = role_in(user, collection)
    if held is None:
        raise Http404("No such collection.")
    if held < role:
        raise PermissionDenied(f"This needs the role {role.label} in the collection; yours is {held.label}.")


@dataclass(frozen=True, slots=True)
class Principal:
    """Exactly one of the three."""

    user: User | None = None
    group: Group | None = None
    everyone: bool = False


@transaction.atomic
def grant(collection: Collection, principal: Principal, role: Role) -> AudienceMember:
    """Lets `principal` into the collection, or changes their role. Content rows are not touched."""
    member, _ = AudienceMember.objects.update_or_create(
        audience_id=collection.audience_id,
        user=principal.user,
        group=principal.group,
        everyone=principal.everyone,
        defaults={"role": role},
    )
    return member


def revoke(collection: Collection, member_id: int) -> bool:
    """Takes the grant away. True when there was one."""
    deleted, _ = AudienceMember.objects.filter(audience_id=collection.audience_id, pk=member_id).delete()
    return deleted > 0


@transaction.atomic
def interned_audience(principals: Iterable[Principal]) -> Audience:
    """The audience of exactly these readers, made if no asset had it before."""
    keys = {
        f"user:{p.user.pk}" if p.user else f"group:{p.group.pk}" if p.group else "everyone": p
        for p in principals
    }
    digest = hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()
    audience, created = Audience.objects.get_or_create(digest=digest)
    if created:
        AudienceMember.objects.bulk_create(
            AudienceMember(audience=audience, user=p.user, group=p.group, everyone=p.everyone)
            for p in keys.values()
        )
    return audience
