"""A small library for the tests of the pages: who may read what is said by each test itself."""

from typing import Any

from django.contrib.auth.models import User

from kb.models import Asset, AssetState, Audience, Collection, Document, Image, Role, Segment, SegmentKind
from kb.permissions import Principal, grant

KINDS: dict[str, type[Asset]] = {"application/pdf": Document, "text/markdown": Document, "image/png": Image}


def person(name: str) -> User:
    return User.objects.create_user(name, password="secret")


def collection(slug: str, *members: tuple[User, Role], name: str = "") -> Collection:
    made = Collection.objects.create(slug=slug, name=name or slug.title())
    for user, role in members:
        grant(made, Principal(user=user), role)
    return made


def asset(
    of: Collection,
    title: str,
    *,
    media_type: str = "text/markdown",
    audience: Audience | None = None,
    version: int = 1,
    **fields: Any,
) -> Asset:
    return KINDS[media_type].objects.create(
        collection=of,
        own_audience=audience,
        audience=audience or of.audience,
        title=title,
        source_uri=fields.pop("source_uri", title),
        sha256="0" * 64,
        media_type=media_type,
        size_bytes=1000,
        object_key="originals/00/" + "0" * 64,
        version=version,
        state=AssetState.READY if version else AssetState.PROCESSING,
        **fields,
    )


def segment(of: Asset, kind: SegmentKind, ordinal: int = 0, **fields: Any) -> Segment:
    return Segment.objects.create(
        asset=of,
        version=of.version,
        audience=of.audience if of.version else None,
        collection=of.collection,
        kind=kind,
        ordinal=ordinal,
        **fields,
    )
