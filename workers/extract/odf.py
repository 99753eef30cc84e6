"""What does an OpenDocument file say? Text, slides or sheets: the zipped form and the flat one in one XML file.

Read with lxml and not odfpy, which knows the zipped form only, resolves entities, and keeps an object of a thousand
bytes for every cell.
"""

import dataclasses
import re
from collections.abc import Iterator

from workers.extract import limits, markup, ocr, tables, zipped
from workers.extract.assemble import Assembly, one_line
from workers.extract.base import Extraction, ExtractionError, Source
from workers.extract.markup import Element
from workers.extract.odf_pictures import Carrier, FlatCarrier, ZipCarrier
from workers.extract.sheets import Sheets

warm = ocr.warm

_LANGUAGE = re.compile(r"([a-z]{2})(?:[-_]|$)", re.IGNORECASE)
_METADATA = {
    "creator": "author",
    "initial-creator": "author",
    "subject": "subject",
    "description": "description",
    "creation-date": "created_at",
    "date": "modified_at",
}
# Text that was deleted, or that repeats headings.
_SKIPPED = frozenset({"tracked-changes", "table-of-content", "sequence-decls", "forms", "scripts", "event-listeners"})
# Columns or rows that one cell may stand for, before it is the padding that fills a sheet to its edge.
_MAX_REPEATED = 50


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    with source.path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    if is_zip:
        with zipped.opened(source.path) as archive:
            _refuse_encrypted(archive)
            root = markup.parse(archive.read("content.xml", limits.MAX_TREE_BYTES))
            meta = markup.parse(archive.read("meta.xml"), lenient=True) if "meta.xml" in archive else None
            pages = _read(root, ZipCarrier(archive), assembly)
    else:
        if source.path.stat().st_size > limits.MAX_TREE_BYTES:
            raise ExtractionError("output_limit")
        root = meta = markup.parse(source.path.read_bytes())
        pages = _read(root, FlatCarrier(), assembly)
    found = {} if meta is None else {markup.local(item): (item.text or "").strip() for item in _meta(meta)}
    assembly.title = assembly.title or found.get("title", "")
    language = _LANGUAGE.match(found.get("language", ""))
    return dataclasses.replace(
        assembly.finish(),
        language=language[1].lower() if language else "",
        metadata={name: found[key] for key, name in _METADATA.items() if found.get(key)},
        page_count=pages or None,
    )


def _refuse_encrypted(archive: zipped.Zipped) -> None:
    if "META-INF/manifest.xml" in archive:
        manifest = markup.parse(archive.read("META-INF/manifest.xml"), lenient=True)
        if next(markup.descendants(manifest, "encryption-data"), None) is not None:
            raise ExtractionError("encrypted")


def _meta(root: Element) -> Iterator[Element]:
    meta = markup.child(root, "meta")
    return iter(()) if meta is None else iter(meta)


def _read(root: Element, carrier: Carrier, assembly: Assembly) -> int:
    """The number of slides or sheets; 0 for a text."""
    body = markup.child(root, "body")
    content = next(iter(() if body is None else body), None)
    if content is None:
        raise ExtractionError("corrupt")
    reader = _Reader(root, carrier, assembly)
    match markup.local(content):
        case "spreadsheet":
            return reader.spreadsheet(content)
        case "presentation" | "drawing":
            return reader.slides(content)
        case _:
            reader.blocks(content, None)
            return 0


