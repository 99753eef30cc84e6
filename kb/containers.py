"""What does a ZIP or OLE2 container hold? Told by its directory alone, read within small bounds.

Runs where files are received, on untrusted bytes: nothing is unpacked but two short entries, and no structure is
followed further than a real one goes. Readers that need more run in the parsers' child process.
"""

import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO

# A directory entry takes some sixty bytes: this is over a hundred thousand entries, more than any office file has.
MAX_ZIP_DIRECTORY_BYTES = 8 * 1024**2
# An archive's comment is at most 64 KiB, and 22 bytes of the end record stand before it.
_ZIP_TAIL_BYTES = 65536 + 22
_ZIP_END = struct.Struct("<4s4H2LH")
# [Content_Types].xml of a workbook of a thousand sheets is 0.2 MB; a mimetype entry is one line.
_MAX_TYPES_BYTES = 1024**2
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    OSError,
    zlib.error,
)

_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = _OFFICE + "wordprocessingml.document"
PPTX = _OFFICE + "presentationml.presentation"
XLSX = _OFFICE + "spreadsheetml.sheet"
_OPEN = "application/vnd.oasis.opendocument."
ODT, ODS, ODP, ODG = _OPEN + "text", _OPEN + "spreadsheet", _OPEN + "presentation", _OPEN + "graphics"
# The type of the part that an Office Open XML package is about -> the media type of its family. Templates, shows and
# macro-enabled forms are read as what they are forms of: the macros are left alone.
_MAIN_PART = re.compile(
    r"application/vnd\.(?:openxmlformats-officedocument\.)?"
    r"(wordprocessingml\.(?:document|template)|ms-word\.(?:document|template)\.macroEnabled(?:Template)?|"
    r"presentationml\.(?:presentation|template|slideshow)|"
    r"ms-powerpoint\.(?:presentation|template|slideshow)\.macroEnabled|"
    r"spreadsheetml\.(?:sheet|template)|ms-excel\.(?:sheet|template)\.macroEnabled|"
    r"ms-excel\.sheet\.binary\.macroEnabled|ms-visio\.(?:drawing|template|stencil)(?:\.macroEnabled)?)"
    r"\.main(?:\+xml)?",
    re.IGNORECASE,
)
XLSB = "application/vnd.ms-excel.sheet.binary.macroenabled.12"
VSDX = "application/vnd.ms-visio.drawing"
_FAMILIES = (
    ("wordprocessingml", DOCX),
    ("ms-word", DOCX),
    ("presentationml", PPTX),
    ("ms-powerpoint", PPTX),
    ("ms-excel.sheet.binary", XLSB),
    ("spreadsheetml", XLSX),
    ("ms-excel", XLSX),
    ("ms-visio", VSDX),
)
# OpenOffice.org 1.0 had no mimetype entry: its manifest says of the root, in either order, what it is.
_ROOT_TYPE = re.compile(
    rb"<manifest:file-entry\s[^>]*?(?:media-type=\"(application/vnd\.(?:sun\.xml|oasis\.opendocument)\.[a-z.-]+)\""
    rb"[^>]*?full-path=\"/\"|full-path=\"/\"[^>]*?media-type=\"(application/vnd\.(?:sun\.xml|oasis\.opendocument)"
    rb"\.[a-z.-]+)\")"
)
PAGES, NUMBERS, KEYNOTE = (f"application/vnd.apple.{name}" for name in ("pages", "numbers", "keynote"))
_APPLE = (PAGES, NUMBERS, KEYNOTE)

