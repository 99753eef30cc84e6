"""How does a file come in? ① Its bytes go to storage and its rows into one transaction; the relay does the rest.

A refusal is an answer, not an exception: every file of a run becomes an item with an outcome.
"""

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from kb import library, media_types
from kb.exceptions import FailureCode, IngestError, StorageError
from kb.models import (
    Asset,
    AssetState,
    AssetVersion,
    Audience,
    Collection,
    Document,
    Image,
    IngestItem,
    IngestRun,
    IngestStep,
    Outcome,
    RunState,
    StepName,
    Video,
)
from kb.runs import LIVE_STATES, wake_relay
from kb.storage import storage

# Large enough that reading is not what takes the time, small enough to stop soon after the cap.
_CHUNK_BYTES = 256 * 1024
# Of IngestItem.path and Asset.source_uri.
_LONGEST_PATH = 1000
_LONGEST_TITLE = 500
_CHILD_CLASSES: dict[str, type[Asset]] = {"document": Document, "image": Image, "video": Video}


@dataclass(frozen=True, slots=True)
class Received:
    """The bytes, on disk and measured."""

    file: Path
    sha256: str
    size_bytes: int
    media_type: str
    name_agrees: bool

    @property
    def object_key(self) -> str:
        return f"originals/{self.sha256[:2]}/{self.sha256}"


def start_run(collection: Collection, user: User | None, source: str = "") -> IngestRun:
    """A run that files can be added to until it is sealed."""
    return IngestRun.objects.create(collection=collection, started_by=user, source=source[:_LONGEST_PATH])


@transaction.atomic
def seal(run: IngestRun) -> None:
    """No more files: the run ends when each of its files has an outcome."""
    IngestRun.objects.filter(pk=run.pk).update(sealed=True)
    run.sealed = True
    wake_relay()


def receive(
    run: IngestRun, path: str, stream: BinaryIO, *, title: str = "", audience: Audience | None = None
) -> IngestItem:
    """Brings one file into the run. `audience` replaces the collection's for this file, once it is searchable.

    Equal bytes in one collection are one asset, so a file that is there already is `unchanged` and keeps the
    audience that it has.
    """
    if run.sealed:
        raise ValueError("The run is sealed: no file can be added to it.")
    try:
        source_uri = safe_path(path)
        with _received(stream, source_uri) as received:
            refuse_unsupported(received)
            return _admit(run, source_uri, received, title=title.strip(), audience=audience)
    except IngestError as reason:
        return refuse(run, path, reason)
    except StorageError:
        return refuse(
            run,
            path,
            IngestError(
                FailureCode.STORAGE_UNAVAILABLE, "The object store did not answer. Upload the file again."
            ),
        )


@transaction.atomic
def rehome(run: IngestRun, asset: Asset, path: str, audience: Audience | None) -> IngestItem | None:
    """Has the asset follow its bytes to another place, from where they came too; its readers change at once.

    Its name is part of what is searched, so the same bytes become a new version. None, and nothing is changed, when
    another asset stands there.
    """
    lock(f"source {asset.collection_id} {path}")
    newest = AssetVersion.objects.select_for_update().filter(asset=asset.pk).order_by("-number").first()
    if newest is None or Asset.objects.filter(collection=asset.collection_id, source_uri=path).exists():
        return None
    library.move(asset, audience)
    title = PurePosixPath(path).name[:_LONGEST_TITLE]
    Asset.objects.filter(pk=asset.pk).update(source_uri=path, title=title)
    version = AssetVersion.objects.create(
        asset=asset,
        number=newest.number + 1,
        sha256=newest.sha256,
        media_type=newest.media_type,
        size_bytes=newest.size_bytes,
        object_key=newest.object_key,
        facts={"name": PurePosixPath(path).name},
    )
    item = IngestItem.objects.create(run=run, path=path, asset_version=version)
    IngestStep.objects.create(asset_version=version, name=StepName.EXTRACT, part=0)
    wake_relay()
    return item


def safe_path(path: str) -> str:
    """`path` in its shortest form, relative to the collection's root, or the http(s) URL that it is.

    Raises IngestError for what points outside: whoever later joins it to a folder must be safe.
    """
    if len(path) > _LONGEST_PATH:
        raise IngestError(
            FailureCode.UNSAFE_PATH, f"The file's path is longer than {_LONGEST_PATH} characters."
        )
    if any(ord(character) < 32 or 0xD800 <= ord(character) < 0xE000 for character in path):
        raise IngestError(FailureCode.UNSAFE_PATH, "The file's path has control characters in it.")
    if urlsplit(path).scheme in ("http", "https"):
        return path
    # A backslash separates on Windows, where the file may come from or go to.
    parts = re.split(r"[/\\]", path)
    if path.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", path):
        raise IngestError(FailureCode.UNSAFE_PATH)
    kept = [part for part in path.split("/") if part not in ("", ".")]
    if not kept:
        raise IngestError(FailureCode.UNSAFE_PATH, "The file has no name.")
    return "/".join(kept)


