"""Where are the bytes of originals and pictures? Under keys, in a folder or in an S3 bucket.

Everything above this module is the same for both: an object appears whole or not at all, replaces an earlier one of
its key, and is read as a stream.
"""

import contextlib
import functools
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import certifi
import minio
import urllib3
from django.conf import settings
from minio.error import MinioException, S3Error

from kb.exceptions import ObjectMissingError, StorageError

# Read and written at a time: large enough that the calls cost nothing, small beside a worker's memory.
CHUNK_BYTES = 1024**2
# Of a multipart upload; held in memory. 10,000 parts at most, so objects up to 160 GB.
PART_BYTES = 16 * 1024**2
# An unfinished upload in the folder that nothing has written to for this long belongs to a process that died.
ABANDONED_S = 24 * 3600

# Each segment starts with a letter or digit, so `.` and `..` are none, nor is anything hidden.
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99})+")
_PREFIX = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]{0,99}/)*(?:[A-Za-z0-9][A-Za-z0-9._-]{0,99})?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")  # S3's own rule for new buckets.
# As long as the columns that hold keys.
_KEY_MAX_CHARACTERS = 200


class Storage(Protocol):
    """Objects by key. Every method may raise StorageError; none tells a missing bucket from an empty one."""

    def put(
        self,
        key: str,
        stream: BinaryIO,
        *,
        size_bytes: int | None = None,
        media_type: str = "application/octet-stream",
    ) -> None:
        """Stores what the stream holds from where it stands, replacing an earlier object.

        When it raises, the earlier object, if any, is still there: what `stream.read` raises goes through
        unchanged, and StorageError says that the stream has not `size_bytes` or that the store failed.
        """

    def open(self, key: str) -> contextlib.AbstractContextManager[BinaryIO]:
        """The object's bytes, to be read forward; not every store can seek. ObjectMissingError at entry."""

    def size_bytes(self, key: str) -> int:
        """Raises ObjectMissingError."""

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Afterwards there is no such object, whether or not there was one."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Keys that start with `prefix`, in any order. What comes or goes meanwhile may or may not be among them."""

    def ready(self) -> None:
        """Makes the folder or bucket where missing. Raises StorageError when objects could not be kept now."""


def storage() -> Storage:
    """The configured one."""
    return _made(tuple(sorted(settings.KB_STORAGE.items())))


@functools.lru_cache(maxsize=8)  # One a configuration: connections are kept. Tests have several.
def _made(items: tuple[tuple[str, Any], ...]) -> Storage:
    options = dict(items)
    backend = options.pop("backend")
    if backend == "folder":
        return FolderStorage(Path(options["root"]))
    if backend == "s3":
        return S3Storage(**options)
    raise StorageError(f"KB_STORAGE names the backend {backend!r}; there are `folder` and `s3`.")


def checked_key(key: str) -> str:
    """The key itself. Raises StorageError for one that is no relative path of plain names."""
    if len(key) > _KEY_MAX_CHARACTERS or not _KEY.fullmatch(key):
        raise StorageError(
            f"{key!r} is no object key: it takes two or more names of A-Z a-z 0-9 . _ - with slashes."
        )
    return key


def checked_prefix(prefix: str) -> str:
    if not _PREFIX.fullmatch(prefix):
        raise StorageError(f"{prefix!r} is not how an object key begins.")
    return prefix


class _Measured:
    """A stream that raises StorageError at its end when it was not as long as announced."""

    def __init__(self, stream: BinaryIO, size_bytes: int | None) -> None:
        self._stream, self._expected, self._seen = stream, size_bytes, 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._seen += len(data)
        at_end = not data and size != 0
        if self._expected is not None and (
            self._seen > self._expected or (at_end and self._seen < self._expected)
        ):
            raise StorageError(f"The stream has not the {self._expected} bytes that were announced.")
        return data