class _Reader:
    def __init__(self, root: Element, carrier: Carrier, assembly: Assembly) -> None:
        self._assembly = assembly
        self._carrier = carrier
        self._titles = {
            markup.attribute(style, "name")
            for style in markup.descendants(root, "style")
            if markup.attribute(style, "parent-style-name") in {"Title", "Subtitle"}
        } | {"Title"}

    def spreadsheet(self, content: Element) -> int:
        found = [item for item in content if markup.local(item) == "table"]
        if len(found) > limits.MAX_SHEETS:
            self._assembly.warn("pages_capped", "")
        sheets = Sheets(self._assembly)
        for number, table in enumerate(found[: limits.MAX_SHEETS], start=1):
            sheets.add(markup.attribute(table, "name"), number, self._rows(table))
            for comment in markup.descendants(table, "annotation"):
                self._assembly.add(_note(comment), "note", number)
            self._frames(table, number)
        return len(found)

    def slides(self, content: Element) -> int:
        found = [item for item in content if markup.local(item) == "page"]
        if len(found) > limits.MAX_SLIDES:
            self._assembly.warn("pages_capped", "")
        for number, page in enumerate(found[: limits.MAX_SLIDES], start=1):
            title = next((item for item in page if markup.attribute(item, "class") == "title"), None)
            words = one_line(_text(title)) if title is not None else ""
            self._assembly.title = self._assembly.title or words
            self._assembly.heading(words or f"Slide {number}", 1, number)
            for shape in page:
                if shape is title:
                    continue
                if markup.local(shape) == "notes":
                    for box in markup.descendants(shape, "text-box"):
                        self._assembly.add(_text(box), "note", number)
                elif markup.local(shape) == "annotation":
                    self._assembly.add(_note(shape), "note", number)
                else:
                    self.blocks([shape], number)
        return len(found)

    def blocks(self, container: "Element | list[Element]", page: int | None, *, in_list: bool = False) -> None:
        for element in container:
            name = markup.local(element)
            if name == "h":
                level = markup.attribute(element, "outline-level")
                self._assembly.heading(_text(element), int(level) if level.isdecimal() else 1, page)
                self._attachments(element, page)
            elif name == "p":
                self._paragraph(element, page, in_list=in_list)
            elif name == "list":
                self.blocks(element, page, in_list=True)
            elif name == "table":
                rows = list(self._rows(element))
                for block in tables.lines(rows, header=tables.has_header(rows)):
                    self._assembly.add(block, "table", page)
                self._frames(element, page)
            elif name == "frame":
                self._frame(element, page)
            elif name not in _SKIPPED:
                self.blocks(element, page, in_list=in_list)

    def _paragraph(self, paragraph: Element, page: int | None, *, in_list: bool) -> None:
        text = _text(paragraph)
        if markup.attribute(paragraph, "style-name") in self._titles and text.strip():
            self._assembly.title = self._assembly.title or one_line(text)
            self._assembly.heading(text, 1, page)
        else:
            self._assembly.add(text, "list" if in_list else "paragraph", page)
        self._attachments(paragraph, page)

    def _attachments(self, paragraph: Element, page: int | None) -> None:
        """What stands in a paragraph beside its words."""
        for item in _outermost(paragraph, "frame", "note", "annotation"):
            if markup.local(item) == "frame":
                self._frame(item, page)
            else:
                self._assembly.add(_note(item), "note", page)

    def _frames(self, element: Element, page: int | None) -> None:
        for frame in _outermost(element, "frame"):
            self._frame(frame, page)

    def _frame(self, frame: Element, page: int | None, caption: str = "") -> None:
        alt = " ".join(
            one_line("".join(item.itertext())) for item in frame if markup.local(item) in {"title", "desc"}
        )
        is_shown = False
        for item in frame:
            name = markup.local(item)
            # A frame may have the same picture in several forms, the first being the best.
            if name == "image" and not is_shown:
                is_shown = True
                self._carrier.add_picture(item, alt=alt, caption=caption, page=page, assembly=self._assembly)
            elif name == "text-box":
                inner = next(iter(_outermost(item, "frame")), None)
                if inner is not None and markup.child(inner, "image") is not None:
                    # A picture and its caption, which LibreOffice puts into a box together.
                    words = one_line(_text(item))
                    self._frame(inner, page, words)
                    self._assembly.add(words, "caption", page)
                else:
                    self.blocks(item, page)
            elif name == "table":
                self.blocks([item], page)
            elif name == "object":
                for words in self._carrier.object_words(item):
                    self._assembly.add(words, "table", page)
                    is_shown = True  # What follows is a picture of the object, in a form that is not read.

    def _rows(self, table: Element) -> Iterator[list[str]]:
        for item in table:
            name = markup.local(item)
            if name in {"table-header-rows", "table-rows", "table-row-group"}:
                yield from self._rows(item)
            elif name == "table-row":
                row = list(_cells(item))
                yield row
                for _ in range(_repeated(item, "number-rows-repeated") - 1 if any(row) else 0):
                    yield row


def _cells(row: Element) -> Iterator[str]:
    for cell in row:
        if markup.local(cell) in {"table-cell", "covered-table-cell"}:
            words = _cell(cell)
            for _ in range(_repeated(cell, "number-columns-repeated")):
                yield words


def _cell(cell: Element) -> str:
    shown = "\n".join(
        _text(item)
        for item in cell
        if markup.local(item) in {"p", "h", "list", "section"}
    )
    return shown or markup.attribute(cell, "date-value") or markup.attribute(cell, "value")


def _repeated(element: Element, name: str) -> int:
    value = markup.attribute(element, name)
    return min(int(value), _MAX_REPEATED) if value.isdecimal() and int(value) else 1


def _text(element: Element) -> str:
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


def _outermost(element: Element, *names: str) -> list[Element]:
    """Elements of these names inside, none of them within another."""
    found = []
    for item in element:
        if markup.local(item) in names:
            found.append(item)
        else:
            found += _outermost(item, *names)
    return found


def _note(element: Element) -> str:
    """A footnote's or a comment's words, the latter with its author."""
    author = markup.child(element, "creator")
    words = "\n".join(_text(item) for item in markup.descendants(element, "p"))
    return f"{author.text}: {words}" if author is not None and author.text and words.strip() else words

