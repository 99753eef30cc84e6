"""Which messages are in a mailbox? Each is a member; the mailbox itself is found by their subjects."""

import email.parser
import hashlib
import io
import mmap
import re
from collections.abc import Iterator
from functools import partial

from workers.extract.archive import listing
from workers.extract.assemble import Assembly
from workers.extract.base import Extraction, ExtractionError, Source
from workers.extract.mail import header, message_name
from workers.extract.members import Unpacking

# The line that begins a message, after a blank one or at the beginning. Its own text varies between programs.
_FROM = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\n]{1,1000}\n")
# How a line of the text is told from it: RFC 4155's readers and writers agree on one ">" more.
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)
# Subject, date and Message-ID stand within it, unless dozens of relays signed before.
_HEADERS_BYTES = 32 * 1024


def extract(source: Source) -> Extraction:
    if source.path.stat().st_size == 0:
        raise ExtractionError("empty_file")
    assembly = Assembly(source.scratch)
    unpacking = Unpacking(source, assembly)
    with source.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as box:
        for start, end in _messages(box):
            if unpacking.full:
                break
            name = _name(box[start : min(end, start + _HEADERS_BYTES)])
            unpacking.offer(name, end - start, partial(_content, box, start, end))
    return listing(source, assembly, unpacking)


def _messages(box: mmap.mmap) -> Iterator[tuple[int, int]]:
    start = None
    for line in _FROM.finditer(box):
        if start is not None and line.start() > start:
            yield start, line.start()
        start = line.end()
    if start is not None and start < len(box):
        yield start, len(box)


def _name(head: bytes) -> str:
    """The same when other messages come and go: by its subject and its headers, not by its number."""
    headers = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    subject = header(email.parser.BytesHeaderParser().parsebytes(headers), "subject")
    name = message_name(subject).removesuffix(".eml")
    return f"{name} [{hashlib.sha256(headers).hexdigest()[:8]}].eml"


def _content(box: mmap.mmap, start: int, end: int) -> io.BytesIO:
    return io.BytesIO(_ESCAPED.sub(rb"\1", box[start:end]))
