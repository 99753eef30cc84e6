"""What is this file really? Found in its bytes; its name only tells one kind of plain text from another."""

import functools
import importlib.util
import json
import mmap
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from magika import Magika

# What the pipeline reads now; workers/extract/registry.py names the parser of each.
SUPPORTED: frozenset[str] = frozenset(
    {
        "text/plain",
        "text/markdown",
        "text/x-rst",
        "text/html",
        "application/pdf",
        "image/png",
        "image/jpeg",
        "image/webp",
        "image/gif",
        "image/tiff",
        "image/bmp",
        "image/heic",
        "image/avif",
        "image/svg+xml",
        "message/rfc822",
        "application/vnd.ms-outlook",
        "application/mbox",
        "application/zip",
        "application/x-tar",
        "application/gzip",
        "application/x-bzip2",
        "application/x-xz",
        "application/zstd",
        "application/x-7z-compressed",
    }
)
EMPTY = "inode/x-empty"
UNKNOWN = "application/octet-stream"

# Enough for every signature below, and for the HTML prologues people write.
_HEAD_BYTES = 4096
_OFFICE = "application/vnd.openxmlformats-officedocument."
_DOCX = _OFFICE + "wordprocessingml.document"
_PPTX = _OFFICE + "presentationml.presentation"
_XLSX = _OFFICE + "spreadsheetml.sheet"
_OPEN = "application/vnd.oasis.opendocument."

# Signatures that no other format shares. Containers (ZIP, OLE2) are left to the model, which looks inside.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (8, b"WEBP", "image/webp"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftyphevc", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypmsf1", "image/heic"),
    (4, b"ftypqt  ", "video/quicktime"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (8, b"AVI LIST", "video/x-msvideo"),
    (8, b"WAVE", "audio/wav"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (257, b"ustar", "application/x-tar"),
    (0, b"\x7fELF", "application/x-executable"),
)
# These letters at offset 8 count only in a RIFF container; WAVE and WEBP are words, too.
_IN_RIFF = {b"WEBP", b"AVI LIST", b"WAVE"}

_BMP_HEADERS = {size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124)}

# What an extension claims.
_CLAIMS: dict[str, str] = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "bmp": "image/bmp",
    "dib": "image/bmp",
    "heic": "image/heic",
    "heif": "image/heic",
    "avif": "image/avif",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "text": "text/plain",
    "log": "text/plain",
    "md": "text/markdown",
    "markdown": "text/markdown",
    "rst": "text/x-rst",
    "rest": "text/x-rst",
    "html": "text/html",
    "htm": "text/html",
    "xhtml": "text/html",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "jsonl": "application/json",
    "xml": "text/xml",
    "yaml": "application/x-yaml",
    "yml": "application/x-yaml",
    "tex": "text/x-tex",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "eml": "message/rfc822",
    "mht": "message/rfc822",
    "mhtml": "message/rfc822",
    "mbox": "application/mbox",
    "msg": "application/vnd.ms-outlook",
    "rtf": "application/rtf",
    "doc": "application/msword",
    "docx": _DOCX,
    "xls": "application/vnd.ms-excel",
    "xlsx": _XLSX,
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": _PPTX,
    "odt": _OPEN + "text",
    "ods": _OPEN + "spreadsheet",
    "odp": _OPEN + "presentation",
    "epub": "application/epub+zip",
    "zip": "application/zip",
    "7z": "application/x-7z-compressed",
    "rar": "application/vnd.rar",
    "tar": "application/x-tar",
    "gz": "application/gzip",
    "tgz": "application/gzip",
    "bz2": "application/x-bzip2",
    "xz": "application/x-xz",
    "tbz2": "application/x-bzip2",
    "txz": "application/x-xz",
    "zst": "application/zstd",
    "tzst": "application/zstd",
    "svgz": "application/gzip",
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
    "avi": "video/x-msvideo",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
}
# The model's spelling of a type where it differs from ours.
_SPELLING = {
    "text/rtf": "application/rtf",
    "text/tsv": "text/tab-separated-values",
    "text/srt": "application/x-subrip",
    "audio/x-wav": "audio/wav",
    "audio/x-flac": "audio/flac",
    "application/x-rar": "application/vnd.rar",
    "application/x-bzip": "application/x-bzip2",
    "application/x-zstd": "application/zstd",
    "application/x-mimearchive": "message/rfc822",  # A page saved with its pictures is a message without receivers.
}
_NAMES: dict[str, str] = {
    EMPTY: "Empty file",
    UNKNOWN: "Unknown binary data",
    "text/plain": "Plain text",
    "text/markdown": "Markdown",
    "text/x-rst": "reStructuredText",
    "text/html": "Web page (HTML)",
    "text/csv": "Comma-separated values (CSV)",
    "text/tab-separated-values": "Tab-separated values (TSV)",
    "text/xml": "XML",
    "text/x-tex": "LaTeX",
    "text/vtt": "Subtitles (WebVTT)",
    "application/x-subrip": "Subtitles (SubRip)",
    "application/json": "JSON",
    "application/x-yaml": "YAML",
    "application/rtf": "Rich text (RTF)",
    "application/pdf": "PDF document",
    "application/msword": "Microsoft Word 97-2003 document (DOC)",
    "application/vnd.ms-excel": "Microsoft Excel 97-2003 workbook (XLS)",
    "application/vnd.ms-powerpoint": "Microsoft PowerPoint 97-2003 presentation (PPT)",
    "application/vnd.ms-outlook": "Microsoft Outlook message (MSG)",
    _DOCX: "Microsoft Word document (DOCX)",
    _XLSX: "Microsoft Excel workbook (XLSX)",
    _PPTX: "Microsoft PowerPoint presentation (PPTX)",
    _OPEN + "text": "OpenDocument text (ODT)",
    _OPEN + "spreadsheet": "OpenDocument spreadsheet (ODS)",
    _OPEN + "presentation": "OpenDocument presentation (ODP)",
    "application/epub+zip": "Electronic book (EPUB)",
    "application/zip": "ZIP archive",
    "application/x-7z-compressed": "7-Zip archive",
    "application/vnd.rar": "RAR archive",
    "application/x-tar": "TAR archive",
    "application/gzip": "gzip archive",
    "application/x-bzip2": "bzip2 archive",
    "application/x-xz": "XZ archive",
    "application/zstd": "Zstandard archive",
    "application/x-executable": "Program (ELF)",
    "application/mbox": "Mailbox (MBOX)",
    "message/rfc822": "E-mail (EML)",
    "image/png": "PNG image",
    "image/jpeg": "JPEG image",
    "image/webp": "WebP image",
    "image/gif": "GIF image",
    "image/tiff": "TIFF image",
    "image/bmp": "BMP image",
    "image/heic": "HEIC image",
    "image/avif": "AVIF image",
    "image/svg+xml": "SVG drawing",
    "video/mp4": "MP4 video",
    "video/quicktime": "QuickTime video (MOV)",
    "video/x-matroska": "Matroska video (MKV)",
    "video/webm": "WebM video",
    "video/x-msvideo": "AVI video",
    "audio/mpeg": "MP3 audio",
    "audio/mp4": "MPEG-4 audio (M4A)",
    "audio/wav": "WAV audio",
    "audio/flac": "FLAC audio",
    "audio/ogg": "Ogg audio",
}

