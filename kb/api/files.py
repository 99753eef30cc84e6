"""How do stored bytes reach a browser without becoming a page of this site?

Originals are attachments; only pictures that this project can name by their first bytes, and recordings of the types
that browsers play and do nothing else with, are shown inline.
Both are sandboxed by their own Content-Security-Policy, and a proxy or browser may keep nothing unasked.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, parse_etags

from kb.api.ranges import ByteRange, UnsatisfiableError, parse
from kb.storage import storage

# Types that do nothing by themselves in a browser. All else is sent as bytes without a meaning.
HARMLESS_TYPES = frozenset(
    {
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/zip",
        "audio/flac",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "image/avif",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/tiff",
        "image/webp",
        "text/csv",
        "text/markdown",
        "text/plain",
        "video/mp4",
        "video/quicktime",
        "video/webm",
        "video/x-matroska",
    }
)
# Recordings for a player in the page. With nosniff, no browser takes them for anything else.
PLAYABLE_TYPES = frozenset(
    {
        "audio/flac",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "video/mp4",
        "video/ogg",
        "video/quicktime",
        "video/webm",
        "video/x-matroska",
    }
)
SANDBOX = "default-src 'none'; sandbox"
# Kept, but asked about every time: the answer is a 304 after the permission check.
CACHE_CONTROL = "private, no-cache"
CHUNK_BYTES = 256 * 1024


def download(request: HttpRequest, key: str, *, name: str, media_type: str) -> HttpResponseBase:
    """The object as an attachment, or the range of it that is asked for."""
    safe = media_type if media_type in HARMLESS_TYPES else "application/octet-stream"
    disposition = content_disposition_header(True, name) or "attachment"
    return _ranged(request, key, media_type=safe, disposition=disposition)


def play(request: HttpRequest, key: str, *, media_type: str) -> HttpResponseBase:
    """The recording for a player, or the range that it asks for. Raises Http404 for what no browser plays."""
    if media_type not in PLAYABLE_TYPES:
        raise Http404
    return _ranged(request, key, media_type=media_type, disposition="inline")


def _ranged(request: HttpRequest, key: str, *, media_type: str, disposition: str) -> HttpResponseBase:
    size_bytes = storage().size_bytes(key)
    etag = _etag(key, size_bytes)
    if _is_known(request, etag):
        return _sealed(HttpResponse(status=304), etag)
    header = request.headers.get("Range", "")
    # If-Range: a range of what the client has the beginning of; something else is sent as a whole.
    if request.headers.get("If-Range", etag) != etag:
        header = ""
    try:
        part = parse(header, size_bytes)
    except UnsatisfiableError:
        response: HttpResponseBase = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{size_bytes}"
        return _sealed(response, etag)
    wanted = part or ByteRange(0, size_bytes)
    response = StreamingHttpResponse(_Chunks(key, wanted), status=206 if part else 200)
    response["Content-Type"] = media_type
    response["Content-Length"] = str(wanted.size_bytes)
    response["Accept-Ranges"] = "bytes"
    response["Content-Disposition"] = disposition
    if part:
        response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size_bytes}"
    return _sealed(response, etag)


def picture(request: HttpRequest, key: str) -> HttpResponseBase:
    """The object inline, if it is a PNG, JPEG or WebP by its own first bytes."""
    size_bytes = storage().size_bytes(key)
    etag = _etag(key, size_bytes)
    if _is_known(request, etag):
        return _sealed(HttpResponse(status=304), etag)
    with storage().open(key) as stream:
        media_type = _picture_type(stream.read(12))
    if media_type is None:
        raise Http404
    response = StreamingHttpResponse(_Chunks(key, ByteRange(0, size_bytes)), content_type=media_type)
    response["Content-Length"] = str(size_bytes)
    response["Content-Disposition"] = "inline"
    return _sealed(response, etag)


class _Chunks:
    """The bytes of a range. Opened at once, so that a missing object is an error and not a torn answer."""

    def __init__(self, key: str, wanted: ByteRange) -> None:
        self._resources = ExitStack()
        self._stream: BinaryIO = self._resources.enter_context(storage().open(key))
        self._left = wanted.size_bytes
        try:
            self._skip(wanted.start)
        except BaseException:
            # Nobody else will close what the caller never got.
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = self._stream.read(min(CHUNK_BYTES, self._left)) if self._left else b""
        if not chunk:
            self.close()
            raise StopIteration
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        """Called by the response, also when the client went away before the first byte."""
        self._resources.close()

    def _skip(self, count: int) -> None:
        if self._stream.seekable():
            self._stream.seek(count)
            return
        while count and (passed := len(self._stream.read(min(CHUNK_BYTES, count)))):
            count -= passed


def _picture_type(head: bytes) -> str | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def _etag(key: str, size_bytes: int) -> str:
    # A key is never written with other bytes: it holds their sha256, or the version that they were made from.
    return f'"{hashlib.sha256(f"{key} {size_bytes}".encode()).hexdigest()[:32]}"'


def _is_known(request: HttpRequest, etag: str) -> bool:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or etag in {tag.removeprefix("W/") for tag in known}


def _sealed(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    response["ETag"] = etag
    response["Cache-Control"] = CACHE_CONTROL
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = SANDBOX
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
