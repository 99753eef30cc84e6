"""What does a Word document say? Its headings, paragraphs, lists, tables, notes and pictures, in reading order."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from workers.extract import drawings, html, limits, markup, ocr, tables, zipped
from workers.extract.assemble import Assembly, Role, one_line
from workers.extract.base import Extraction, ExtractionError, Source
from workers.extract.charset import decode
from workers.extract.markup import Element
from workers.extract.ooxml import Package

warm = ocr.warm

_DEEPEST_HEADING = 9
# Elements around runs whose content is part of the text; what was deleted or moved away is none.
_GONE = frozenset(
    {"del", "moveFrom", "pPr", "rPr", "instrText", "delText", "rt", "sdtPr", "tblPr", "fldData"}
)
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}
# Word writes at most this many columns; a file may state any number.
_MAX_SPAN = 63


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    with zipped.opened(source.path) as archive:
        package = Package(archive)
        properties = package.properties()
        assembly.title = properties.title
        reader = _Reader(package, assembly)
        reader.read()
    assembly.title = assembly.title or reader.title
    extraction = assembly.finish()
    return dataclasses.replace(extraction, language=properties.language, metadata=properties.metadata)


@dataclass(frozen=True, slots=True)
class _Style:
    name: str
    based_on: str
    outline: int | None
    numbered: bool


class _Reader:
    def __init__(self, package: Package, assembly: Assembly) -> None:
        self._package = package
        self._assembly = assembly
        self._main = self._part = package.main
        self._styles = _styles(package.optional_tree(package.first(self._main, "styles")))
        self._notes: list[
            tuple[str, str]
        ] = []  # Kind and identifier of the notes that the paragraph refers to.
        self._boxes: list[Element] = []
        self._drawings: list[Element] = []
        self._waiting: list[drawings.Found] = []
        self._depth = 0
        self.title = ""

    def read(self) -> None:
        root = self._package.tree(self._main)
        body = markup.child(root, "body")
        self._footnotes = {
            kind: _by_id(self._package.optional_tree(self._package.first(self._main, f"{kind}s")), kind)
            for kind in ("footnote", "endnote", "comment")
        }
        if body is not None:
            self._blocks(body)
        self._release("")
        self._around()

    def _around(self) -> None:
        """Headers and footers, each text once, after all that they stand around."""
        seen: set[str] = set()
        for relation in self._package.relations(self._main).values():
            if relation.kind in {"header", "footer"} and not relation.external:
                root = self._package.optional_tree(relation.target)
                self._part = relation.target
                for paragraph in () if root is None else markup.descendants(root, "p"):
                    text = one_line(self._words(paragraph))
                    # A page number alone is no text.
                    if any(map(str.isalpha, text)) and text not in seen:
                        seen.add(text)
                        self._assembly.add(text, "note")
                self._boxes, self._drawings = [], []

    def _blocks(self, container: Element) -> None:
        for element in container:
            match markup.local(element):
                case "p":
                    self._paragraph(element)
                case "tbl":
                    self._release("")
                    self._table(element)
                case "sdt":
                    content = markup.child(element, "sdtContent")
                    if content is not None:
                        self._blocks(content)
                case "ins" | "moveTo" | "customXml" | "smartTag" | "txbxContent":
                    self._blocks(element)
                case "AlternateContent":
                    self._blocks(_chosen(element))
                case "altChunk":
                    self._chunk(element)

    def _chunk(self, chunk: Element) -> None:
        """Another document that stands here whole: Word takes it in when it opens the file."""
        relation = self._package.relations(self._part).get(markup.attribute(chunk, "id"))
        if relation is None or relation.external or not self._package.has(relation.target):
            return
        try:
            data = self._package.data(relation.target)
        except ExtractionError:
            data = b""
        text = decode(data[: limits.MAX_TEXT_BYTES]).text
        match PurePosixPath(relation.target).suffix.lower():
            case ".htm" | ".html" | ".xhtml":
                html.add_fragment(text, self._assembly)
            case ".txt":
                self._assembly.add(text)
            case _:
                self._assembly.warn(
                    "page_unreadable", "A document of another format inside this one was not read."
                )

    def _paragraph(self, paragraph: Element) -> None:
        text = self._words(paragraph)
        style = self._style(paragraph)
        is_caption = style.startswith("caption")
        self._release(one_line(text) if is_caption else "")
        level = self._level(paragraph)
        if style == "title" and not self.title:
            self.title = one_line(text)
        if level:
            self._assembly.heading(text, level)
        else:
            role: Role = "caption" if is_caption else "list" if self._is_item(paragraph) else "paragraph"
            self._assembly.add(text, "code" if "code" in style or style == "html preformatted" else role)
        self._attachments()

    def _attachments(self) -> None:
        """What the paragraph just read carries: pictures, text boxes, notes."""
        found, self._drawings = self._drawings, []
        boxes, self._boxes = self._boxes, []
        notes, self._notes = self._notes, []
        for drawing in found:
            self._waiting += drawings.pictures(
                drawing, self._part, package=self._package, assembly=self._assembly
            )
            drawings.add_words(drawing, self._part, package=self._package, assembly=self._assembly)
        self._depth += 1
        if self._depth <= limits.MAX_NESTING:
            for box in boxes:
                self._blocks(box)
        self._depth -= 1
        for kind, identifier in notes:
            self._assembly.add(self._footnotes[kind].get(identifier, ""), "note")

    def _release(self, caption: str) -> None:
        """The pictures that waited for their caption: it is the paragraph below."""
        waiting, self._waiting = self._waiting, []
        for picture in waiting:
            picture(caption)

    def _table(self, table: Element) -> None:
        rows = list(self._rows(table))
        if len(rows) < 2 or max(map(len, rows)) < 2:
            # A frame around text, not a table of data.
            for cell in _cells(table):
                self._blocks(cell)
            return
        texts: list[list[str]] = []
        attached: list[Element] = []
        for row in rows:
            line: list[str] = []
            for cell, span, goes_on in row:
                above = texts[-1][len(line)] if texts and goes_on and len(line) < len(texts[-1]) else ""
                line += [above or self._cell(cell), *[""] * (span - 1)]
                attached.append(cell)
            texts.append(line)
        for block in tables.lines(texts, header=tables.has_header(texts)):
            self._assembly.add(block, "table")
        self._attachments()
        self._release("")

    def _rows(self, table: Element) -> Iterator[list[tuple[Element, int, bool]]]:
        """Cells with how many columns they span, and whether one above reaches down into them."""
        for row in _through(table, "tr"):
            cells = []
            for cell in _through(row, "tc"):
                properties = markup.child(cell, "tcPr")
                span = markup.attribute(markup.child(properties, "gridSpan"), "val")
                merge = markup.child(properties, "vMerge")
                goes_on = merge is not None and markup.attribute(merge, "val") != "restart"
                cells.append(
                    (cell, min(int(span), _MAX_SPAN) if span.isdecimal() and int(span) else 1, goes_on)
                )
            yield cells

    def _cell(self, cell: Element) -> str:
        # Paragraphs of inner tables, too: what a cell holds belongs to its row.
        return " ".join(filter(None, (one_line(self._words(item)) for item in markup.descendants(cell, "p"))))

    def _words(self, element: Element) -> str:
        parts: list[str] = []
        self._collect(element, parts)
        return "".join(parts)

    def _collect(self, element: Element, parts: list[str]) -> None:
        for item in element:
            name = markup.local(item)
            if name == "t":
                parts.append(item.text or "")
            elif name in _BREAKS:
                parts.append(_BREAKS[name])
            elif name in _GONE:
                continue
            elif name in {"drawing", "pict", "object"}:
                self._drawings.append(item)
                self._boxes += markup.descendants(item, "txbxContent")
            elif name == "AlternateContent":
                self._collect(_chosen(item), parts)
            elif name in {"footnoteReference", "endnoteReference", "commentReference"}:
                self._notes.append((name.removesuffix("Reference"), markup.attribute(item, "id")))
            elif name == "p" and parts:
                continue  # Of a text box, which is read by itself.
            else:
                self._collect(item, parts)

    def _style(self, paragraph: Element) -> str:
        style = self._styles.get(_style_id(paragraph))
        return style.name if style else ""

    def _level(self, paragraph: Element) -> int:
        """Of a heading, from 1; 0 for other paragraphs."""
        own = markup.attribute(markup.child(paragraph, "pPr", "outlineLvl"), "val")
        if own.isdecimal():
            return int(own) + 1 if int(own) < _DEEPEST_HEADING else 0
        for style in self._chain(_style_id(paragraph)):
            if style.name == "title":
                return 1
            if style.name.startswith("heading ") and (number := style.name[8:].strip()[:1]).isdecimal():
                return max(1, int(number))
            if style.outline is not None:
                return style.outline + 1 if style.outline < _DEEPEST_HEADING else 0
        return 0

    def _is_item(self, paragraph: Element) -> bool:
        numbering = markup.child(paragraph, "pPr", "numPr", "numId")
        if numbering is not None:
            return markup.attribute(numbering, "val") != "0"
        return any(
            style.numbered or style.name.startswith("list") for style in self._chain(_style_id(paragraph))
        )

    def _chain(self, identifier: str) -> Iterator[_Style]:
        """The style and those it is based on."""
        for _ in range(limits.MAX_NESTING):
            style = self._styles.get(identifier)
            if style is None:
                return
            yield style
            identifier = style.based_on


def _styles(root: Element | None) -> dict[str, _Style]:
    found = {}
    for style in () if root is None else root:
        if markup.local(style) == "style" and markup.attribute(style, "type") in {"paragraph", ""}:
            properties = markup.child(style, "pPr")
            outline = markup.attribute(markup.child(properties, "outlineLvl"), "val")
            found[markup.attribute(style, "styleId")] = _Style(
                name=markup.attribute(markup.child(style, "name"), "val").lower(),
                based_on=markup.attribute(markup.child(style, "basedOn"), "val"),
                outline=int(outline) if outline.isdecimal() else None,
                numbered=markup.child(properties, "numPr") is not None,
            )
    return found


def _style_id(paragraph: Element) -> str:
    return markup.attribute(markup.child(paragraph, "pPr", "pStyle"), "val")


def _by_id(root: Element | None, kind: str) -> dict[str, str]:
    """The texts of footnotes, endnotes or comments; the separators that Word keeps among them are without words."""
    found = {}
    for note in () if root is None else root:
        words = (
            "".join(item.text or "" for item in markup.descendants(paragraph, "t"))
            for paragraph in markup.descendants(note, "p")
        )
        text = "\n".join(filter(str.strip, words))
        author = markup.attribute(note, "author") if kind == "comment" else ""
        found[markup.attribute(note, "id")] = f"{author}: {text}" if author and text else text
    return found


def _chosen(alternatives: Element) -> Element:
    """One form of content that is there in several: the newest, which has the alternative texts."""
    return next(iter(alternatives), alternatives)


def _through(element: Element, name: str) -> Iterator[Element]:
    """Children of this name, also those inside content controls and tracked changes."""
    for item in element:
        found = markup.local(item)
        if found == name:
            yield item
        elif found in {"sdt", "sdtContent", "ins", "moveTo", "customXml"}:
            yield from _through(item, name)


def _cells(table: Element) -> Iterator[Element]:
    for row in _through(table, "tr"):
        yield from _through(row, "tc")
