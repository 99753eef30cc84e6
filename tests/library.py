"""Small libraries for tests: users, collections and published segments, without files and parsers."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count

import numpy as np
import numpy.typing as npt
from django.contrib.auth.models import User

from kb.models import Asset, AssetVersion, Collection, Document, Image, Role, Segment, StagedVector, VectorSet
from kb.permissions import Principal, grant, interned_audience
from retrieval.analysis import detect_language
from workers.index import publish

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Passage:
    """A segment to be: its words, and its vectors by set."""

    text: str = ""
    kind: str = "text"
    page: int | None = None
    heading_path: tuple[str, ...] = ()
    ocr_text: str = ""
    caption: str = ""
    alt_text: str = ""
    picture_key: str = ""
    picture_uri: str = ""
    start_ms: int | None = None
    end_ms: int | None = None
    thumbnail_key: str = ""
    vectors: tuple[tuple[VectorSet, npt.NDArray[np.float32]], ...] = ()


def a_user(name: str) -> User:
    return User.objects.create_user(name, password="a password of tests")


def a_collection(name: str, *readers: User, role: Role = Role.VIEWER) -> Collection:
    collection = Collection.objects.create(name=name, slug=name.lower().replace(" ", "-"))
    for reader in readers:
        grant(collection, Principal(user=reader), role)
    return collection


def an_asset(
    collection: Collection,
    passages: Sequence[Passage | str],
    *,
    title: str = "",
    uri: str = "",
    media_type: str = "text/plain",
    readers: Sequence[User] | None = None,
    published: bool = True,
) -> Asset:
    """An asset with these segments, published as ingest publishes them. `readers` replace the collection's."""
    number = next(_numbers)
    uri = uri or f"file-{number}.txt"
    digest = sha256(uri.encode() + str(number).encode()).hexdigest()
    model = Image if media_type.startswith("image/") else Document
    object_key = f"originals/{digest[:2]}/{digest}"
    own = None if readers is None else interned_audience(Principal(user=reader) for reader in readers)
    bytes_facts = {"sha256": digest, "media_type": media_type, "size_bytes": 1, "object_key": object_key}
    asset = model.objects.create(
        collection=collection,
        own_audience=own,
        audience=own or collection.audience,
        title=title or uri,
        source_uri=uri,
        **bytes_facts,
    )
    version = AssetVersion.objects.create(
        asset=asset.asset_ptr, number=1, facts={"given_title": title, "name": uri}, **bytes_facts
    )
    for ordinal, passage in enumerate(Passage(item) if isinstance(item, str) else item for item in passages):
        segment = Segment.objects.create(
            asset=asset,
            version=1,
            collection=collection,
            kind=passage.kind,
            ordinal=ordinal,
            page=passage.page,
            heading_path=list(passage.heading_path),
            text=passage.text,
            ocr_text=passage.ocr_text,
            caption=passage.caption,
            alt_text=passage.alt_text,
            picture_key=passage.picture_key,
            start_ms=passage.start_ms,
            end_ms=passage.end_ms,
            picture_uri=passage.picture_uri,
            thumbnail_key=passage.thumbnail_key,
            language=detect_language(passage.text),
        )
        for vector_set, row in passage.vectors:
            StagedVector.objects.create(vector_set=vector_set, segment=segment, embedding=row)
    if published:
        assert publish(version)
    return Asset.objects.get(pk=asset.pk)