@contextmanager
def _received(stream: BinaryIO, source_uri: str) -> Iterator[Received]:
    """The stream in a temporary file, up to the cap; nothing is read past it."""
    cap = settings.KB_MAX_UPLOAD_BYTES
    digest = hashlib.sha256()
    size_bytes = 0
    with tempfile.NamedTemporaryFile(prefix="kb-upload-") as file:
        while chunk := stream.read(_CHUNK_BYTES):
            size_bytes += len(chunk)
            if size_bytes > cap:
                raise _too_large(cap)
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        yield _measured(Path(file.name), source_uri, digest.hexdigest(), size_bytes)


def measured(file: Path, source_uri: str) -> Received:
    """A file that is on disk already. Raises IngestError for one that is empty or larger than the cap."""
    cap = settings.KB_MAX_UPLOAD_BYTES
    if file.stat().st_size > cap:
        raise _too_large(cap)
    with file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    return _measured(file, source_uri, sha256, file.stat().st_size)


def _measured(file: Path, source_uri: str, sha256: str, size_bytes: int) -> Received:
    if not size_bytes:
        raise IngestError(FailureCode.EMPTY_FILE)
    detected = media_types.detect(file, PurePosixPath(source_uri).name)
    return Received(file, sha256, size_bytes, detected.media_type, detected.name_agrees)


def _too_large(cap: int) -> IngestError:
    return IngestError(
        FailureCode.TOO_LARGE, f"The file is larger than the limit of {cap / 1024**2:,.0f} MB."
    )


def refuse_unsupported(received: Received) -> None:
    if received.media_type not in media_types.SUPPORTED:
        name = media_types.describe(received.media_type)
        raise IngestError(FailureCode.NOT_SUPPORTED, f"This format is not supported yet: {name}.")


def shown(path: str) -> str:
    """A path that was refused, as an item shows it."""
    return "".join(character if character.isprintable() else "�" for character in path)[:_LONGEST_PATH]


def refuse(run: IngestRun, path: str, reason: IngestError) -> IngestItem:
    """An item for a file that is not taken in."""
    unsupported = reason.code == FailureCode.NOT_SUPPORTED
    return IngestItem.objects.create(
        run=run,
        path=shown(path),
        outcome=Outcome.UNSUPPORTED if unsupported else Outcome.FAILED,
        error_code=reason.code,
        error_message=str(reason),
        ended_at=timezone.now(),
    )


def _admit(
    run: IngestRun, source_uri: str, received: Received, *, title: str, audience: Audience | None
) -> IngestItem:
    """Object first, rows second: an object without rows is found and removed, rows without their object are lost."""
    put_object(received)
    with transaction.atomic():
        if _is_cancelled(run):
            return _cancelled(run, source_uri)
        lock(f"object {received.object_key}", f"source {run.collection_id} {source_uri}")
        # Whoever removed the last rows with these bytes may have taken the object away before the lock.
        put_object(received)
        _refuse_place_of_member(run.collection_id, source_uri)
        existing = _existing_version(run.collection_id, source_uri, received.sha256)
        if existing is not None:
            return known(run, source_uri, existing)
        version = new_version(
            run.collection, source_uri, received, owner_id=run.started_by_id, title=title, audience=audience
        )
        return IngestItem.objects.create(run=run, path=source_uri, asset_version=version)


def _is_cancelled(run: IngestRun) -> bool:
    """Asked under a lock that the cancel waits for: a file is in before it, and cancelled too, or not at all."""
    with connection.cursor() as cursor:
        # Shared, so that several files of a run may come in at once.
        cursor.execute(f"SELECT state FROM {IngestRun._meta.db_table} WHERE id = %s FOR SHARE", [run.pk])  # noqa: S608 - our own name.
        (state,) = cursor.fetchone()
    return bool(state == RunState.CANCELLED)


def _cancelled(run: IngestRun, source_uri: str) -> IngestItem:
    return IngestItem.objects.create(
        run=run,
        path=source_uri,
        outcome=Outcome.CANCELLED,
        error_message="The run was cancelled before this file was in.",
        ended_at=timezone.now(),
    )


