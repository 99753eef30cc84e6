"""What is left of an office file that could not be converted? Its own preview, or the reason: a password, or damage."""

import dataclasses
import struct
import traceback

import olefile

from kb.containers import KEYNOTE, NUMBERS, PAGES
from workers.extract import limits, ocr, pdf, zipped
from workers.extract.base import Extraction, ExtractionError, Source

warm = ocr.warm

_APPLE = frozenset({PAGES, NUMBERS, KEYNOTE})
# All its pages, as its author last saw them: iWork of 2009 keeps them beside a form that few programs read.
_PREVIEW = "QuickLook/Preview.pdf"
# [MS-DOC] 2.5.1: the flags of the file information block, and fEncrypted among them.
_DOC_FLAGS_AT, _DOC_ENCRYPTED = 10, 0x0100
# [MS-XLS] 2.4.117 FilePass; records begin with their kind and size.
_XLS_PASSWORD = 0x2F
_XLS_RECORDS = 200
# [MS-PPT] 2.3.2: the token of a CurrentUserAtom in an encrypted presentation.
_PPT_ENCRYPTED = 0xF3D1C4DF


def explain(source: Source) -> Extraction:
    """The preview that the file carries. Raises ExtractionError: encrypted or corrupt."""
    with source.path.open("rb") as file:
        start = file.read(8)
    if start[:2] == b"PK":
        # iWork of 2009 locks each member in a way of its own, which it calls a method of packing.
        if source.media_type in _APPLE and zipped.is_packed_oddly(source.path):
            raise ExtractionError("encrypted")
        with zipped.opened(source.path) as archive:  # Raises when a member has a password.
            if any(name.endswith((".iwpv2", ".iwph")) for name in archive.members):
                raise ExtractionError("encrypted")
            preview = archive.read(_PREVIEW) if source.media_type in _APPLE and _PREVIEW in archive else b""
        if preview:
            return _read_preview(preview, source)
    elif (start == olefile.MAGIC and _is_encrypted(source)) or (
        start[:2] == b"\x09\x08" and _has_password(source.path.read_bytes()[: limits.MAX_MEMBER_BYTES])
    ):
        raise ExtractionError("encrypted")
    raise ExtractionError(
        "corrupt", "LibreOffice cannot read the file: it is damaged, or of a version that it does not know."
    )


def _read_preview(preview: bytes, source: Source) -> Extraction:
    file = source.scratch / "preview.bin"
    file.write_bytes(preview)
    try:
        return pdf.extract(dataclasses.replace(source, path=file))
    finally:
        file.unlink()


def _is_encrypted(source: Source) -> bool:
    try:
        with olefile.OleFileIO(str(source.path)) as container:
            for name in ("EncryptedPackage", "EncryptedSummary"):
                if container.exists(name):
                    return True
            word = _head(container, "WordDocument", 12)
            if len(word) == 12 and struct.unpack_from("<H", word, _DOC_FLAGS_AT)[0] & _DOC_ENCRYPTED:
                return True
            user = _head(container, "Current User", 16)
            if len(user) == 16 and struct.unpack_from("<I", user, 12)[0] == _PPT_ENCRYPTED:
                return True
            return any(_has_password(_head(container, name, 65536)) for name in ("Workbook", "Book"))
    # olefile raises these, besides its own OSError, where a damaged directory leads it astray.
    except (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error):
        traceback.print_exc()
        return False


def _head(container: olefile.OleFileIO, name: str, most: int) -> bytes:
    if not container.exists(name):
        return b""
    with container.openstream(name) as stream:
        return bytes(stream.read(most))


def _has_password(workbook: bytes) -> bool:
    at = 0
    for _ in range(_XLS_RECORDS):
        if at + 4 > len(workbook):
            return False
        kind, size_bytes = struct.unpack_from("<HH", workbook, at)
        if kind == _XLS_PASSWORD:
            return True
        at += 4 + size_bytes
    return False
