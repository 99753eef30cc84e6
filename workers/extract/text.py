"""What does a plain text file say? Its paragraphs, in whichever encoding they are."""

import re
from collections.abc import Callable

from workers.extract import limits
from workers.extract.assemble import Assembly
from workers.extract.base import Extraction, ExtractionError, Source
from workers.extract.charset import decode

_BLANK_LINES = re.compile(r"\n[ \t\u3000]*\n\s*")


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    text = read_text(source, assembly)
    add_paragraphs(text, assembly)
    return assembly.finish()


def add_paragraphs(text: str, assembly: Assembly) -> None:
    for paragraph in _BLANK_LINES.split(text):
        assembly.add(paragraph)


def read_text(source: Source, assembly: Assembly, *, stated: Callable[[bytes], str] = lambda _: "") -> str:
    """The file's text with plain line ends; what was lost or guessed is warned of.

    `stated` finds the encoding that the bytes name themselves. Raises ExtractionError for an empty file.
    """
    with source.path.open("rb") as file:
        data = file.read(limits.MAX_TEXT_BYTES + 1)
    if not data:
        raise ExtractionError("empty_file")
    if len(data) > limits.MAX_TEXT_BYTES:
        data = data[: limits.MAX_TEXT_BYTES]
        assembly.warn("text_capped", "")
    decoded = decode(data, stated=stated(data))
    if decoded.guessed:
        assembly.warn(
            "encoding_guessed", f"The text's encoding is not stated; it was read as {decoded.encoding}."
        )
    if decoded.replaced:
        assembly.warn("bytes_replaced", "")
    # NUL and its like are dropped here, so that a file of nothing else counts as empty.
    text = decoded.text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").replace("\ufeff", "")
    if not text.strip():
        raise ExtractionError("empty_file")
    return text