def _refuse_place_of_member(collection_id: int, source_uri: str) -> None:
    """What is inside another file changes with that file only (kb.members)."""
    if Asset.objects.filter(collection=collection_id, source_uri=source_uri, parent__isnull=False).exists():
        message = "A file inside another file has this path. Upload it under another name."
        raise IngestError(FailureCode.UNSAFE_PATH, message)


def known(run: IngestRun, source_uri: str, existing: AssetVersion) -> IngestItem:
    """An item for bytes that are searchable already, or that somebody else's upload is just making so."""
    # Under the version's lock: it cannot be published, and end its items, between the question and the insert.
    version = AssetVersion.objects.select_for_update(of=("self",)).select_related("asset").get(pk=existing.pk)
    if version.number == version.asset.version:
        ending = {"outcome": Outcome.UNCHANGED, "ended_at": timezone.now()}
    else:
        ending = {"outcome": Outcome.PENDING}
    return IngestItem.objects.create(run=run, path=source_uri, asset_version=version, **ending)


def put_object(received: Received) -> None:
    objects = storage()
    if objects.exists(received.object_key) and objects.size_bytes(received.object_key) == received.size_bytes:
        return
    with received.file.open("rb") as content:
        objects.put(
            received.object_key, content, size_bytes=received.size_bytes, media_type=received.media_type
        )


def lock(*names: str) -> None:
    """Holds these names until the transaction ends; in one order for everyone, so that no two wait in a circle."""
    with connection.cursor() as cursor:
        for name in sorted(names):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _existing_version(collection_id: int, source_uri: str, sha256: str) -> AssetVersion | None:
    """The searchable or coming version that makes this upload needless.

    What failed does not count: bringing it in again is a fresh attempt. A file that replaces another at its own
    place is compared with the newest bytes there only; else the place would keep its old content.
    """
    in_collection = AssetVersion.objects.filter(asset__collection=collection_id)
    at_place = live(in_collection.filter(asset__source_uri=source_uri))
    if at_place:
        newest = at_place[-1]
        return newest if newest.sha256 == sha256 else None
    # A file inside another goes when that one goes, so it stands for nobody else's upload.
    same_bytes = live(in_collection.filter(sha256=sha256, asset__parent__isnull=True))
    return same_bytes[-1] if same_bytes else None


def live(versions: QuerySet[AssetVersion]) -> list[AssetVersion]:
    """Those that are searchable or being worked on, oldest first."""
    return [
        version
        for version in versions.select_related("asset").order_by("number")
        if version.number == version.asset.version
        or IngestStep.objects.filter(asset_version=version, state__in=LIVE_STATES).exists()
    ]


def new_version(
    collection: Collection,
    source_uri: str,
    received: Received,
    *,
    owner_id: int | None,
    title: str = "",
    audience: Audience | None = None,
    parent: Asset | None = None,
) -> AssetVersion:
    """The rows of bytes that are to become searchable, and the first step towards it."""
    content = {
        "sha256": received.sha256,
        "media_type": received.media_type,
        "size_bytes": received.size_bytes,
        "object_key": received.object_key,
    }
    asset = (
        Asset.objects.select_for_update(no_key=True)
        .filter(collection=collection, source_uri=source_uri)
        .first()
    )
    if asset is None:
        child = _CHILD_CLASSES[media_types.kind_of(received.media_type)]
        asset = child.objects.create(
            collection=collection,
            parent=parent,
            source_uri=source_uri,
            title=(title or PurePosixPath(source_uri).name)[:_LONGEST_TITLE],
            own_audience=audience,
            audience_id=audience.pk if audience else collection.audience_id,
            owner_id=owner_id,
            **content,
        )
    elif asset.version == 0:
        Asset.objects.filter(pk=asset.pk).update(state=AssetState.PROCESSING)
    newest = AssetVersion.objects.filter(asset=asset).order_by("-number").first()
    facts: dict[str, Any] = {"name": PurePosixPath(source_uri).name}
    if title:
        facts["given_title"] = title[:_LONGEST_TITLE]
    if audience is not None:
        # Takes effect when the version is published: until then the old version stays with its readers.
        facts["audience_id"] = audience.pk
    if not received.name_agrees:
        facts["warnings"] = [[-1, FailureCode.NAME_LIES, str(FailureCode.NAME_LIES.label)]]
    version = AssetVersion.objects.create(
        asset=asset, number=(newest.number if newest else asset.version) + 1, facts=facts, **content
    )
    IngestStep.objects.create(asset_version=version, name=StepName.EXTRACT, part=0)
    wake_relay()
    return version
