"""What does a table in a text file (CSV, TSV) say? Its rows, each cell with its column's name."""

import csv
import io
from collections.abc import Iterator

from workers.extract import limits
from workers.extract.assemble import Assembly
from workers.extract.base import Extraction, Source
from workers.extract.sheets import Sheets
from workers.extract.text import read_text

_DELIMITERS = (",", "\t", ";", "|")
# Enough rows to see which character comes as often in each.
_SAMPLE_CHARACTERS = 64 * 1024
_SAMPLE_ROWS = 50


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    text = read_text(source, assembly)
    preferred = "\t" if source.media_type == "text/tab-separated-values" else ","
    delimiter = _delimiter(text[:_SAMPLE_CHARACTERS], preferred)
    csv.field_size_limit(limits.MAX_TEXT_CHARACTERS)
    Sheets(assembly).add("", None, _rows(text, delimiter))
    return assembly.finish()


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error:
        # A quote that is never closed swallows the rest: what stands after the last good line is read line by line.
        for line in text.splitlines()[reader.line_num - 1 :]:
            yield line.split(delimiter)


def _delimiter(sample: str, preferred: str) -> str:
    """The character that parts most rows into the same number of columns; csv.Sniffer takes letters for one."""
    best, best_score = preferred, 0.0
    for delimiter in (preferred, *_DELIMITERS):
        try:
            rows = [row for row in csv.reader(io.StringIO(sample), delimiter=delimiter) if row][:_SAMPLE_ROWS]
        except csv.Error:
            continue
        widths = [len(row) for row in rows]
        usual = max(set(widths), key=widths.count, default=1)
        score = widths.count(usual) / len(widths) if usual > 1 else 0.0
        if score > best_score + 0.05:
            best, best_score = delimiter, score
    return best
