"""How does a file arrive over connections that break? Piece by piece; when it is whole, kb.uploads takes it in.

Each piece is an object of its own, so any web process, on any machine, can go on where another stopped. The row says
which pieces count: what a request wrote and did not get into the row is removed, or swept up later.
"""

import base64
import binascii
import contextlib
import hashlib
import io
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import BinaryIO

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from kb import uploads
from kb.exceptions import FailureCode, IngestError, KbError, StorageError
from kb.models import Collection, IngestItem, IngestRun, RunState, TusPiece, TusUpload
from kb.storage import storage

log = structlog.get_logger(__name__)

# In memory while it arrives, and lost when the connection breaks in the middle of it.
PIECE_BYTES = 8 * 1024**2
_READ_BYTES = 64 * 1024
# A terabyte of whole pieces; a client that sends some bytes at a time is stopped before it makes millions of objects.
MOST_PIECES = 130_000
# Without a new piece; over a night, not over a holiday.
LIFETIME = timedelta(hours=24)
# Handing over reads the file twice; at 20 MB/s the largest one takes a minute or two.
HANDOVER = timedelta(minutes=15)
# Of IngestRun.source: what tells runs that were opened for resumable uploads from others, which end by themselves.
OPEN_RUN = "resumable uploads"
CHECKSUMS = ("sha1", "sha256")


class WrongOffsetError(KbError):
    """The upload goes on from another offset. Ask for it by HEAD."""


class ChecksumError(KbError):
    """The piece arrived damaged. Send it again."""


class TooManyPiecesError(KbError):
    """The upload came in too many small pieces. Start again with larger ones."""


class TooMuchError(KbError):
    """There are more bytes than the upload was announced with."""


class MetadataError(KbError):
    """The metadata must be pairs of a name and a base64 value, separated by commas, with a `filename` or a `path`."""


def parse_metadata(header: str) -> dict[str, str]:
    """Raises MetadataError."""
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        name, _, value = pair.partition(" ")
        try:
            found[name] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise MetadataError from error
    return found


def create(
    user: User, collection: Collection, *, length: int, metadata: str, run: IngestRun | None = None
) -> TusUpload:
    """Announces a file. Raises IngestError for one that is too large or has no safe path, and MetadataError."""
    if length > settings.KB_MAX_UPLOAD_BYTES:
        cap_mb = settings.KB_MAX_UPLOAD_BYTES / 1024**2
        raise IngestError(FailureCode.TOO_LARGE, f"The file is larger than the limit of {cap_mb:,.0f} MB.")
    values = parse_metadata(metadata)
    path = values.get("path") or values.get("filename") or ""
    if not path:
        raise MetadataError
    upload = TusUpload.objects.create(
        collection=collection,
        user=user,
        run=run,
        path=uploads.safe_path(path),
        metadata=metadata,
        length=length,
        expires_at=timezone.now() + LIFETIME,
    )
    if not length:
        finish(upload)
    return upload


def append(
    upload: TusUpload, offset: int, stream: BinaryIO, *, checksum: tuple[str, bytes] | None = None
) -> None:
    """Adds what the stream has, as far as it comes: a broken connection loses less than a piece.

    With a checksum all of it counts or none. Raises WrongOffsetError, ChecksumError, TooMuchError and
    TooManyPiecesError; the caller's instance is up to date afterwards.
    """
    upload.refresh_from_db()
    if offset != upload.offset:
        raise WrongOffsetError
    digest = None if checksum is None else hashlib.new(checksum[0], usedforsecurity=False)
    waiting: list[tuple[str, int]] = []  # Written, but not counted yet.
    try:
        for piece in _pieces(stream, upload.length - offset):
            key = f"uploads/{upload.pk.hex}/{uuid.uuid4().hex}"
            storage().put(key, io.BytesIO(piece), size_bytes=len(piece))
            waiting.append((key, len(piece)))
            if digest is None:
                _count(upload, waiting)
                waiting = []
            else:
                digest.update(piece)
        if digest is not None and checksum is not None:
            if digest.digest() != checksum[1]:
                raise ChecksumError
            _count(upload, waiting)
            waiting = []
    finally:
        for key, _ in waiting:
            with contextlib.suppress(StorageError):  # Swept up later.
                storage().delete(key)
    if upload.offset == upload.length:
        finish(upload)


def finish(upload: TusUpload) -> IngestItem | None:
    """Hands the whole file over, once. None: somebody else is about it, or did it long ago."""
    now = timezone.now()
    mine = TusUpload.objects.filter(
        Q(finishing_until=None) | Q(finishing_until__lt=now),
        pk=upload.pk,
        handed_over_at=None,
        offset=F("length"),
    ).update(finishing_until=now + HANDOVER)
    if not mine:
        return None
    upload.refresh_from_db()
    run = upload.run
    # A run that was cancelled or closed meanwhile takes no more files; the file is not lost with it.
    if (
        run is None
        or IngestRun.objects.filter(Q(sealed=True) | ~Q(state=RunState.RUNNING), pk=run.pk).exists()
    ):
        run = uploads.start_run(upload.collection, upload.user, source=OPEN_RUN)
    try:
        with _joined(_keys(upload)) as whole:
            item = uploads.receive(run, upload.path, whole)
    except StorageError:
        # The pieces are there: whoever asks next, the client or the sweep, tries again.
        TusUpload.objects.filter(pk=upload.pk).update(finishing_until=None)
        raise
    finally:
        if run.pk != upload.run_id:
            uploads.seal(run)
    keys = _keys(upload)
    with transaction.atomic():
        TusPiece.objects.filter(upload=upload).delete()
        upload.item, upload.handed_over_at = item, timezone.now()
        upload.save(update_fields=["item", "handed_over_at"])
    _delete(keys)
    return item


