"""What do slides say? Titles, lists, tables, pictures, charts and speaker notes, slide by slide.

A slide is a page, and its title the heading of all that is on it.
"""

import dataclasses
from collections.abc import Iterator

from workers.extract import drawings, limits, markup, ocr, tables, zipped
from workers.extract.assemble import Assembly, one_line
from workers.extract.base import Extraction, ExtractionError, Source
from workers.extract.markup import Element
from workers.extract.ooxml import Package

warm = ocr.warm

_TITLES = frozenset({"title", "ctrTitle"})
# Placeholders that repeat on every slide, or hold a picture of the slide.
_FURNITURE = frozenset({"dt", "ftr", "sldNum", "hdr", "sldImg"})
# Placeholders whose paragraphs are bullet points.
_BULLETS = frozenset({"body", "obj", ""})


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    with zipped.opened(source.path) as archive:
        package = Package(archive)
        properties = package.properties()
        slides = _slides(package)
        if len(slides) > limits.MAX_SLIDES:
            assembly.warn("pages_capped", "")
        for number, part in enumerate(slides[: limits.MAX_SLIDES], start=1):
            try:
                _Slide(package, part, number, assembly).read()
            except ExtractionError as error:
                if len(slides) == 1:
                    raise
                assembly.warn("page_unreadable", f"Slide {number} could not be read. {error.message}".strip())
    if not slides:
        raise ExtractionError("no_pages")
    # Programs fill in this one where the author gave none.
    if properties.title not in {"PowerPoint Presentation", "PowerPoint-Präsentation", "PowerPoint 演示文稿"}:
        assembly.title = properties.title
    extraction = assembly.finish()
    if not extraction.title:
        first = next((block.text for block in extraction.blocks if block.role == "heading"), "")
        extraction = dataclasses.replace(extraction, title=one_line(first)[:500])
    return dataclasses.replace(
        extraction, language=properties.language, metadata=properties.metadata, page_count=len(slides)
    )


def _slides(package: Package) -> list[str]:
    """The slides' parts in the order in which they are shown."""
    main = package.main
    relations = package.relations(main)
    order = markup.child(package.tree(main), "sldIdLst")
    found = []
    for item in () if order is None else order:
        identifier = next((value for key, value in item.items() if key.endswith("}id")), "")
        relation = relations.get(identifier)
        if relation is not None and relation.kind == "slide":
            found.append(relation.target)
    return found


class _Slide:
    def __init__(self, package: Package, part: str, number: int, assembly: Assembly) -> None:
        self._package, self._part, self._number, self._assembly = package, part, number, assembly

    def read(self) -> None:
        root = self._package.tree(self._part)
        shapes = markup.child(root, "cSld", "spTree")
        found = [] if shapes is None else list(_shapes(shapes, 0))
        title = next((shape for shape in found if _placeholder(shape) in _TITLES), None)
        words = one_line(" ".join(text for text, _ in _paragraphs(title))) if title is not None else ""
        # A slide without a title is still a place of its own: its words must not count to the slide before.
        self._assembly.heading(words or f"Slide {self._number}", 1, self._number)
        for shape in found:
            if shape is not title:
                self._shape(shape)
        self._notes()

    def _shape(self, shape: Element) -> None:
        match markup.local(shape):
            case "sp" | "cxnSp":
                self._text(shape)
                self._drawing(shape)
            case "pic":
                self._drawing(shape)
            case "graphicFrame":
                for table in markup.descendants(shape, "tbl"):
                    rows = [[_cell(cell) for cell in row if markup.local(cell) == "tc"] for row in table]
                    rows = [row for row in rows if row]
                    for block in tables.lines(rows, header=tables.has_header(rows)):
                        self._assembly.add(block, "table", self._number)
                self._drawing(shape)

    def _text(self, shape: Element) -> None:
        kind = _placeholder(shape)
        if kind in _FURNITURE:
            return
        is_list = kind in _BULLETS
        for text, level in _paragraphs(shape):
            self._assembly.add(text, "list" if is_list or level else "paragraph", self._number)

    def _drawing(self, shape: Element) -> None:
        drawings.add(shape, self._part, package=self._package, assembly=self._assembly, page=self._number)

    def _notes(self) -> None:
        root = self._package.optional_tree(self._package.first(self._part, "notesSlide"))
        shapes = markup.child(root, "cSld", "spTree")
        for shape in () if shapes is None else _shapes(shapes, 0):
            if markup.local(shape) == "sp" and _placeholder(shape) not in _FURNITURE:
                words = "\n".join(text for text, _ in _paragraphs(shape))
                self._assembly.add(words, "note", self._number)
        for relation in self._package.relations(self._part).values():
            if relation.kind == "comments" and not relation.external:
                comments = self._package.optional_tree(relation.target)
                for comment in () if comments is None else markup.descendants(comments, "cm"):
                    said = markup.descendants(comment, "text", "t")
                    self._assembly.add(" ".join(item.text or "" for item in said), "note", self._number)


def _shapes(tree: Element, depth: int) -> Iterator[Element]:
    """The shapes on a slide, those in groups among them."""
    if depth > limits.MAX_NESTING:
        return
    for item in tree:
        match markup.local(item):
            case "grpSp":
                yield from _shapes(item, depth + 1)
            case "AlternateContent":
                # The first form that stands there is the newest, and the others say the same.
                yield from _shapes(next(iter(item), item), depth + 1)
            case "sp" | "pic" | "graphicFrame" | "cxnSp":
                yield item


def _placeholder(shape: Element) -> str | None:
    """The kind of placeholder that a shape fills; None for a shape of its own."""
    for properties in shape:
        if markup.local(properties).startswith("nv"):
            found = markup.child(properties, "nvPr", "ph")
            return None if found is None else markup.attribute(found, "type")
    return None


def _paragraphs(shape: Element) -> Iterator[tuple[str, int]]:
    """The paragraphs of a shape with their levels, from 0."""
    body = markup.child(shape, "txBody")
    for paragraph in () if body is None else markup.descendants(body, "p"):
        level = markup.attribute(markup.child(paragraph, "pPr"), "lvl")
        text = _words(paragraph)
        if text.strip():
            yield text, int(level) if level.isdecimal() else 0


def _words(paragraph: Element) -> str:
    return "".join(
        "\n" if markup.local(item) == "br" else item.text or ""
        for item in markup.descendants(paragraph, "t", "br")
    )


def _cell(cell: Element) -> str:
    return " ".join(_words(paragraph) for paragraph in markup.descendants(cell, "p"))
