"""What does an Outlook message say? It is rewritten as the message it once was, and read as one.

[MS-OXMSG]: a compound file in which each property is a stream named by its tag, each receiver and attachment a
storage, and a message inside a message a storage in an attachment.
"""

import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import encoders
from email.header import Header
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr

import compressed_rtf
import olefile
from striprtf.striprtf import rtf_to_text

from workers.extract import limits, ocr
from workers.extract.base import Extraction, ExtractionError, Source
from workers.extract.charset import decode
from workers.extract.mail import header, message_name, read

# Pictures in the text are read.
warm = ocr.warm

_PROPERTIES = "__properties_version1.0"
# Bytes before the first property, by what the properties are of ([MS-OXMSG] 2.4.1).
_TOP, _EMBEDDED, _PART = 32, 24, 8
_UNICODE, _STRING8, _BINARY = "001F", "001E", "0102"
# Property ids ([MS-OXPROPS]).
_SUBJECT, _HEADERS, _BODY, _RTF, _HTML = "0037", "007D", "1000", "1009", "1013"
_SENDER, _SENDER_ADDRESS, _SENDER_SMTP, _SHOWN_TO, _SHOWN_CC = "0C1A", "0C1F", "5D01", "0E04", "0E03"
_SUBMITTED, _DELIVERED, _RECEIVER_TYPE, _NAME, _ADDRESS, _SMTP = (
    0x0039,
    0x0E06,
    0x0C15,
    "3001",
    "3003",
    "39FE",
)
_CODE_PAGE, _INTERNET_CODE_PAGE = 0x3FFD, 0x3FDE
_DATA, _LONG_NAME, _SHORT_NAME, _MIME, _CONTENT_ID, _ATTACH_METHOD = (
    "3701",
    "3707",
    "3704",
    "370E",
    "3712",
    0x3705,
)
_AS_OLE = 6
# What olefile raises on damaged compound files.
_DAMAGE = (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff]")
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def extract(source: Source) -> Extraction:
    if source.path.stat().st_size > limits.MAX_MESSAGE_BYTES:
        raise ExtractionError(
            "too_large", "The message is larger than the limit. Save its attachments by themselves."
        )
    try:
        with olefile.OleFileIO(str(source.path)) as file:
            message = _Storage(file, [], _TOP).message(depth=0)
    except _DAMAGE as error:
        raise ExtractionError("corrupt") from error
    return read(message, source)