# What may stand before a root element. Possessive: a thousand comments must not be tried in a thousand ways.
_PROLOGUE = rb"(?>\s+|<!--.*?-->|<\?xml[^>]*>)*+"
_HTML_START = re.compile(_PROLOGUE + rb"<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL)
_SVG_START = re.compile(
    _PROLOGUE + rb"(?:<!DOCTYPE\s+svg[^>\[]*+(?:\[.*?\]\s*)?>)?" + _PROLOGUE + rb"<svg[\s>]",
    re.IGNORECASE | re.DOTALL,
)
# The line that begins each message of a mailbox, and the headers below it.
_MBOX_START = re.compile(rb"From [^\r\n]+\r?\n[!-9;-~]+:[ \t]")
_ANY_TAG = re.compile(
    rb"<(?:p|div|span|body|head|table|h[1-6]|ul|ol|a|br|b|i|img|title|meta)\b[^<>]*>", re.IGNORECASE
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# Control characters that no text has. ESC stays: terminal logs carry colours.
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 27})
_OLE = {"application/x-ole-storage", "application/CDFV2"}
_OUTLOOK = "application/vnd.ms-outlook"
_OUTLOOK_ENTRY = "__properties_version1.0".encode("utf-16-le")
_OFFICE_ENTRIES = tuple(
    name.encode("utf-16-le") for name in ("WordDocument", "Workbook", "PowerPoint Document")
)
_ALWAYS_SIGNED = {
    f"image/{kind}" for kind in ("png", "jpeg", "webp", "gif", "bmp", "tiff", "heic", "avif")
} | {"application/gzip", "application/x-xz", "application/x-7z-compressed", "application/zstd"}
# A share of control bytes above this is no text, however it is named.
_MOST_CONTROL = 0.02


@dataclass(frozen=True, slots=True)
class Detected:
    """`name_agrees` is False when the extension claims another format than the bytes have.

    Kinds of plain text do not contradict each other: Markdown in a .txt is no lie.
    """

    media_type: str
    name_agrees: bool


def detect(path: Path, name: str) -> Detected:
    """What the file at `path`, which calls itself `name`, is. Raises OSError when it cannot be opened."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    claim = _CLAIMS.get(PurePosixPath(name).suffix[1:].lower(), "")
    media_type = _by_signature(head) or (_by_model(path, head, claim) if head else EMPTY)
    agrees = (
        not claim or claim == media_type or (_is_text(claim) and _is_text(media_type)) or media_type == EMPTY
    )
    return Detected(media_type, agrees)


def kind_of(media_type: str) -> Literal["document", "image", "video"]:
    """Which kind of asset holds such a file."""
    if media_type.startswith("image/"):
        return "image"
    return "video" if media_type.startswith("video/") else "document"


def describe(media_type: str) -> str:
    """The format's name for people."""
    known = _NAMES.get(media_type) or _model_names().get(media_type)
    return known or media_type


