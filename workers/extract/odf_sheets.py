"""What do the sheets of an OpenDocument spreadsheet say? Read as a stream, a row in memory at a time."""

from collections.abc import Iterator
from typing import IO, Any

from lxml import etree

from workers.extract import limits, markup
from workers.extract.assemble import Assembly
from workers.extract.base import ExtractionError
from workers.extract.odf_pictures import Carrier
from workers.extract.odf_text import Reader
from workers.extract.odf_words import note, outermost, rows_of
from workers.extract.sheets import Sheets


def read(content: IO[bytes], carrier: Carrier, assembly: Assembly) -> int:
    """The number of sheets. Raises ExtractionError."""
    events = iter(markup.stream(content, ("{*}table", "{*}table-row", "{*}shapes")))
    sheets, reader = Sheets(assembly), Reader(None, carrier, assembly)
    number = 0
    try:
        for event, element in events:
            if event == "start" and markup.local(element) == "table":
                number += 1
                if number > limits.MAX_SHEETS:
                    assembly.warn("pages_capped", "")
                    break
                rows = _rows(events, reader, assembly, number)
                sheets.add(markup.attribute(element, "name"), number, rows)
                for _ in rows:
                    pass  # What the caps left over: the next sheet follows it.
    except etree.XMLSyntaxError as error:
        if not number:
            raise ExtractionError("corrupt") from error
        assembly.warn(
            "page_unreadable", f"The file is damaged in sheet {number}; what stands before it is searchable."
        )
    return min(number, limits.MAX_SHEETS)


def _rows(events: Iterator[Any], reader: Reader, assembly: Assembly, number: int) -> Iterator[list[str]]:
    """The rows up to the end of the table that has just begun; comments and pictures are taken in on the way."""
    depth = 1
    for event, element in events:
        name = markup.local(element)
        if name == "table":
            depth += 1 if event == "start" else -1
            if not depth:
                return
        elif event == "end" and depth == 1:
            if name == "table-row":
                yield from rows_of(element)
            for comment in outermost(element, "annotation"):
                assembly.add(note(comment), "note", number)
            reader.frames(element, number)
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
