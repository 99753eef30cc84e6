"""What is in a bucket, below a prefix? Every object; its ETag and size say whether it changed."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

import urllib3
from minio.error import MinioException

from kb.source_settings import S3Settings
from kb.storage import s3_client
from workers.connectors.base import ConnectorError, Entry, EntryError, Known

# Of SourceEntry.uri.
_LONGEST_URI = 1000


class S3Connector:
    def __init__(self, settings: S3Settings) -> None:
        self._settings = settings
        self._client = s3_client(
            settings.endpoint,
            access_key=_secret(settings.access_key_env),
            secret_key=_secret(settings.secret_key_env),
            secure=settings.secure,
            region=settings.region,
        )
        self.problems: list[str] = []

    def entries(self, known: Mapping[str, Known]) -> Iterator[Entry]:  # noqa: ARG002 - the list costs the same
        listing = self._client.list_objects(
            self._settings.bucket, prefix=self._settings.prefix, recursive=True
        )
        while True:
            try:
                found = next(listing, None)
            except (MinioException, urllib3.exceptions.HTTPError, ValueError) as error:
                raise ConnectorError(
                    f"The bucket {self._settings.bucket} at {self._settings.endpoint} cannot be listed: {error}"
                ) from error
            if found is None:
                return
            key = str(found.object_name)
            uri = key.removeprefix(self._settings.prefix).lstrip("/")
            if not uri or key.endswith("/"):
                continue  # What consoles make where somebody wanted a folder.
            if len(uri) > _LONGEST_URI or not {".", ".."}.isdisjoint(key.split("/")):
                self.problems.append(f"{uri[:200]}: the key points outside, or is too long")
                continue
            etag = (found.etag or "").strip('"')
            fingerprint = f"{etag}-{found.size}" if etag else ""
            yield Entry(uri, fingerprint, lambda key=key: self._open(key), size_bytes=found.size)  # type: ignore[misc]

    def is_gone(self, uri: str) -> bool:  # noqa: ARG002 - a listing that ended had everything
        return True

    @contextmanager
    def _open(self, key: str) -> Iterator[BinaryIO]:
        try:
            response = self._client.get_object(self._settings.bucket, key)
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            raise EntryError(f"The object could not be read: {error}") from error
        try:
            yield _Readable(response)  # type: ignore[misc]  # the part of BinaryIO that uploads use
        finally:
            # Closed rather than drained: what the reader did not want may be gigabytes.
            response.close()
            response.release_conn()


class _Readable:
    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def read(self, size: int = -1) -> bytes:
        try:
            return self._response.read(None if size < 0 else size)
        except urllib3.exceptions.HTTPError as error:
            raise EntryError(f"The object could not be read to its end: {error}") from error


def _secret(name: str) -> str | None:
    if not name:
        return None
    value = os.environ.get(name)
    if not value:
        raise ConnectorError(f"The workers have no environment variable {name}, which this source names.")
    return value