def remove(upload: TusUpload) -> None:
    """Ends the upload; a file that was handed over stays."""
    keys = _keys(upload)
    TusUpload.objects.filter(pk=upload.pk).delete()
    _delete(keys)


def open_run(user: User, collection: Collection) -> IngestRun:
    """A run for many uploads, to be sealed after the last."""
    return uploads.start_run(collection, user, source=OPEN_RUN)


def tidy() -> None:
    """Hands over what is whole and was left lying, and removes what nobody goes on with."""
    now = timezone.now()
    whole = TusUpload.objects.filter(handed_over_at=None, offset=F("length"), expires_at__gt=now)
    for upload in whole.filter(Q(finishing_until=None) | Q(finishing_until__lt=now)):
        try:
            finish(upload)
        except StorageError as error:
            log.warning("uploads.not_handed_over", upload=str(upload.pk), error=str(error))
    for upload in TusUpload.objects.filter(expires_at__lte=now):
        remove(upload)
    abandoned = IngestRun.objects.filter(
        ~Exists(TusUpload.objects.filter(run=OuterRef("pk"))),
        sealed=False,
        source=OPEN_RUN,
        created_at__lt=now - LIFETIME,
    )
    for run in abandoned:
        uploads.seal(run)
    _sweep()


def _sweep() -> None:
    """Removes pieces of uploads that are gone, and those that their row never came to count."""
    try:
        keys = list(storage().keys("uploads/"))
        living = {pk.hex for pk in TusUpload.objects.values_list("pk", flat=True)}
        for key in keys:
            # A piece of a living upload may be about to be counted; it goes with the others in the end.
            if key.split("/")[1] not in living:
                storage().delete(key)
    except StorageError as error:
        log.warning("uploads.not_swept", error=str(error))


def _pieces(stream: BinaryIO, most_bytes: int) -> Iterator[bytes]:
    """What arrives, in pieces; the last one may be short, since the connection broke."""
    left = most_bytes
    while True:
        piece = bytearray()
        broken = False
        while len(piece) < PIECE_BYTES:
            try:
                data = stream.read(min(_READ_BYTES, PIECE_BYTES - len(piece)))
            except OSError:
                # Django's UnreadablePostError: the client hung up. What came before is kept.
                broken = True
                break
            if not data:
                break
            piece += data
        left -= len(piece)
        if left < 0:
            raise TooMuchError
        if piece:
            yield bytes(piece)
        if broken or len(piece) < PIECE_BYTES:
            return


def _count(upload: TusUpload, written: list[tuple[str, int]]) -> None:
    """Adds pieces to the row, if they still follow on what is there."""
    with transaction.atomic():
        row = TusUpload.objects.select_for_update().filter(pk=upload.pk).first()
        if row is None or row.offset != upload.offset:
            raise WrongOffsetError
        if TusPiece.objects.filter(upload=row).count() + len(written) > MOST_PIECES:
            raise TooManyPiecesError
        for key, size in written:
            TusPiece.objects.create(upload=row, start=row.offset, object_key=key)
            row.offset += size
        row.expires_at = timezone.now() + LIFETIME
        row.save(update_fields=["offset", "expires_at"])
    upload.offset, upload.expires_at = row.offset, row.expires_at


def _keys(upload: TusUpload) -> list[str]:
    pieces = TusPiece.objects.filter(upload=upload).order_by("start")
    return list(pieces.values_list("object_key", flat=True))


@contextlib.contextmanager
def _joined(pieces: list[str]) -> Iterator[BinaryIO]:
    stream = _Joined(pieces)
    try:
        yield stream  # type: ignore[misc]  # the part of BinaryIO that uploads use
    finally:
        stream.close()


class _Joined:
    """The pieces as one stream, each opened when its turn comes."""

    def __init__(self, pieces: list[str]) -> None:
        self._waiting = list(pieces)
        self._resources = contextlib.ExitStack()
        self._open: BinaryIO | None = None

    def read(self, size: int = -1) -> bytes:
        while True:
            if self._open is None:
                if not self._waiting:
                    return b""
                self._open = self._resources.enter_context(storage().open(self._waiting.pop(0)))
            if data := self._open.read(size):
                return data
            self.close()

    def close(self) -> None:
        self._resources.close()
        self._open = None


def _delete(keys: list[str]) -> None:
    for key in keys:
        try:
            storage().delete(key)
        except StorageError as error:
            log.warning("uploads.left_behind", key=key, error=str(error))
            return


def as_checksum(header: str) -> tuple[str, bytes]:
    """Algorithm and digest of an Upload-Checksum header. Raises ChecksumError."""
    algorithm, _, value = header.strip().partition(" ")
    if algorithm not in CHECKSUMS:
        raise ChecksumError(f"The checksums are {', '.join(CHECKSUMS)}.")
    try:
        return algorithm, base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ChecksumError("The checksum is not base64.") from error
