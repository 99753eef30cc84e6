"""What is in a TAR, or in a file compressed by gzip, bzip2, xz or Zstandard? Read once from front to end.

A compressed stream that holds a TAR is a TAR; any other is one file under the archive's own name.
"""

import bz2
import gzip
import importlib
import io
import lzma
import os
import sys
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from workers.extract import limits
from workers.extract.base import ExtractionError, Source
from workers.extract.charset import decode
from workers.extract.members import Guarded, Unpacking

_TAR_BLOCK = 512
# What the readers raise on damaged bytes; ValueError and its like from numbers that are none.
_DAMAGE: tuple[type[Exception], ...] = (
    tarfile.TarError,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    IndexError,
    OverflowError,
)


def _zstandard() -> Any:
    """Python's own from 3.14 on, and before that the one that py7zr brings."""
    return importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


_OPENERS: dict[str, Callable[[Path], Any]] = {
    "application/x-tar": lambda path: path.open("rb"),
    "application/gzip": gzip.open,
    "application/x-bzip2": bz2.open,
    "application/x-xz": lzma.open,
    "application/zstd": lambda path: _zstandard().open(path),
}
# Ends that the compressed file's own name has and its content's has not; the short ones stand for a TAR.
_ENDS = {".gz", ".bz2", ".xz", ".zst", ".gzip", ".z"}
_SHORT = {".svgz": ".svg", ".emz": ".emf", ".wmz": ".wmf"}


def unpack(source: Source, unpacking: Unpacking) -> None:
    with _OPENERS[source.media_type](source.path) as raw:
        damage = (*_DAMAGE, *_zstandard_errors(source.media_type))
        content = Guarded(raw, damage, unpacking.count)
        head = content.read(_TAR_BLOCK)
        rest = _Joined(head, content)
        if _is_tar(head):
            _tar(rest, unpacking)
        elif source.media_type == "application/x-tar":
            raise ExtractionError("corrupt")
        elif source.part == 0:
            unpacking.offer(
                _inner_name(source.name), 0, lambda: rest, most_bytes=limits.MAX_ARCHIVE_FILE_BYTES
            )
            if damaged := unpacking.only_error:
                # The archive and its file are one: what is wrong with one is wrong with the other.
                raise ExtractionError(damaged.error, damaged.message)


class _Joined:
    """The bytes that were looked at, and then the others."""

    def __init__(self, head: bytes, rest: Guarded) -> None:
        self._head = io.BytesIO(head)
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        return self._head.read(size) or self._rest.read(size)


def _zstandard_errors(media_type: str) -> tuple[type[Exception], ...]:
    if media_type != "application/zstd":
        return ()
    return (_zstandard().ZstdError,)


def _is_tar(head: bytes) -> bool:
    """By the header's checksum: not every writer puts `ustar` there."""
    if len(head) < _TAR_BLOCK or not head.strip(b"\0"):
        return False
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _tar(content: _Joined, unpacking: Unpacking) -> None:
    last = ""
    try:
        # A stream: nothing is sought, so the pieces may come from a decompressor.
        with tarfile.open(fileobj=content, mode="r|", errors="surrogateescape") as archive:  # type: ignore[call-overload]
            for entry in archive:
                # The list of what was read would grow with the archive.
                archive.members = []
                if unpacking.full:
                    return
                last = _name(entry)
                _entry(archive, entry, last, unpacking)
    except ExtractionError as error:
        if error.code != "corrupt" or not last:
            raise
        _warn_of_damage(last, unpacking)
    except _DAMAGE as error:
        if not last:
            raise ExtractionError("corrupt") from error
        _warn_of_damage(last, unpacking)


def _warn_of_damage(last: str, unpacking: Unpacking) -> None:
    unpacking.warn("corrupt", f"The archive is damaged: what comes after “{last[:100]}” cannot be read.")


def _entry(archive: tarfile.TarFile, entry: tarfile.TarInfo, name: str, unpacking: Unpacking) -> None:
    if entry.isdir():
        return
    if entry.issym() or entry.islnk():
        unpacking.skip(name, "it is a link")
    elif not entry.isfile() or entry.size < 0:
        unpacking.skip(name, "it is a device or no file at all")
    else:
        unpacking.offer(name, entry.size, lambda: _opened(archive, entry))


def _opened(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> Guarded:
    try:
        content = archive.extractfile(entry)
    except _DAMAGE as error:
        raise ExtractionError("corrupt") from error
    if content is None:
        raise ExtractionError("corrupt")
    return Guarded(content, _DAMAGE)


def _name(entry: tarfile.TarInfo) -> str:
    raw = os.fsencode(entry.name)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return decode(raw).text


def _inner_name(name: str) -> str:
    """`report.csv.gz` holds `report.csv`."""
    path = PurePosixPath(name)
    suffix = path.suffix.lower()
    if suffix in _SHORT:
        return path.stem + _SHORT[suffix]
    return path.stem if suffix in _ENDS and path.stem else f"{path.name or 'file'} (unpacked)"
