"""What does a web page say? Its title, headings, text, tables and figures, without scripts and navigation.

Nothing is fetched: pictures elsewhere stay links, and pictures inside (`data:` addresses) become files.
"""

import dataclasses
import re
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from workers.extract import limits, tables
from workers.extract.assemble import Assembly, Role, one_line
from workers.extract.base import Extraction, Source
from workers.extract.figures import add_image
from workers.extract.text import read_text

# A page names its encoding within the first kilobyte; browsers look no further either.
_PROLOGUE_BYTES = 1024
_CHARSET = re.compile(
    rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]+)|<\?xml[^>]*encoding=[\"']([A-Za-z0-9_.-]+)", re.I
)
# What the names on the web mean (WHATWG Encoding Standard): the larger sets that contain them.
_ALIASES = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
}

_SKIPPED = frozenset(
    {
        *("script", "style", "noscript", "template", "head", "iframe", "object", "embed"),
        *("svg", "canvas", "audio", "video", "map"),
        *("nav", "menu", "dialog", "select", "textarea", "input", "button"),
    }
)
_SKIPPED_ROLES = frozenset({"navigation", "search", "contentinfo", "menu", "menubar", "toolbar", "dialog"})
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_PLAIN = (
    *("body", "p", "div", "section", "article", "main", "header", "footer", "aside", "address", "center"),
    *("form", "fieldset", "details", "summary", "hgroup", "figure"),
    *("table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption"),
)
_BLOCKS: dict[str, Role] = {
    **dict.fromkeys(_PLAIN, "paragraph"),
    **dict.fromkeys(("ul", "ol", "dl", "li", "dt", "dd"), "list"),
    **dict.fromkeys(_HEADINGS, "heading"),
    "blockquote": "note",
    "pre": "code",
    "figcaption": "caption",
}
# Containers that say nothing of their own: what stands in them keeps the role of what they stand in.
_NEUTRAL = frozenset(["p", "div", "section", "td", "th", "tr", "tbody"])
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_LANGUAGE = re.compile(r"([a-z]{2})(?:[-_]|$)", re.I)
# Spans as wide as a table ever is; a page may state a million.
_MAX_SPAN = 50
# A marked main part that holds less than this share of the page's words is not what the page is about.
_MIN_MAIN_SHARE = 0.1


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    text = read_text(source, assembly, stated=_stated)
    page = LexborHTMLParser(text)
    assembly.title = _title(page)
    root = _main(page)
    if root is not None:
        _Walk(assembly, whole_page=root.tag == "body").run(root)
        if assembly.empty and root.tag != "body" and page.body is not None:
            _Walk(assembly, whole_page=True).run(page.body)
    extraction = assembly.finish()
    return dataclasses.replace(extraction, language=_language(page), metadata=_metadata(page))


def add_fragment(markup: str, assembly: Assembly) -> None:
    """A piece of HTML inside another format."""
    body = LexborHTMLParser(markup).body
    if body is not None:
        _Walk(assembly, whole_page=False).run(body)


def add_page(text: str, assembly: Assembly) -> None:
    """A whole page inside another format: a chapter of a book."""
    body = LexborHTMLParser(text).body
    if body is not None:
        _Walk(assembly, whole_page=True).run(body)


def _stated(data: bytes) -> str:
    found = _CHARSET.search(data[:_PROLOGUE_BYTES])
    name = (found[1] or found[2]).decode("ascii").lower() if found else ""
    return _ALIASES.get(name, name)


def _title(page: LexborHTMLParser) -> str:
    for selector in ("title", "h1"):
        node = page.css_first(selector)
        if node is not None and (words := one_line(node.text())):
            return words
    return ""


def _language(page: LexborHTMLParser) -> str:
    node = page.css_first("html")
    found = _LANGUAGE.match((node.attributes.get("lang") or "").strip()) if node is not None else None
    return found[1].lower() if found else ""


def _metadata(page: LexborHTMLParser) -> dict[str, str]:
    found = {}
    for name in ("author", "description", "keywords"):
        node = page.css_first(f"meta[name={name}]")
        value = one_line(node.attributes.get("content") or "") if node is not None else ""
        if value:
            found[name] = value
    return found


def _main(page: LexborHTMLParser) -> LexborNode | None:
    """The part that the page marks as its content, else its body."""
    body = page.body
    if body is None:
        return None
    marked = page.css("main, [role=main]") or page.css("article")
    if len(marked) == 1 and len(marked[0].text()) >= _MIN_MAIN_SHARE * len(body.text()):
        return marked[0]
    return body


@dataclass(frozen=True, slots=True)
class _Frame:
    """An element that is open while its children are visited."""

    node: int
    role: Role
    level: int = 0
    caption: str = ""
    verbatim: bool = False