class FolderStorage:
    """Each object is a file below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        # Of the same file system as the objects, so that a rename is atomic; no key begins with a dot.
        self._incoming = root / ".incoming"

    def put(
        self,
        key: str,
        stream: BinaryIO,
        *,
        size_bytes: int | None = None,
        media_type: str = "application/octet-stream",  # noqa: ARG002 - the database keeps it; a folder cannot
    ) -> None:
        path = self._path(key)
        measured = _Measured(stream, size_bytes)
        with self._failures(key):
            self._incoming.mkdir(parents=True, exist_ok=True)
            handle, draft_name = tempfile.mkstemp(dir=self._incoming)
        draft = Path(draft_name)
        try:
            with os.fdopen(handle, "wb") as file:
                while data := measured.read(CHUNK_BYTES):  # Outside _failures: its errors are the caller's.
                    with self._failures(key):
                        file.write(data)
                with self._failures(key):
                    file.flush()
                    os.fsync(file.fileno())
            with self._failures(key):
                self._move(draft, path)
        finally:
            draft.unlink(missing_ok=True)

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        with self._failures(key):
            file = self._path(key).open("rb")
        with file:
            yield file

    def size_bytes(self, key: str) -> int:
        with self._failures(key):
            return self._path(key).stat().st_size

    def exists(self, key: str) -> bool:
        with self._failures(key):
            return self._path(key).is_file()

    def delete(self, key: str) -> None:
        path = self._path(key)
        with self._failures(key):
            path.unlink(missing_ok=True)
        # Folders that are empty now go too; `_move` makes them again if it loses the race.
        with contextlib.suppress(OSError):
            for folder in path.parents:
                if folder == self._root:
                    break
                folder.rmdir()

    def keys(self, prefix: str = "") -> Iterator[str]:
        folder = self._root / checked_prefix(prefix).rpartition("/")[0]
        for parent, folders, files in os.walk(folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                key = str((Path(parent) / name).relative_to(self._root))
                if key.startswith(prefix) and _KEY.fullmatch(key):
                    yield key

    def ready(self) -> None:
        with self._failures("the storage folder"):
            self._incoming.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._incoming) as probe:
                probe.write(b"x")
            for leftover in self._incoming.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    if leftover.stat().st_mtime < time.time() - ABANDONED_S:
                        leftover.unlink()

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _move(self, draft: Path, path: Path) -> None:
        for attempt in range(10):  # Each loss needs a delete between the two calls.
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                draft.replace(path)
            except FileNotFoundError:
                if attempt == 9:
                    raise
            else:
                break
        # The name itself must survive a power cut, or the database knows an object that is not there.
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise ObjectMissingError(f"There is no object {what}.") from error
        except OSError as error:
            raise StorageError(f"The folder {self._root} failed on {what}: {error.strerror}.") from error


def s3_client(
    endpoint: str,
    *,
    access_key: str | None = None,
    secret_key: str | None = None,
    secure: bool = True,
    region: str | None = None,
) -> minio.Minio:
    """A client that gives up in time."""
    # As the SDK makes it, but its five minutes of patience would hold a web thread for as long.
    connections = urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=5, read=60),
        maxsize=16,  # As many as a process has threads.
        cert_reqs="CERT_REQUIRED",
        ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
        retries=urllib3.Retry(total=3, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
    )
    return minio.Minio(
        endpoint,
        access_key=access_key,
        secret_key=secret_key,
        secure=secure,
        region=region or None,
        http_client=connections,
    )


class S3Storage:
    """Each object is one of a bucket, on any server that speaks S3."""

    def __init__(
        self,
        *,
        endpoint: str,
        bucket: str,
        access_key: str | None = None,
        secret_key: str | None = None,
        secure: bool = True,
        region: str | None = None,
    ) -> None:
        if not _BUCKET.fullmatch(bucket):
            raise StorageError(f"{bucket!r} is no bucket name: it takes 3 to 63 of a-z 0-9 . -")
        self._bucket = bucket
        self._has_bucket = False
        self._client = s3_client(
            endpoint, access_key=access_key, secret_key=secret_key, secure=secure, region=region
        )

    def put(
        self,
        key: str,
        stream: BinaryIO,
        *,
        size_bytes: int | None = None,
        media_type: str = "application/octet-stream",
    ) -> None:
        checked_key(key)
        with self._failures(key):
            self._need_bucket()
            self._client.put_object(
                self._bucket,
                key,
                cast(BinaryIO, _Measured(stream, size_bytes)),
                length=-1,  # Unknown: the SDK would stop at a known one without looking whether more follows.
                part_size=PART_BYTES,
                content_type=media_type,
                num_parallel_uploads=1,  # Its threads and their parts in memory are never freed after a failure.
            )

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        checked_key(key)
        with self._failures(key):
            response = self._client.get_object(self._bucket, key)
        try:
            yield cast(BinaryIO, _Download(response, key))
        finally:
            # Closed rather than drained: what the reader did not want may be gigabytes.
            response.close()
            response.release_conn()

    def size_bytes(self, key: str) -> int:
        checked_key(key)
        with self._failures(key):
            return int(self._client.stat_object(self._bucket, key).size or 0)

    def exists(self, key: str) -> bool:
        try:
            self.size_bytes(key)
        except ObjectMissingError:
            return False
        return True

    def delete(self, key: str) -> None:
        checked_key(key)
        with contextlib.suppress(ObjectMissingError), self._failures(key):
            self._client.remove_object(self._bucket, key)

    def keys(self, prefix: str = "") -> Iterator[str]:
        checked_prefix(prefix)
        with contextlib.suppress(ObjectMissingError), self._failures(prefix or "its list of objects"):
            for found in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                yield str(found.object_name)

    def ready(self) -> None:
        with self._failures(f"the bucket {self._bucket}"):
            self._has_bucket = False
            self._need_bucket()

    def _need_bucket(self) -> None:
        if self._has_bucket:
            return
        if not self._client.bucket_exists(self._bucket):
            try:
                self._client.make_bucket(self._bucket)
            except S3Error as error:
                if error.code not in (
                    "BucketAlreadyOwnedByYou",
                    "BucketAlreadyExists",
                ):  # Another process did.
                    raise
        self._has_bucket = True

    @contextlib.contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        try:
            yield
        except S3Error as error:
            if error.code in ("NoSuchKey", "NoSuchBucket"):
                self._has_bucket = False
                raise ObjectMissingError(f"There is no object {what}.") from error
            raise StorageError(f"The object store refused {what}: {error.code}.") from error
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            raise StorageError(f"The object store failed on {what}: {error}.") from error


class _Download:
    """A response as a stream: the connection's errors are StorageError wherever they strike."""

    def __init__(self, response: urllib3.BaseHTTPResponse, key: str) -> None:
        self._response, self._key = response, key

    def read(self, size: int = -1) -> bytes:
        try:
            return self._response.read(None if size < 0 else size)
        except urllib3.exceptions.HTTPError as error:
            raise StorageError(f"The object store failed in the middle of {self._key}: {error}.") from error

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def __iter__(self) -> Iterator[bytes]:
        while data := self.read(CHUNK_BYTES):
            yield data

    def close(self) -> None:
        self._response.close()
