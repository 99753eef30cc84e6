"""What does the body of an OpenDocument text or presentation say, in reading order?"""

from collections.abc import Iterator

from workers.extract import limits, markup, tables
from workers.extract.assemble import Assembly, one_line
from workers.extract.markup import Element
from workers.extract.odf_pictures import Carrier
from workers.extract.odf_words import note, outermost, rows_of, words_of

# Text that was deleted, or that repeats headings.
_SKIPPED = frozenset(
    {"tracked-changes", "table-of-content", "sequence-decls", "forms", "scripts", "event-listeners"}
)


class Reader:
    def __init__(self, root: Element | None, carrier: Carrier, assembly: Assembly) -> None:
        self._assembly = assembly
        self._carrier = carrier
        self._titles = {
            markup.attribute(style, "name")
            for style in (() if root is None else markup.descendants(root, "style"))
            if markup.attribute(style, "parent-style-name") in {"Title", "Subtitle"}
        } | {"Title"}

    def slides(self, content: Element) -> int:
        found = [item for item in content if markup.local(item) == "page"]
        if len(found) > limits.MAX_SLIDES:
            self._assembly.warn("pages_capped", "")
        for number, page in enumerate(found[: limits.MAX_SLIDES], start=1):
            title = next((item for item in page if markup.attribute(item, "class") == "title"), None)
            words = one_line(words_of(title)) if title is not None else ""
            self._assembly.title = self._assembly.title or words
            self._assembly.heading(words or f"Slide {number}", 1, number)
            for shape in page:
                if shape is title:
                    continue
                if markup.local(shape) == "notes":
                    for box in markup.descendants(shape, "text-box"):
                        self._assembly.add(words_of(box), "note", number)
                elif markup.local(shape) == "annotation":
                    self._assembly.add(note(shape), "note", number)
                else:
                    self.blocks([shape], number)
        return len(found)

    def blocks(
        self, container: "Element | list[Element]", page: int | None, *, in_list: bool = False
    ) -> None:
        for element in container:
            name = markup.local(element)
            if name == "h":
                level = markup.attribute(element, "outline-level")
                self._assembly.heading(words_of(element), int(level) if level.isdecimal() else 1, page)
                self._attachments(element, page)
            elif name == "p":
                self._paragraph(element, page, in_list=in_list)
            elif name == "list":
                self.blocks(element, page, in_list=True)
            elif name == "table":
                rows = list(self._rows(element))
                for block in tables.lines(rows, header=tables.has_header(rows)):
                    self._assembly.add(block, "table", page)
                self.frames(element, page)
            elif name == "frame":
                self.frame(element, page)
            elif name not in _SKIPPED:
                self.blocks(element, page, in_list=in_list)

    def _paragraph(self, paragraph: Element, page: int | None, *, in_list: bool) -> None:
        text = words_of(paragraph)
        if markup.attribute(paragraph, "style-name") in self._titles and text.strip():
            self._assembly.title = self._assembly.title or one_line(text)
            self._assembly.heading(text, 1, page)
        else:
            self._assembly.add(text, "list" if in_list else "paragraph", page)
        self._attachments(paragraph, page)

    def _attachments(self, paragraph: Element, page: int | None) -> None:
        """What stands in a paragraph beside its words."""
        for item in outermost(paragraph, "frame", "note", "annotation"):
            if markup.local(item) == "frame":
                self.frame(item, page)
            else:
                self._assembly.add(note(item), "note", page)

    def frames(self, element: Element, page: int | None) -> None:
        for frame in outermost(element, "frame"):
            self.frame(frame, page)

    def frame(self, frame: Element, page: int | None, caption: str = "") -> None:
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
                inner = next(iter(outermost(item, "frame")), None)
                if inner is not None and markup.child(inner, "image") is not None:
                    # A picture and its caption, which LibreOffice puts into a box together.
                    words = one_line(words_of(item))
                    self.frame(inner, page, words)
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
                yield from rows_of(item)