class _Storage:
    """A folder of the compound file that has properties."""

    def __init__(
        self, file: olefile.OleFileIO, path: list[str], header_bytes: int, encoding: str = "cp1252"
    ) -> None:
        self._file = file
        self._path = path
        raw = self._stream(_PROPERTIES)[header_bytes:]
        self._fixed = {
            tag >> 16: value for tag, _flags, value in struct.iter_unpack("<IIQ", raw[: len(raw) // 16 * 16])
        }
        page = self._fixed.get(_INTERNET_CODE_PAGE, self._fixed.get(_CODE_PAGE, 0)) & 0xFFFFFFFF
        self._encoding = {0: encoding, 65001: "utf-8", 936: "gb18030", 54936: "gb18030"}.get(
            page, f"cp{page}"
        )

    def message(self, *, depth: int) -> "Message[str, str]":
        """As an Internet message, attachments included."""
        message = MIMEMultipart("mixed")
        for name, value in self._addressed().items():
            if value:
                message[name] = value
        body, kind = self._body()
        if body:
            message.attach(MIMEText(_UNPRINTABLE.sub("", body), kind, "utf-8"))
        for folder in self._folders("__attach_version1.0_#"):
            attachment = _Storage(self._file, [*self._path, folder], _PART, self._encoding)._attachment(depth)
            if attachment is not None:
                message.attach(attachment)
        return message

    def _addressed(self) -> dict[str, str]:
        sender = self._text(_SENDER_SMTP) or self._text(_SENDER_ADDRESS)
        receivers = self._receivers()
        sent = self._moment(_SUBMITTED) or self._moment(_DELIVERED)
        return {
            "Subject": _encoded(self._text(_SUBJECT)),
            "From": _address(self._text(_SENDER), sender),
            "To": receivers.get(1) or _encoded(self._text(_SHOWN_TO)),
            "Cc": receivers.get(2) or _encoded(self._text(_SHOWN_CC)),
            "Date": format_datetime(sent) if sent else _encoded(self._transported("date")),
        }

    def _transported(self, name: str) -> str:
        found = re.search(rf"^{name}:\s*(.+)$", self._text(_HEADERS), re.IGNORECASE | re.MULTILINE)
        return found[1].strip() if found else ""

    def _receivers(self) -> dict[int, str]:
        by_type: dict[int, list[str]] = {}
        for folder in self._folders("__recip_version1.0_#"):
            receiver = _Storage(self._file, [*self._path, folder], _PART, self._encoding)
            address = receiver._text(_SMTP) or receiver._text(_ADDRESS)
            told = _address(receiver._text(_NAME), address)
            if told:
                by_type.setdefault(receiver._fixed.get(_RECEIVER_TYPE, 1) & 0xF, []).append(told)
        return {kind: ", ".join(told) for kind, told in by_type.items()}

    def _body(self) -> tuple[str, str]:
        """The text, and which kind of text it is."""
        if (plain := self._text(_BODY)).strip():
            return plain, "plain"
        if markup := self._text(_HTML) or decode(self._binary(_HTML), stated=self._encoding).text:
            return markup, "html"
        if packed := self._binary(_RTF):
            # Dropping what RTF marks as skippable also drops the tags of HTML that hides in RTF.
            text: str = rtf_to_text(  # type: ignore[no-untyped-call]
                compressed_rtf.decompress(packed).decode("cp1252", "replace"), errors="ignore"
            )
            return text, "plain"
        return "", "plain"

    def _attachment(self, depth: int) -> "Message[str, str] | None":
        name = self._text(_LONG_NAME) or self._text(_SHORT_NAME)
        inner = f"__substg1.0_{_DATA}000D"
        if self._file.exists([*self._path, inner]):
            if self._fixed.get(_ATTACH_METHOD, 0) & 0xF == _AS_OLE or depth >= limits.MAX_DEPTH:
                return None  # A live object of some program; its picture is in the body.
            message = _Storage(self._file, [*self._path, inner], _EMBEDDED, self._encoding).message(
                depth=depth + 1
            )
            part: Message[str, str] = MIMEBase("message", "rfc822")
            part.attach(message)
            name = message_name(name or header(message, "subject"))
        else:
            major, _, minor = (self._text(_MIME) or "application/octet-stream").partition("/")
            if major in ("multipart", "message"):
                major, minor = "application", "octet-stream"
            part = MIMEBase(major, minor or "octet-stream")
            part.set_payload(self._binary(_DATA))
            encoders.encode_base64(part)
            if content_id := self._text(_CONTENT_ID):
                part["Content-ID"] = _encoded(f"<{content_id}>")
        part.add_header(
            "Content-Disposition", "attachment", filename=("utf-8", "", _UNPRINTABLE.sub("", name))
        )
        return part

    def _folders(self, prefix: str) -> Iterator[str]:
        depth = len(self._path)
        names = {
            entry[depth]
            for entry in self._file.listdir(streams=False, storages=True)
            if len(entry) == depth + 1 and entry[:depth] == self._path and entry[depth].startswith(prefix)
        }
        yield from sorted(names)

    def _text(self, tag: str) -> str:
        if wide := self._stream(f"__substg1.0_{tag}{_UNICODE}"):
            return wide.decode("utf-16-le", "replace").rstrip("\0")
        narrow = self._stream(f"__substg1.0_{tag}{_STRING8}")
        return decode(narrow, stated=self._encoding).text.rstrip("\0") if narrow else ""

    def _binary(self, tag: str) -> bytes:
        return self._stream(f"__substg1.0_{tag}{_BINARY}")

    def _stream(self, name: str) -> bytes:
        path = [*self._path, name]
        if not self._file.exists(path) or self._file.get_type(path) != olefile.STGTY_STREAM:
            return b""
        content: bytes = self._file.openstream(path).read()
        return content

    def _moment(self, tag: int) -> datetime | None:
        try:
            # Tenths of microseconds since 1601.
            return _EPOCH + timedelta(microseconds=self._fixed[tag] // 10) if tag in self._fixed else None
        except OverflowError:
            return None


def _encoded(text: str) -> str:
    text = _UNPRINTABLE.sub(" ", text).replace("\n", " ").strip()
    return text if text.isascii() else Header(text, "utf-8").encode(maxlinelen=0)


def _address(name: str, address: str) -> str:
    """As a header spells it: in ASCII, the name encoded where it must be."""
    name = _UNPRINTABLE.sub(" ", name).replace("\n", " ").strip().strip("'\"")
    # Inside one organisation the address is a directory path, which tells nobody anything.
    if "@" not in address or not address.isascii() or _UNPRINTABLE.search(address):
        return Header(name, "utf-8").encode(maxlinelen=0) if name else ""
    return formataddr(("" if name == address else name, address))
