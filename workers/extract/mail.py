"""What does a message say? Who wrote to whom, when and about what; its body; and its attachments as members.

A message inside a message is a member, too, so how deep messages nest is not this parser's concern.
"""

import base64
import binascii
import dataclasses
import email
import io
import mimetypes
import re
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.header import Header, decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from workers.extract import limits, ocr
from workers.extract.assemble import Assembly, one_line
from workers.extract.base import Extraction, ExtractionError, Source
from workers.extract.charset import decode
from workers.extract.figures import add_bytes
from workers.extract.html import add_fragment
from workers.extract.members import Unpacking
from workers.extract.text import add_paragraphs

# Pictures in the text are read.
warm = ocr.warm

_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Of one header, unfolded: a thousand addresses.
_LONGEST_HEADER = 50_000
_LONGEST_STEM = 80
_CID = re.compile(r"cid:([^\"'\s<>()]+)", re.IGNORECASE)
_FOLD = re.compile(r"\r?\n[ \t]*")
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f/\\:*?"<>|]+')
# Proofs, which say nothing to a reader.
_SIGNATURES = {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
_SEALED = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
# What generators of messages raise on parts that the parser accepted: headers of no charset, payloads of no text.
_UNWRITABLE = (MessageError, UnicodeError, LookupError, TypeError, ValueError, AttributeError)


def extract(source: Source) -> Extraction:
    size_bytes = source.path.stat().st_size
    if size_bytes == 0:
        raise ExtractionError("empty_file")
    if size_bytes > limits.MAX_MESSAGE_BYTES:
        raise ExtractionError(
            "too_large", "The message is larger than the limit. Save its attachments by themselves."
        )
    data = source.path.read_bytes()
    if data.startswith(_WIDE_MARKS) or data[1:200:2].count(0) > 90:
        data = data.decode(
            "utf-16" if data.startswith(_WIDE_MARKS) else "utf-16-le", errors="replace"
        ).encode()
    return read(email.message_from_bytes(data.lstrip(b"\xef\xbb\xbf\r\n")), source)


def read(message: "Message[str, str]", source: Source) -> Extraction:
    """The message, however it was stored."""
    assembly = Assembly(source.scratch)
    unpacking = Unpacking(source, assembly)
    parts = _Parts()
    parts.sort(message)
    metadata = _headers(message, assembly)
    _body(parts, assembly)
    for attachment in parts.attachments:
        _attach(attachment, unpacking)
    if source.part:
        return Extraction(members=unpacking.members, parts=unpacking.parts)
    if parts.sealed:
        assembly.warn("encrypted", "The message is encrypted: only its headers are searchable.")
    if unpacking.names:
        assembly.add("\n".join(unpacking.names), "list")
    return dataclasses.replace(
        assembly.finish(), members=unpacking.members, parts=unpacking.parts, metadata=metadata
    )


@dataclass(slots=True)
class _Parts:
    """A message's leaves by what they are for."""

    # By alternative: the forms that one text comes in. A text without alternatives stands alone.
    texts: list[dict[str, "Message[str, str]"]] = field(default_factory=list)
    pictures: list["Message[str, str]"] = field(default_factory=list)
    attachments: list["Message[str, str]"] = field(default_factory=list)
    sealed: bool = False

    def sort(self, part: "Message[str, str]", forms: dict[str, "Message[str, str]"] | None = None) -> None:
        kind = part.get_content_type()
        inside = _inside(part)
        if part.get_content_maintype() == "multipart" and inside:
            self.sealed |= kind == "multipart/encrypted"
            if kind == "multipart/alternative":
                forms = {}
                self.texts.append(forms)
            for child in inside:
                # A second text beside the alternatives' own is no form of theirs.
                self.sort(child, forms if kind in ("multipart/alternative", "multipart/related") else None)
            return
        if kind in _SIGNATURES:
            return
        self.sealed |= kind in _SEALED
        if part.get_content_disposition() != "attachment" and not part.get_filename():
            if kind in ("text/plain", "text/html"):
                if forms is None:
                    self.texts.append({kind: part})
                else:
                    forms.setdefault(kind, part)
                return
            if forms is not None and kind.startswith("text/"):
                return  # A form for some other program: for calendars, for watches.
            if kind == "message/delivery-status" and inside:
                self.texts.extend({"text/plain": child} for child in inside)
                return
        if kind.startswith("image/") and (part["Content-ID"] or part.get_content_disposition() == "inline"):
            self.pictures.append(part)
        else:
            self.attachments.append(part)


def _inside(part: "Message[str, str]") -> list["Message[str, str]"]:
    """The parts that the part consists of; none when it is a leaf."""
    inside = part.get_payload()
    return [child for child in inside if isinstance(child, Message)] if isinstance(inside, list) else []


def _headers(message: "Message[str, str]", assembly: Assembly) -> dict[str, str]:
    """Tells the headers as the text's beginning; returns what is kept of them as metadata."""
    subject = one_line(header(message, "subject"))
    senders, to, cc = (_addresses(message, name) for name in ("from", "to", "cc"))
    sent = _moment(header(message, "date"))
    assembly.title = subject
    assembly.heading(subject, 1)
    told = {"From": senders, "To": to, "Cc": cc, "Date": sent.strftime("%Y-%m-%d %H:%M") if sent else ""}
    assembly.add("\n".join(f"{name}: {value}" for name, value in told.items() if value), "note")
    kept = {
        "from": senders,
        "to": to,
        "cc": cc,
        "sent_at": sent.isoformat() if sent else "",
        "author": senders,
    }
    return {name: value for name, value in kept.items() if value}


def header(message: "Message[str, str]", name: str) -> str:
    """The header in plain characters; empty when there is none."""
    for key, value in message.raw_items():
        if key.lower() == name:
            return _plain(value)
    return ""


def _plain(value: str | Header) -> str:
    if isinstance(value, Header):
        return str(value)
    text = _FOLD.sub(" ", value[:_LONGEST_HEADER])
    if not text.isascii():
        # Bytes as they came, which the parser keeps as halves of surrogate pairs.
        text = decode(text.encode("utf-8", "surrogateescape")).text
    try:
        pieces = decode_header(text)
    except (MessageError, ValueError):
        return text
    return "".join(
        piece if isinstance(piece, str) else decode(piece, stated=charset or "").text
        for piece, charset in pieces
    )


def _addresses(message: "Message[str, str]", name: str) -> str:
    found = []
    for key, value in message.raw_items():
        if key.lower() == name:
            # Taken apart before names are decoded: a decoded name may hold a comma.
            raw = str(value)[:_LONGEST_HEADER] if isinstance(value, str) else str(value)
            found += getaddresses([_FOLD.sub(" ", raw)])
    told = [
        one_line(f"{_plain(person)} <{address}>" if person and address else _plain(person) or _plain(address))
        for person, address in found[: limits.MAX_ADDRESSES]
        if person or address
    ]
    more = len(found) - limits.MAX_ADDRESSES
    return ", ".join(told) + (f", … (+{more})" if more > 0 else "")


def _moment(written: str) -> datetime | None:
    for read_date in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return read_date(written.strip())
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _body(parts: _Parts, assembly: Assembly) -> None:
    pictures = {_content_id(part): part for part in parts.pictures}
    shown: set[str] = set()
    for forms in parts.texts:
        plain = _text(forms["text/plain"]) if "text/plain" in forms else ""
        if plain.strip():
            add_paragraphs(plain, assembly)
        elif "text/html" in forms:
            add_fragment(_with_pictures(_text(forms["text/html"]), pictures, shown), assembly)
    for part in parts.pictures:
        if _content_id(part) not in shown:
            add_bytes(_bytes(part), assembly=assembly)


def _content_id(part: "Message[str, str]") -> str:
    return str(part["Content-ID"] or "").strip("<> \t\r\n")


def _text(part: "Message[str, str]") -> str:
    stated = part.get_content_charset("") or ""
    return decode(_bytes(part), stated=stated).text.replace("\r\n", "\n").replace("\r", "\n")


def _with_pictures(markup: str, pictures: "dict[str, Message[str, str]]", shown: set[str]) -> str:
    """With the pictures that came along in the places where the text shows them."""

    def embed(found: re.Match[str]) -> str:
        part = pictures.get(found[1])
        if part is None:
            return ""
        if found[1] in shown:
            return found[0]  # Once is enough: a rule under every paragraph.
        shown.add(found[1])
        return "data:image/x;base64," + base64.b64encode(_bytes(part)).decode()

    return _CID.sub(embed, markup)


def _bytes(part: "Message[str, str]") -> bytes:
    try:
        content = part.get_payload(decode=True)
    except _UNWRITABLE:
        content = None
    if isinstance(content, bytes):
        return content
    # Not multipart, although it says so: its text is all there is.
    inside = part.get_payload()
    return inside.encode("utf-8", "surrogateescape") if isinstance(inside, str) else b""


def _attach(part: "Message[str, str]", unpacking: Unpacking) -> None:
    inside = _inside(part)
    if part.get_content_type() == "message/rfc822" and inside:
        content = _whole(inside[0], part)
        name = _file_name(part) or message_name(header(inside[0], "subject"))
    else:
        content = _bytes(part)
        name = _file_name(part) or _made_up_name(part)
    if content is None:
        unpacking.fail(name, "corrupt")
    else:
        unpacking.offer(name, len(content), lambda: io.BytesIO(content))


def _whole(message: "Message[str, str]", around: "Message[str, str]") -> bytes | None:
    """The bytes of a message that is a part; None when they cannot be written."""
    try:
        if str(around["Content-Transfer-Encoding"]).strip().lower() == "base64":
            # Not allowed, and done: the parser took the letters for a message without headers.
            return base64.b64decode(str(message.get_payload()))
        return message.as_bytes()
    except (*_UNWRITABLE, binascii.Error):
        return None


def _file_name(part: "Message[str, str]") -> str:
    """Its last component: where it lay on the sender's disk is nobody's business."""
    name = one_line(_plain(part.get_filename() or ""))
    return re.split(r"[/\\]", name)[-1].strip(". ")


def message_name(subject: str) -> str:
    stem = one_line(_NOT_IN_NAMES.sub(" ", subject))[:_LONGEST_STEM].strip(". ")
    return f"{stem or 'message'}.eml"


def _made_up_name(part: "Message[str, str]") -> str:
    return "attachment" + (mimetypes.guess_extension(part.get_content_type()) or "")