def _by_signature(head: bytes) -> str:
    for offset, magic, media_type in _SIGNATURES:
        if head.startswith(magic, offset) and (magic not in _IN_RIFF or head.startswith(b"RIFF")):
            return media_type
    # Two letters are no signature: four bytes that are always zero, and the size of one of the known headers.
    if head.startswith(b"BM") and head[6:10] == bytes(4) and head[14:18] in _BMP_HEADERS:
        return "image/bmp"
    # Some writers put bytes before the header, which readers tolerate within the first kilobyte.
    if b"%PDF-" in head[:1024] and b"\x00" not in head[: head.index(b"%PDF-")] and _binary(head):
        return "application/pdf"
    return ""


def _by_model(path: Path, head: bytes, claim: str) -> str:
    found = _model().identify_path(path).output
    media_type = _SPELLING.get(found.mime_type, found.mime_type) or UNKNOWN
    # The model calls text in rarer encodings (GB18030, UTF-16) unknown; so does it small binary files.
    if not found.is_text and not (media_type == UNKNOWN and _readable(head, claim)):
        # These have signatures; without one, the model saw a likeness.
        return UNKNOWN if media_type in _ALWAYS_SIGNED else _container(path, media_type, claim)
    if claim == media_type == "message/rfc822":
        return media_type  # Also one that was saved in UTF-16 without a mark, which looks binary.
    if _binary(head) or (b"\x00" in head and not head.startswith(_UTF16) and not _is_text(claim)):
        return UNKNOWN  # The model takes small tables and dumps for text.
    head = _narrow(head)
    if _SVG_START.match(head):
        return "image/svg+xml"
    if _MBOX_START.match(head) and claim != "message/rfc822":
        return "application/mbox"
    if _HTML_START.match(head):
        return "text/html"
    if claim == "text/html" and _ANY_TAG.search(head):
        return "text/html"
    # The name breaks the tie between texts; a name that claims HTML or a binary format was refuted above.
    if _is_text(claim) and claim != "text/html":
        return claim
    return "text/plain" if media_type == UNKNOWN else media_type


def _container(path: Path, media_type: str, claim: str) -> str:
    """Old Office formats share one container, which the model tells apart only when the file is large enough."""
    office = {"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"}
    if media_type in {*office, *_OLE, _OUTLOOK} and (_is_outlook(path) or media_type == _OUTLOOK):
        return _OUTLOOK if _is_outlook(path) else "application/x-ole-storage"
    if media_type in _OLE and claim in office:
        return claim
    return media_type


def _is_outlook(path: Path) -> bool:
    """Whether a compound file has a message's own folder entry, and no document's."""
    with path.open("rb") as file:
        if file.read(8) != b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(_OUTLOOK_ENTRY) >= 0 and all(
                content.find(other) < 0 for other in _OFFICE_ENTRIES
            )


def _is_text(media_type: str) -> bool:
    if media_type.startswith(("text/", "message/")):
        return True
    return media_type in _text_types() or media_type in {"application/mbox", "application/x-subrip"}


def _readable(head: bytes, claim: str) -> bool:
    """Whether bytes that the model does not know are text: by the look of them and, in doubt, by the name."""
    if _is_text(claim):
        return not _binary(head)
    if head.startswith(_UTF16):
        return True
    try:
        # The last character may be cut by the end of the head.
        head[:-4].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not head.translate(None, bytes(set(range(256)) - set(_CONTROL)))


def _narrow(head: bytes) -> bytes:
    return head.decode("utf-16", errors="ignore").encode() if head.startswith(_UTF16) else head


def _binary(head: bytes) -> bool:
    if head.startswith(_UTF16):  # Full of zero bytes.
        return False
    return len(head) - len(head.translate(None, _CONTROL)) > _MOST_CONTROL * len(head)


@functools.cache
def _model() -> "Magika":
    from magika import Magika  # Loads ONNX Runtime and its model; processes that detect nothing need neither.

    return Magika()


@functools.cache
def _model_names() -> dict[str, str]:
    # Among the types that share a media type the first described wins; all are honest names.
    names: dict[str, str] = {}
    for info in _model_types():
        names.setdefault(str(info["mime_type"]), str(info["description"]))
    return names


@functools.cache
def _text_types() -> frozenset[str]:
    # An SVG is text to the model, and a picture to everybody else.
    texts = frozenset(str(info["mime_type"]) for info in _model_types() if info["is_text"])
    return texts - {UNKNOWN, "image/svg+xml"}


def _model_types() -> list[dict[str, object]]:
    # The list beside the model, found without importing the package, which would load ONNX Runtime.
    package = importlib.util.find_spec("magika")
    if package is None or package.origin is None:
        return []
    listing = Path(package.origin).parent / "config" / "content_types_kb.min.json"
    return list(json.loads(listing.read_text(encoding="utf-8")).values())
