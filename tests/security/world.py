"""A small library in which people see different things, for tests of who sees what."""

import io
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from PIL import Image as Pillow

from kb import tokens
from kb.models import (
    Asset,
    AssetVersion,
    Collection,
    Document,
    Image,
    IngestItem,
    IngestRun,
    IngestStep,
    Outcome,
    Role,
    RunState,
    Segment,
    Source,
    SourceEntry,
    SourceFolder,
    StepName,
    StepState,
    Video,
)
from kb.permissions import Principal, grant, interned_audience
from kb.storage import storage

ALL_SCOPES = ["search", "read", "write", "manage"]


def png(size: tuple[int, int] = (4, 3), colour: str = "red") -> bytes:
    buffer = io.BytesIO()
    Pillow.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def member(name: str, **fields: Any) -> User:
    return User.objects.create_user(name, password="correct horse", **fields)


def signed_in(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def with_token(user: User, scopes: list[str]) -> Client:
    _, secret = tokens.issue(user, "test", scopes)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def body(response: Any) -> bytes:
    """The answer's bytes; a file that is sent is closed when it was read to its end."""
    return b"".join(response.streaming_content) if response.streaming else bytes(response.content)


def published(
    collection: Collection,
    path: str,
    content: bytes,
    *,
    kind: type[Asset] = Document,
    media_type: str = "text/plain",
    readers: list[Principal] | None = None,
    version: int = 1,
) -> Asset:
    """An asset with its bytes in storage; `readers` replace the collection's, version 0 is not searchable yet."""
    key = f"originals/{path[:2]}/{path.replace('/', '-')}"
    storage().put(key, io.BytesIO(content), size_bytes=len(content))
    own = interned_audience(readers) if readers is not None else None
    facts = {"sha256": "0" * 64, "media_type": media_type, "size_bytes": len(content), "object_key": key}
    asset = kind.objects.create(
        collection=collection,
        own_audience=own,
        audience=own or collection.audience,
        title=f"Title of {path}",
        source_uri=path,
        version=version,
        **facts,
    )
    AssetVersion.objects.create(asset=asset, number=1, **facts)
    return asset


def film(collection: Collection, path: str, readers: list[Principal] | None = None) -> Asset:
    """A recording whose preview strip is in storage."""
    asset = published(collection, path, b"frames", kind=Video, media_type="video/mp4", readers=readers)
    preview_key = f"pictures/{asset.pk}/0/preview.png"
    storage().put(preview_key, io.BytesIO(png(colour="green")))
    AssetVersion.objects.filter(asset=asset).update(facts={"preview_key": preview_key})
    return asset


def segment(asset: Asset, ordinal: int, **fields: Any) -> Segment:
    """A segment as the pipeline publishes it: without an audience as long as its asset has no version."""
    return Segment.objects.create(
        asset=asset,
        version=1,
        audience=asset.audience if asset.version else None,
        collection=asset.collection,
        ordinal=ordinal,
        **{"kind": "text", "text": f"Words of {asset.source_uri}", **fields},
    )


@dataclass
class World:
    users: dict[str, User | None]
    collection: Collection
    shared: Asset
    private: Asset
    unpublished: Asset
    # Recordings with a preview strip, with the readers of `shared` and of `private`.
    shared_film: Asset
    private_film: Asset
    shared_text: Segment
    shared_picture: Segment
    private_picture: Segment
    unpublished_text: Segment
    # A figure of the shared document whose pixels are the private asset's.
    linked_figure: Segment
    run: IngestRun
    failed_item: IngestItem
    source: Source


def make_world() -> World:
    """One collection, three assets.

    `shared` has the collection's readers (viewer, editor, manager), `private` its own (manager, reader), and
    `unpublished` has the collection's but no version yet. Nobody granted the outsider or the superuser anything.
    """
    names = ("outsider", "viewer", "editor", "manager", "reader")
    users: dict[str, User | None] = {name: member(name) for name in names}
    users["superuser"] = member("superuser", is_superuser=True, is_staff=True)
    users["inactive"] = member("inactive")
    users["anonymous"] = None
    collection = Collection.objects.create(name="Plans", slug="plans")
    for name, role in (
        ("viewer", Role.VIEWER),
        ("editor", Role.EDITOR),
        ("manager", Role.MANAGER),
        ("inactive", Role.MANAGER),
    ):
        grant(collection, Principal(user=users[name]), role)
    User.objects.filter(username="inactive").update(is_active=False)

    shared = published(collection, "shared.txt", b"0123456789")
    private = published(
        collection,
        "private.png",
        png(),
        kind=Image,
        media_type="image/png",
        readers=[Principal(user=users["manager"]), Principal(user=users["reader"])],
    )
    unpublished = published(collection, "unpublished.txt", b"not yet", version=0)
    picture_key = "pictures/1/0/page-1.png"
    storage().put(picture_key, io.BytesIO(png(colour="blue")))
    readers = [Principal(user=users["manager"]), Principal(user=users["reader"])]
    shared_film, private_film = film(collection, "shared.mp4"), film(collection, "private.mp4", readers)
    private_key = "pictures/2/0/image.png"
    storage().put(private_key, io.BytesIO(png()))

    run = IngestRun.objects.create(collection=collection, started_by=users["editor"], sealed=True)
    version = AssetVersion.objects.get(asset=shared)
    IngestItem.objects.create(run=run, path="shared.txt", asset_version=version, outcome=Outcome.INDEXED)
    private_version = AssetVersion.objects.get(asset=private)
    IngestItem.objects.create(
        run=run, path="private.png", asset_version=private_version, outcome=Outcome.INDEXED
    )
    failed_version = AssetVersion.objects.get(asset=unpublished)
    failed = IngestItem.objects.create(
        run=run,
        path="unpublished.txt",
        asset_version=failed_version,
        outcome=Outcome.FAILED,
        error_code="corrupt",
    )
    IngestStep.objects.create(asset_version=failed_version, name=StepName.EXTRACT, state=StepState.DEAD)
    IngestRun.objects.filter(pk=run.pk).update(state=RunState.RUNNING)

    source = Source.objects.create(
        collection=collection, name="Seals share", kind="website", settings={"url": "https://plans.test/"}
    )
    SourceFolder.objects.create(
        source=source, folder="Seals", audience=interned_audience([Principal(everyone=True)])
    )
    SourceEntry.objects.create(source=source, uri="private.png", asset=private, seen_at=timezone.now())

    return World(
        users=users,
        collection=collection,
        shared=shared,
        private=private,
        unpublished=unpublished,
        shared_film=shared_film,
        private_film=private_film,
        shared_text=segment(shared, 0, heading_path=["Pumps", "Seals"], page=1),
        shared_picture=segment(shared, 1, kind="page", page=1, picture_key=picture_key),
        linked_figure=segment(shared, 2, kind="figure", picture_uri="private.png"),
        private_picture=segment(private, 0, kind="image", picture_key=private_key, thumbnail_key=private_key),
        unpublished_text=segment(unpublished, 0),
        run=run,
        failed_item=failed,
        source=source,
    )