# Password-protected Office Open XML: an OLE2 container around the encrypted package.
ENCRYPTED_PACKAGE = "application/x-ole-encrypted-package"
# A storage's or stream's name -> what such a container is. The first that is there counts: a document may hold others
# inside it, but only its own directory is in this order of telling.
_OLE_NAMES: tuple[tuple[str, str], ...] = (
    ("EncryptedPackage", ENCRYPTED_PACKAGE),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
    ("WordDocument", "application/msword"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("PP97_DUALSTORAGE", "application/vnd.ms-powerpoint"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
    ("VisioDocument", "application/vnd.visio"),
    ("Quill", "application/x-mspublisher"),
    ("StarWriterDocument", "application/vnd.stardivision.writer"),
    ("StarCalcDocument", "application/vnd.stardivision.calc"),
    ("StarDrawDocument3", "application/vnd.stardivision.impress"),
    ("StarDrawDocument", "application/vnd.stardivision.impress"),
    ("MatOST", "application/vnd.ms-works"),
    ("NativeContent_MAIN", "application/x-quattro-pro"),
    ("PerfectOffice_MAIN", "application/vnd.wordperfect"),
)
# Directory sectors followed: four entries in each of 512 bytes; the names above are among a root's first entries.
_MAX_OLE_SECTORS = 256


def zip_directory_bytes(path: Path) -> int | None:
    """The size that the archive states for its directory; None when it has no end record, or one of ZIP64."""
    with path.open("rb") as file:
        size_bytes = file.seek(0, 2)
        file.seek(max(0, size_bytes - _ZIP_TAIL_BYTES))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _ZIP_END.size:
        return None
    stated = int(_ZIP_END.unpack_from(tail, at)[5])
    return None if stated == 0xFFFFFFFF else stated


def zip_type(path: Path, claim: str) -> str:
    """The media type of the document that a ZIP archive is, or `application/zip`."""
    stated = zip_directory_bytes(path)
    if stated is None or stated > MAX_ZIP_DIRECTORY_BYTES:
        return _damaged_zip(path, claim)
    try:
        with zipfile.ZipFile(path) as archive:
            return _zip_content(archive, claim)
    except _ZIP_ERRORS:
        return _damaged_zip(path, claim)


def _zip_content(archive: zipfile.ZipFile, claim: str) -> str:
    names = frozenset(archive.namelist())
    if "mimetype" in names:
        stated = _entry(archive, "mimetype")[:200].decode("ascii", errors="replace").strip().lower()
        if stated.startswith(("application/epub+zip", _OPEN, "application/vnd.sun.xml.")):
            return without_form(stated)
    if "[Content_Types].xml" in names:
        return ooxml_type(_entry(archive, "[Content_Types].xml")) or "application/zip"
    if "META-INF/manifest.xml" in names:
        root = _ROOT_TYPE.search(_entry(archive, "META-INF/manifest.xml"))
        if root:
            return without_form(next(group for group in root.groups() if group).decode("ascii"))
    return _apple(names, claim) or "application/zip"


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    info = archive.getinfo(name)
    # What these two are packed with in practice; other methods can unpack far more than is asked for.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return b""
    with archive.open(info) as entry:
        return entry.read(_MAX_TYPES_BYTES)


def ooxml_type(content_types: bytes) -> str:
    """The media type of the package whose list of content types this is; empty for one that is no office document."""
    encoding = "utf-16" if content_types.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    found = _MAIN_PART.search(content_types.decode(encoding, errors="replace"))
    if not found:
        return ""
    main = found[1].lower()
    return next(media_type for start, media_type in _FAMILIES if main.startswith(start))


def without_form(media_type: str) -> str:
    """Templates and master documents are read as what they are forms of."""
    for form in ("-template", "-master", "-web", ".template", ".global"):
        media_type = media_type.removesuffix(form)
    return media_type


def _apple(names: frozenset[str], claim: str) -> str:
    if "index.apxl" in names or "index.apxl.gz" in names:
        return KEYNOTE
    if "Index/Document.iwa" in names or "Index.zip" in names or "index.xml" in names:
        # All three have these; a slide or a table of its own in the index tells them apart, else the name.
        if claim in _APPLE:
            return claim
        if any(
            name.startswith(("Index/Slide", "Index/MasterSlide", "Index/TemplateSlide")) for name in names
        ):
            return KEYNOTE
        if "Index/Document.iwa" in names:
            return NUMBERS if any(name.startswith("Index/CalculationEngine") for name in names) else PAGES
    return ""


def _damaged_zip(path: Path, claim: str) -> str:
    """A truncated archive has lost its directory; what stands at its start, and its name, still tell."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head[30:38] == b"mimetype" and (stated := re.match(rb"application/[a-z.+-]+", head[38:138])):
        return without_form(stated[0].decode("ascii"))
    known = claim.startswith((_OFFICE, _OPEN)) or claim in {XLSB, VSDX, "application/epub+zip", *_APPLE}
    return claim if known else "application/zip"


def ole_type(path: Path, claim: str) -> str:
    """The media type of the document that an OLE2 container is, or `application/x-ole-storage`."""
    with path.open("rb") as file:
        names = _ole_names(file)
    found = next((media_type for name, media_type in _OLE_NAMES if name in names), "")
    # One program's container, whichever of its documents is inside.
    if (found, claim) in {
        ("application/vnd.ms-works", "application/vnd.ms-excel"),
        ("application/vnd.wordperfect", "application/x-quattro-pro"),
    }:
        return claim
    legacy = {"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"}
    # A damaged directory: the name is all there is, and the reader will say what is wrong.
    return found or (claim if claim in legacy else "application/x-ole-storage")


def _ole_names(file: IO[bytes]) -> set[str]:
    """The names in the directory of an OLE2 file ([MS-CFB] 2.2, 2.3 and 2.6), as far as it can be followed."""
    header = file.read(512)
    if len(header) < 512:
        return set()
    shift = struct.unpack_from("<H", header, 30)[0]
    if shift not in (9, 12):
        return set()
    size_bytes = 1 << shift
    sector = int(struct.unpack_from("<I", header, 48)[0])
    fat_sectors = struct.unpack_from("<109I", header, 76)
    names: set[str] = set()
    for _ in range(_MAX_OLE_SECTORS):
        if sector >= 0xFFFFFFFA:
            break
        file.seek((sector + 1) * size_bytes)
        data = file.read(size_bytes)
        for start in range(0, len(data) - 127, 128):
            length = struct.unpack_from("<H", data, start + 64)[0]
            if 2 <= length <= 64:
                name = data[start : start + length - 2].decode("utf-16-le", errors="replace")
                names.add(name.removeprefix("\x01").removeprefix("\x02"))
        # Where the chain goes on stands in the allocation table, whose first 109 sectors the header lists: enough for
        # seven megabytes of small sectors, and directories stand near the start.
        table, index = divmod(sector, size_bytes // 4)
        if table >= len(fat_sectors) or fat_sectors[table] >= 0xFFFFFFFA:
            break
        file.seek((fat_sectors[table] + 1) * size_bytes + 4 * index)
        following = file.read(4)
        if len(following) < 4:
            break
        sector = int(struct.unpack("<I", following)[0])
    return names