class _Walk:
    """One pass over a tree, without recursion: a page may be nested a million deep."""

    def __init__(self, assembly: Assembly, *, whole_page: bool) -> None:
        self._assembly = assembly
        self._whole_page = whole_page
        self._words: list[str] = []
        self._frames = [_Frame(0, "paragraph")]

    def run(self, root: LexborNode) -> None:
        node: LexborNode | None = root
        seen = 0
        while node is not None:
            seen += 1
            if seen > limits.MAX_HTML_NODES:
                self._assembly.warn("text_capped", "")
                break
            child = node.first_child if self._enter(node) else None
            node = child if child is not None else self._after(node, root)
        self._flush()

    def _after(self, node: LexborNode, root: LexborNode) -> LexborNode | None:
        """The node that follows when this one is done; every element that ends on the way is left."""
        current: LexborNode | None = node
        while current is not None:
            if current.mem_id == self._frames[-1].node:
                self._flush()
                self._frames.pop()
            if current.mem_id == root.mem_id:
                return None
            if current.next is not None:
                return current.next
            current = current.parent
        return None

    def _enter(self, node: LexborNode) -> bool:
        """Take the node in; whether to go on with its children."""
        if node.is_text_node:
            words = node.text_content or ""
            self._words.append(words if self._frames[-1].verbatim else _BLANKS.sub(" ", words))
            return False
        tag = node.tag or ""
        if not node.is_element_node or tag in _SKIPPED or self._hidden(node, tag):
            return False
        if tag == "br":
            self._words.append("\n")
        elif tag == "hr":
            self._flush()
        elif tag == "img":
            self._image(node)
        if tag not in _BLOCKS:
            return True
        self._flush()
        if tag == "table" and self._table(node):
            return False
        self._open(node, tag)
        return True

    def _open(self, node: LexborNode, tag: str) -> None:
        around = self._frames[-1]
        role = around.role if tag in _NEUTRAL else _BLOCKS[tag]
        caption = around.caption
        if tag == "figure":
            words = node.css_first("figcaption")
            caption = one_line(words.text(separator=" ")) if words is not None else ""
        self._frames.append(
            _Frame(
                node.mem_id,
                role,
                level=int(tag[1]) if tag in _HEADINGS else around.level,
                caption=caption,
                verbatim=around.verbatim or tag == "pre",
            )
        )

    def _hidden(self, node: LexborNode, tag: str) -> bool:
        attributes = node.attributes
        if "hidden" in attributes or attributes.get("aria-hidden") == "true":
            return True
        if (attributes.get("role") or "") in _SKIPPED_ROLES:
            return True
        return tag == "footer" and self._whole_page

    def _flush(self) -> None:
        text, self._words = "".join(self._words), []
        if not text.strip():
            return
        frame = self._frames[-1]
        if frame.role == "heading":
            self._assembly.heading(text, frame.level)
        else:
            self._assembly.add(text, frame.role)

    def _image(self, node: LexborNode) -> None:
        attributes = node.attributes
        if "1" in {attributes.get("width"), attributes.get("height")}:
            return  # A counter, not a picture.
        link = attributes.get("data-src") or attributes.get("src") or ""
        if not link:
            link = (attributes.get("srcset") or "").strip().split(" ")[0]
        # The words before the picture come first, so that it stands after them.
        self._flush()
        add_image(
            link,
            alt=attributes.get("alt") or attributes.get("title") or "",
            caption=self._frames[-1].caption,
            assembly=self._assembly,
        )

    def _table(self, table: LexborNode) -> bool:
        """Take in a table of data; False for one that lays out the page: its cells are read like blocks."""
        if len(table.css("table")) > 1:
            return False
        rows = _grid(table)
        if len(rows) < 2 or max(map(len, rows)) < 2:
            return False
        caption = table.css_first("caption")
        if caption is not None:
            self._assembly.add(caption.text(), "caption")
        for block in tables.lines(rows, header=table.css_first("th") is not None):
            self._assembly.add(block, "table")
        for image in table.css("img"):
            self._image(image)
        return True


def _grid(table: LexborNode) -> list[list[str]]:
    """The cells by row and column, a cell that spans several repeated down and blank to its right."""
    rows: list[list[str]] = []
    below: dict[
        int, tuple[int, str]
    ] = {}  # Column: rows that a cell above still reaches into, and its words.
    for line in table.css("tr"):
        row: list[str] = []
        cell = line.first_child
        while cell is not None or len(row) in below:
            if len(row) in below:
                left, words = below.pop(len(row))
                if left > 1:
                    below[len(row)] = (left - 1, words)
                row.append(words)
                continue
            if cell is not None and cell.tag in {"td", "th"}:
                words = one_line(cell.text(separator=" "))
                if (down := _span(cell, "rowspan")) > 1:
                    below[len(row)] = (down - 1, words)
                row.append(words)
                row.extend([""] * (_span(cell, "colspan") - 1))
            cell = cell.next if cell is not None else None
        rows.append(row)
    return rows


def _span(cell: LexborNode, name: str) -> int:
    value = cell.attributes.get(name) or ""
    return min(int(value), _MAX_SPAN) if value.isdecimal() and value != "0" else 1
