"""What do the elements of an OpenDocument file say? Paragraphs, cells and notes as plain words."""

from collections.abc import Iterator

from workers.extract import markup
from workers.extract.markup import Element

# Columns or rows that one cell may stand for, before it is the padding that fills a sheet to its edge.
_MAX_REPEATED = 50


def cells(row: Element) -> Iterator[str]:
    for cell in row:
        if markup.local(cell) in {"table-cell", "covered-table-cell"}:
            words = _cell(cell)
            for _ in range(repeated(cell, "number-columns-repeated")):
                yield words


def _cell(cell: Element) -> str:
    shown = "\n".join(words_of(item) for item in cell if markup.local(item) in {"p", "h", "list", "section"})
    return shown or markup.attribute(cell, "date-value") or markup.attribute(cell, "value")


def repeated(element: Element, name: str) -> int:
    value = markup.attribute(element, name)
    return min(int(value), _MAX_REPEATED) if value.isdecimal() and int(value) else 1


def words_of(element: Element) -> str:
    """The words of a paragraph, or of all paragraphs inside; not those of frames and notes in it."""
    parts: list[str] = []
    _collect(element, parts)
    return "".join(parts)


def _collect(element: Element, parts: list[str]) -> None:
    parts.append(element.text or "")
    for item in element:
        name = markup.local(item)
        if name == "s":
            parts.append(" ")
        elif name == "tab":
            parts.append("\t")
        elif name == "line-break":
            parts.append("\n")
        elif name not in {"frame", "note", "annotation", "ruby-text", "title", "desc"}:
            _collect(item, parts)
            if name in {"p", "h"}:
                parts.append("\n")
        parts.append(item.tail or "")


def outermost(element: Element, *names: str) -> list[Element]:
    """Elements of these names inside, none of them within another."""
    found = []
    for item in element:
        if markup.local(item) in names:
            found.append(item)
        else:
            found += outermost(item, *names)
    return found


def note(element: Element) -> str:
    """A footnote's or a comment's words, the latter with its author."""
    author = markup.child(element, "creator")
    words = "\n".join(words_of(item) for item in markup.descendants(element, "p"))
    return f"{author.text}: {words}" if author is not None and author.text and words.strip() else words


def rows_of(row: Element) -> Iterator[list[str]]:
    """The rows that one row element stands for: as many as it repeats, or one when it is blank."""
    found = list(cells(row))
    yield found
    for _ in range(repeated(row, "number-rows-repeated") - 1 if any(found) else 0):
        yield found
