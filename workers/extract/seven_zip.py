"""What is in a 7z archive? Entries lie in common streams, so those of a part are taken out in one pass."""

import lzma
import struct
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import py7zr
from py7zr.exceptions import ArchiveError, PasswordRequired
from py7zr.io import NullIO, Py7zIO, WriterFactory

from workers.extract.base import ExtractionError, Source
from workers.extract.members import Unpacking

# What py7zr and its decompressors raise on damaged bytes.
_DAMAGE = (
    ArchiveError,
    py7zr.exceptions.AbsolutePathError,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
)
# A damaged entry ends the pass over its stream; the others are taken out in another. So often at most.
_PASSES = 5


def unpack(source: Source, unpacking: Unpacking) -> None:
    wanted: dict[str, tuple[str, str]] = {}
    # An open file, not a name: given a name py7zr reads the streams in threads, and an error in one ends all.
    with source.path.open("rb") as file:
        archive = _opened(file)
        seen = set()
        for entry in archive.files:
            name = str(entry.filename)
            if unpacking.full:
                break
            if entry.is_directory:
                continue
            if entry.is_symlink or entry.is_junction or entry.is_socket:
                unpacking.skip(name, "it is a link or a device")
            elif name in seen:
                unpacking.skip(name, "another entry has the same name")
            else:
                seen.add(name)
                place = unpacking.take(name, entry.uncompressed)
                if place is not None:
                    wanted[name] = place
    damaged = _take_out(source.path, wanted, source.scratch)
    for name, (inside, target) in wanted.items():
        if name in damaged:
            (source.scratch / target).unlink(missing_ok=True)
            unpacking.lost(inside, "corrupt")
        else:
            unpacking.took(inside, target)


def _opened(file: IO[bytes]) -> py7zr.SevenZipFile:
    try:
        archive = py7zr.SevenZipFile(file)
    except PasswordRequired as error:
        raise ExtractionError("encrypted") from error
    except _DAMAGE as error:
        raise ExtractionError("corrupt") from error
    if archive.needs_password():
        raise ExtractionError("encrypted")
    return archive


class _Target(Py7zIO):
    """A file in the scratch folder, written from its beginning to its end."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self.crc32 = 0

    def write(self, s: bytes | bytearray) -> int:
        self.crc32 = zlib.crc32(s, self.crc32)
        return self._file.write(s)

    def read(self, _size: int | None = None) -> bytes:
        return b""

    def seek(self, _offset: int, _whence: int = 0) -> int:
        return 0

    def flush(self) -> None:
        self._file.flush()

    def size(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()


class _Targets(WriterFactory):
    def __init__(self, wanted: dict[str, Path]) -> None:
        self._wanted = wanted
        self.begun: dict[str, _Target] = {}

    def create(self, filename: str) -> Py7zIO:
        # py7zr gives the name as a path; nothing else than what was asked for is ever written.
        path = self._wanted.get(filename)
        if path is None:
            return cast(Py7zIO, NullIO())  # type: ignore[no-untyped-call]
        self.begun[filename] = _Target(path)
        return self.begun[filename]


def _take_out(path: Path, wanted: dict[str, tuple[str, str]], scratch: Path) -> set[str]:
    """Writes the files; returns the names of those that are damaged."""
    left = {PurePosixPath(name).as_posix(): name for name in wanted}
    damaged: set[str] = set()
    for _ in range(_PASSES):
        if not left:
            break
        targets = _Targets({as_path: scratch / wanted[name][1] for as_path, name in left.items()})
        with path.open("rb") as file, _opened(file) as archive:
            stated = _take_checksums(archive)
            broken = _extract(archive, targets, list(left.values()))
        for as_path, target in targets.begun.items():
            name = left.pop(as_path)
            if as_path == broken or stated.get(name, target.crc32) != target.crc32:
                damaged.add(name)
        if not broken:
            break
    # What no pass came to has no bytes, or lies behind damage in its stream.
    return damaged | set(left.values())


def _take_checksums(archive: py7zr.SevenZipFile) -> dict[str, int]:
    """The checksums, which py7zr will not know then: it ends the whole pass at the first that is wrong."""
    stated = {}
    for entry in archive.files:
        properties: Any = entry.file_properties()  # Its type knows only some of its keys.
        if (checksum := properties.get("digest")) is not None:
            stated[str(entry.filename)] = int(checksum)
            properties["digest"] = None
    return stated


def _extract(archive: py7zr.SevenZipFile, targets: _Targets, names: list[str]) -> str:
    """One pass; returns the path at which damage ended it, if any did."""
    try:
        archive.extract(targets=names, factory=targets)
    except _DAMAGE:
        return next(reversed(targets.begun), "")
    finally:
        for target in targets.begun.values():
            target.close()
    return ""
