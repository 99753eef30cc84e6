"""What is in a ZIP? Its directory says; each entry is then unpacked by itself, so that one that is bad stays alone."""

import stat
import zipfile
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from kb.containers import MAX_ZIP_DIRECTORY_BYTES, zip_directory_bytes
from workers.extract.base import ExtractionError
from workers.extract.charset import decode
from workers.extract.members import Guarded, Unpacking

_ENCRYPTED = 0x1
_UTF8 = 0x800
# What zipfile raises on damaged bytes: BadZipFile for what it checks, the decompressors' own for what they meet, and
# the rest for sizes and offsets that lead nowhere.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, IndexError, OverflowError)


def unpack(path: Path, unpacking: Unpacking) -> None:
    stated = zip_directory_bytes(path)
    if stated is not None and stated > MAX_ZIP_DIRECTORY_BYTES:
        raise ExtractionError("output_limit", "The archive holds more files than the limit.")
    try:
        archive = zipfile.ZipFile(path)
    except (*_DAMAGE, NotImplementedError) as error:
        raise ExtractionError("corrupt") from error
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if entries and all(entry.flag_bits & _ENCRYPTED for entry in entries):
            raise ExtractionError("encrypted")
        for entry, name in zip(entries, _names(entries), strict=True):
            if unpacking.full:
                break
            if stat.S_ISLNK(entry.external_attr >> 16):
                unpacking.skip(name, "it is a link")
            elif entry.flag_bits & _ENCRYPTED:
                unpacking.fail(name, "encrypted")
            else:
                unpacking.offer(name, entry.file_size, partial(_opened, archive, entry, unpacking))


def _opened(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, unpacking: Unpacking) -> Guarded:
    try:
        content = archive.open(entry)
    except NotImplementedError as error:
        message = "The entry is compressed by a method that is not supported."
        raise ExtractionError("format_not_supported", message) from error
    # RuntimeError: encrypted in a way that the flag does not say.
    except (*_DAMAGE, RuntimeError) as error:
        raise ExtractionError("corrupt") from error
    return Guarded(content, _DAMAGE, unpacking.count)


def _names(entries: Sequence[zipfile.ZipInfo]) -> list[str]:
    """As they were written: without the flag for UTF-8 a name is in the writer's own encoding, which is guessed."""
    unstated = [_raw(entry) for entry in entries if not entry.flag_bits & _UTF8]
    # Together: one name alone seldom has enough letters to tell by.
    encoding = decode(b"\n".join(unstated)).encoding
    return [
        entry.filename if entry.flag_bits & _UTF8 else _raw(entry).decode(encoding, errors="replace")
        for entry in entries
    ]


def _raw(entry: zipfile.ZipInfo) -> bytes:
    # zipfile decodes by this encoding, which has a character for every byte.
    return entry.filename.encode("cp437", errors="replace")
