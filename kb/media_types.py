"""What is this file really? Found in its bytes; its name only tells one kind of plain text from another."""

import functools
import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from kb import containers
from kb.containers import ENCRYPTED_PACKAGE
from kb.formats import CLAIMS, NAMES, SPELLING

# Under this module's name too: who asks what a file is asks what is read.
from kb.formats import EMPTY as EMPTY
from kb.formats import SUPPORTED as SUPPORTED
from kb.formats import UNKNOWN as UNKNOWN

if TYPE_CHECKING:
    from magika import Magika

# Enough for every signature below, and for the HTML prologues people write.
_HEAD_BYTES = 4096
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

# Signatures that no other format shares. Containers (ZIP, OLE2) are told by what they hold (kb/containers.py).
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
    (4, b"ftypM4B", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (8, b"AVI LIST", "video/x-msvideo"),
    (8, b"WAVE", "audio/wav"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"\xffWPC", "application/vnd.wordperfect"),
    (0, b"HWP Document File", "application/x-hwp"),
    (0, b"\x31\xbe\x00\x00\x00\xab", "application/x-mswrite"),
    (0, b"\x32\xbe\x00\x00\x00\xab", "application/x-mswrite"),
    # A worksheet's first record with its version: Lotus 1-2-3, Works and Quattro Pro share the form.
    (0, b"\x00\x00\x02\x00\x04\x04", "application/vnd.lotus-1-2-3"),
    (0, b"\x00\x00\x02\x00\x06\x04", "application/vnd.lotus-1-2-3"),
    (0, b"\x00\x00\x1a\x00\x00\x10", "application/vnd.lotus-1-2-3"),
    (0, b"\x00\x00\x1a\x00\x02\x10", "application/vnd.lotus-1-2-3"),
    (0, b"\x00\x00\x1a\x00\x03\x10", "application/vnd.lotus-1-2-3"),
    (0, b"\x00\x00\x1a\x00\x05\x10", "application/vnd.lotus-1-2-3"),
    (0, b"\xff\x00\x02\x00\x04\x04", "application/vnd.lotus-1-2-3"),
    (0, b"\x00\x00\x02\x00\x20\x51", "application/x-quattro-pro"),
    (0, b"\x00\x00\x02\x00\x21\x51", "application/x-quattro-pro"),
    (0, b"\x00\x00\x02\x00\x01\x10", "application/x-quattro-pro"),
    (0, b"\x00\x00\x02\x00\x02\x10", "application/x-quattro-pro"),
    # Excel 2 to 4: a workbook was one bare stream.
    (0, b"\x09\x00\x04\x00", "application/vnd.ms-excel"),
    (0, b"\x09\x02\x06\x00", "application/vnd.ms-excel"),
    (0, b"\x09\x04\x06\x00", "application/vnd.ms-excel"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (257, b"ustar", "application/x-tar"),
    (0, b"\x7fELF", "application/x-executable"),
)
# The first line of a WebVTT file is the word, alone or before a blank.
_WEBVTT = (b"WEBVTT\n", b"WEBVTT\r", b"WEBVTT ", b"WEBVTT\t")
# These letters at offset 8 count only in a RIFF container; WAVE and WEBP are words, too.
_IN_RIFF = {b"WEBP", b"AVI LIST", b"WAVE"}

_BMP_HEADERS = {size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124)}


