"""How is an untrusted ZIP archive opened? Counted and added up by its directory before anything is unpacked.

Python's reader gives no more of a member than its directory entry states, so the sums below bound what is unpacked.
That holds for stored and deflated members; the other methods unpack a whole block at once, and are refused here.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kb.containers import MAX_ZIP_DIRECTORY_BYTES, zip_directory_bytes
from workers.extract import limits
from workers.extract.base import ExtractionError

_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True)
class Bounds:
    entries: int = limits.MAX_ZIP_ENTRIES
    unpacked_bytes: int = limits.MAX_UNPACKED_BYTES
    # Of the members that are parsed into trees.
    markup_bytes: int = limits.MAX_UNPACKED_MARKUP_BYTES


_DOCUMENT = Bounds()
_MARKUP = (".xml", ".rels", ".vml", ".html", ".xhtml", ".htm", ".opf", ".ncx")


class Zipped:
    """An archive within its bounds. What reading raises becomes an ExtractionError."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.members = {info.filename: info for info in archive.infolist() if not info.is_dir()}

    def __contains__(self, name: object) -> bool:
        return name in self.members

    def read(self, name: str, most: int = limits.MAX_MEMBER_BYTES) -> bytes:
        """All of a member. Raises ExtractionError: damaged, missing, encrypted, or larger than `most`."""
        with self.opened(name, most) as member:
            return member.read()

    @contextmanager
    def opened(self, name: str, most: int = limits.MAX_MEMBER_BYTES) -> Iterator[IO[bytes]]:
        info = self.members.get(name)
        if info is None:
            raise ExtractionError("corrupt", f"The file lacks its part {name[:100]}.")
        if info.file_size > most:
            raise ExtractionError("output_limit")
        with _named(), self._archive.open(info) as member:
            yield member


@contextmanager
def opened(path: Path, bounds: Bounds = _DOCUMENT) -> Iterator[Zipped]:
    """The archive at `path`. Raises ExtractionError: corrupt, encrypted, or output_limit for a bomb."""
    stated = zip_directory_bytes(path)
    if stated is not None and stated > MAX_ZIP_DIRECTORY_BYTES:
        raise ExtractionError("output_limit", "The file has more parts than the limit.")
    with _named(), zipfile.ZipFile(path) as archive:
        _check(archive.infolist(), bounds)
        yield Zipped(archive)


def is_packed_oddly(path: Path) -> bool:
    """Whether no document of this kind packs its parts so. False for what is no archive, or too large a one."""
    stated = zip_directory_bytes(path)
    if stated is None or stated > MAX_ZIP_DIRECTORY_BYTES:
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(info.compress_type not in _METHODS for info in archive.infolist())
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError):
        return False


def _check(members: list[zipfile.ZipInfo], bounds: Bounds) -> None:
    if len(members) > bounds.entries:
        raise ExtractionError("output_limit", "The file has more parts than the limit.")
    if sum(info.file_size for info in members) > bounds.unpacked_bytes:
        raise ExtractionError("output_limit")
    if (
        sum(info.file_size for info in members if info.filename.lower().endswith(_MARKUP))
        > bounds.markup_bytes
    ):
        raise ExtractionError("output_limit")
    if any(info.flag_bits & _ENCRYPTED for info in members):
        raise ExtractionError("encrypted")
    if any(info.compress_type not in _METHODS for info in members):
        raise ExtractionError("corrupt", "A part is packed in a way that this format does not have.")


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    # NotImplementedError: a feature of ZIP that Python lacks; RuntimeError: a member turns out to have a password.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, RecursionError):
            raise
        raise ExtractionError("corrupt") from error