# What may stand before a root element. Possessive: a thousand comments must not be tried in a thousand ways.
_PROLOGUE = rb"(?>\s+|<!--.*?-->|<\?xml[^>]*>)*+"
_HTML_START = re.compile(_PROLOGUE + rb"<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL)
# The line that begins each message of a mailbox, and the headers below it.
_MBOX_START = re.compile(rb"From [^\r\n]+\r?\n[!-9;-~]+:[ \t]")
_SVG_START = re.compile(
    _PROLOGUE + rb"(?:<!DOCTYPE\s+svg[^>\[]*+(?:\[.*?\]\s*)?>)?" + _PROLOGUE + rb"<svg[\s>]",
    re.IGNORECASE | re.DOTALL,
)
# OpenDocument as one XML file (FODT, FODS, FODP) names its type at its root.
_FLAT_OPEN = re.compile(
    rb"<office:document\s[^<>]*office:mimetype=[\"'](application/vnd\.oasis\.opendocument\.[a-z-]+)",
    re.DOTALL,
)
_ANY_TAG = re.compile(
    rb"<(?:p|div|span|body|head|table|h[1-6]|ul|ol|a|br|b|i|img|title|meta)\b[^<>]*>", re.IGNORECASE
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# Control characters that no text has. ESC stays: terminal logs carry colours.
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 27})
_ALWAYS_SIGNED = {
    f"image/{kind}" for kind in ("png", "jpeg", "webp", "gif", "bmp", "tiff", "heic", "avif")
} | {"application/gzip", "application/x-xz", "application/x-7z-compressed", "application/zstd"}
# Groups of the model whose texts are read as they stand, less those that hold something else than words for people.
_WORDED = ("code", "text")
_NO_WORDS = {"application/pgp-signature", "application/x-mimearchive", "text/rtf"}
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
    claim = CLAIMS.get(PurePosixPath(name).suffix[1:].lower(), "")
    media_type = _by_signature(head) or _by_content(path, head, claim)
    agrees = (
        not claim or claim == media_type or (_is_text(claim) and _is_text(media_type)) or media_type == EMPTY
    )
    # A password puts another container around the same document.
    is_office = claim.startswith(("application/vnd.", "application/ms"))
    agrees = agrees or (media_type == ENCRYPTED_PACKAGE and is_office)
    return Detected(media_type, agrees)


def kind_of(media_type: str) -> Literal["document", "image", "video"]:
    """Which kind of asset holds such a file."""
    if media_type.startswith("image/"):
        return "image"
    return "video" if media_type.startswith("video/") else "document"


def describe(media_type: str) -> str:
    """The format's name for people."""
    known = NAMES.get(media_type) or _model_names().get(media_type)
    return known or media_type


def _by_signature(head: bytes) -> str:
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        # EBML names its document type in the first element: WebM is a subset of Matroska.
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head.startswith(b"OggS") and b"\x80theora" in head:
        return "video/ogg"
    if head.removeprefix(b"\xef\xbb\xbf").startswith(_WEBVTT):
        return "text/vtt"
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


def _by_content(path: Path, head: bytes, claim: str) -> str:
    if not head:
        return EMPTY
    if head.startswith(_ZIP_STARTS):
        return containers.zip_type(path, claim)
    if head.startswith(_OLE_START):
        return containers.ole_type(path, claim)
    return _by_model(path, head, claim)


def _by_model(path: Path, head: bytes, claim: str) -> str:
    found = _model().identify_path(path).output
    media_type = SPELLING.get(found.mime_type, found.mime_type) or UNKNOWN
    # The model calls text in rarer encodings (GB18030, UTF-16) unknown; so does it small binary files.
    if not found.is_text and not (media_type == UNKNOWN and _readable(head, claim)):
        # These have signatures; without one, the model saw a likeness.
        return UNKNOWN if media_type in _ALWAYS_SIGNED else media_type
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
    if flat := _FLAT_OPEN.search(head):
        return containers.without_form(flat[1].decode("ascii"))
    # The name breaks the tie between texts; a name that claims HTML or a binary format was refuted above.
    if _is_text(claim) and claim != "text/html":
        media_type = claim
    return "text/plain" if media_type == UNKNOWN or media_type in _read_as_text() else media_type


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


@functools.cache
def _read_as_text() -> frozenset[str]:
    """Source code, configuration and the like, which people search for by the words in it."""
    texts = {
        str(info["mime_type"]) for info in _model_types() if info["is_text"] and info["group"] in _WORDED
    }
    return frozenset(texts | {"text/calendar", "text/gettext-translation"}) - SUPPORTED - _NO_WORDS


def _model_types() -> list[dict[str, object]]:
    # The list beside the model, found without importing the package, which would load ONNX Runtime.
    package = importlib.util.find_spec("magika")
    if package is None or package.origin is None:
        return []
    listing = Path(package.origin).parent / "config" / "content_types_kb.min.json"
    return list(json.loads(listing.read_text(encoding="utf-8")).values())
