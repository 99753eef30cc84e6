"""What does a reStructuredText file say? Its sections, text, tables and figures, Sphinx's mark-up included.

docutils knows a tenth of the directives and roles that manuals use. Those that it does not know are
registered on sight with a class that keeps their readable text; nothing is included, executed or fetched.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, cast

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives, roles
from docutils.parsers.rst.languages import en

from workers.extract import tables
from workers.extract.assemble import Assembly, Role, one_line
from workers.extract.base import Extraction, Source
from workers.extract.figures import add_image
from workers.extract.text import read_text

_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,  # No docutils.conf of the current folder or of the user.
    # Errors stay in the tree, where the text that could not be parsed is still text; nothing is printed, and
    # no level of error ends the parsing.
    "report_level": 3,
    "halt_level": 5,
    "warning_stream": False,
    # The first heading is a heading like others, and a field list at the top stays text.
    "doctitle_xform": False,
    "docinfo_xform": False,
    "syntax_highlight": "none",
    "smart_quotes": False,
    "line_length_limit": 100_000,
}
_DIRECTIVE = re.compile(
    r"^[ \t]*(?:[-*][ \t]+)?\.\.[ \t]+(?:\|[^|\n]+\|[ \t]+)?(\w[\w.+:-]*?)[ \t]?::(?:\s|$)", re.M
)
_ROLE = re.compile(r":(\w[\w.+:-]*?):`")
# A reference with a title of its own: "Title <target>".
_TITLED = re.compile(r"(.*?)\s*<[^<>]*>\s*", re.DOTALL)
# Names of one file: a manual uses dozens, a fuzzer's file could hold a million.
_MAX_NAMES = 500


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    text = read_text(source, assembly)
    _register(text)
    document = publish_doctree(text, source_path=source.name, settings_overrides=_SETTINGS)
    _Walk(assembly).children(document, "paragraph", 0)
    return assembly.finish()


class _AnyOption(dict[str, Callable[[str], str]]):
    """An option_spec that takes every option as it stands."""

    def __missing__(self, _name: str) -> Callable[[str], str]:
        return directives.unchanged


class _Tolerant(Directive):
    """Keeps what a reader of the page would see: the argument as a line of its own, and the content."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    # Not empty, or docutils takes the directive to have no options.
    option_spec = _AnyOption(name=directives.unchanged)
    shows_argument = True

    def run(self) -> list[nodes.Node]:
        box = nodes.container()
        if self.arguments and self.shows_argument:
            words, messages = self.state.inline_text(self.arguments[0], self.lineno)
            box += [nodes.paragraph("", "", *words), *messages]
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


class _Plain(_Tolerant):
    """Its argument is a condition or a style."""

    shows_argument = False


class _Ignored(_Tolerant):
    """Says nothing to a reader."""

    def run(self) -> list[nodes.Node]:
        return []


class _Code(_Tolerant):
    def run(self) -> list[nodes.Node]:
        text = "\n".join(self.content)
        caption = self.options.get("caption", "")
        shown: list[nodes.Node] = [nodes.paragraph(caption, caption)] if caption else []
        return [*shown, nodes.literal_block(text, text)]


class _Toctree(_Tolerant):
    """The titles that it gives; the paths of the other entries are no words."""

    def run(self) -> list[nodes.Node]:
        titles = [found[1] for line in self.content if (found := _TITLED.fullmatch(line)) and found[1]]
        caption = self.options.get("caption", "")
        return [nodes.paragraph(words, words) for words in ([caption] if caption else []) + titles]


class _Image(_Tolerant):
    """As docutils' own, but never refused for an option that only Sphinx knows."""

    def run(self) -> list[nodes.Node]:
        return [self.image()]

    def image(self) -> nodes.image:
        uri = "".join(self.arguments[0].split()) if self.arguments else ""
        return nodes.image("", uri=uri, alt=self.options.get("alt", ""))


class _Figure(_Image):
    def run(self) -> list[nodes.Node]:
        figure = nodes.figure("", self.image())
        self.state.nested_parse(self.content, self.content_offset, figure)
        return [figure]


_DIRECTIVES: dict[str, type[Directive]] = {
    "image": _Image,
    "figure": _Figure,
    "thumbnail": _Figure,
    "toctree": _Toctree,
    **dict.fromkeys(["code-block", "code", "sourcecode", "prompt", "mermaid", "graphviz", "uml"], _Code),
    **dict.fromkeys(
        ["only", "ifconfig", "tabs", "tab-set", "grid", "sidebar-links", "hlist", "centered"], _Plain
    ),
    **dict.fromkeys(
        ["contents", "index", "highlight", "currentmodule", "module", "default-domain"], _Ignored
    ),
    **dict.fromkeys(["literalinclude", "tabularcolumns", "sectionauthor", "codeauthor", "meta"], _Ignored),
}


def _register(text: str) -> None:
    for name, directive in _DIRECTIVES.items():
        directives.register_directive(name, directive)
    for name in _names(_DIRECTIVE, text):
        if name not in en.directives and name not in _DIRECTIVES:
            directives.register_directive(name, _Tolerant)
    for name in _names(_ROLE, text):
        if name not in en.roles:
            roles.register_local_role(name, cast(Any, _reference))  # Typed for roles that give references.


def _names(pattern: re.Pattern[str], text: str) -> list[str]:
    found: dict[str, None] = {}
    for match in pattern.finditer(text):
        found[match[1].lower()] = None
        if len(found) >= _MAX_NAMES:
            break
    return list(found)


def _reference(
    _name: str, rawtext: str, text: str, _line: int, _inliner: Any, *_: Any, **__: Any
) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """Any role of Sphinx: the title where one is given, else the words of the target."""
    text = nodes.unescape(text)
    titled = _TITLED.fullmatch(text)
    words = titled[1] if titled and titled[1] else text.lstrip("!~").strip("<>")
    if not titled and "/" in words and " " not in words:
        words = words.rstrip("/").rsplit("/", 1)[-1]  # A path: its last part is the nearest to a name.
    return [nodes.inline(rawtext, words)], []


class _Walk:
    """Takes the tree of a document into an Assembly."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    def children(self, node: nodes.Element, role: Role, level: int) -> None:
        for child in node.children:
            if isinstance(child, nodes.Element):
                self._visit(child, role, level)

    def _visit(self, node: nodes.Element, role: Role, level: int) -> None:
        match node:
            case nodes.section():
                self.children(node, "paragraph", level + 1)
            case nodes.title() | nodes.rubric():
                self._title(node, level)
            case nodes.figure():
                self._figure(node, role, level)
            case nodes.image():
                self._image(node, caption="")
            case nodes.table():
                self._table(node)
            case nodes.literal_block() | nodes.doctest_block() | nodes.math_block():
                self._assembly.add(node.astext(), "code")
            case nodes.field():
                self._field(node, level)
            case nodes.line_block():
                self._assembly.add("\n".join(line.astext() for line in node.findall(nodes.line)), role)
            case nodes.system_message():
                # The mark-up was wrong; the words may be right.
                for text in node.findall(nodes.literal_block):
                    self._assembly.add(text.astext(), "code")
            case nodes.Invisible() | nodes.raw() | nodes.substitution_definition() | nodes.label():
                return
            case nodes.TextElement():
                self._assembly.add(node.astext(), role)
                for image in node.findall(nodes.image):
                    self._image(image, caption="")
            case (
                nodes.bullet_list() | nodes.enumerated_list() | nodes.definition_list() | nodes.option_list()
            ):
                self.children(node, "list", level)
            case nodes.Admonition() | nodes.footnote() | nodes.citation() | nodes.block_quote():
                self.children(node, "note", level)
            case _:
                self.children(node, role, level)

    def _title(self, node: nodes.TextElement, level: int) -> None:
        if isinstance(node.parent, nodes.section):
            if not self._assembly.title:
                self._assembly.title = node.astext()
            self._assembly.heading(node.astext(), level)
        else:
            self._assembly.add(node.astext(), "note")

    def _field(self, node: nodes.Element, level: int) -> None:
        """ ":Name: words", and whatever else stands in its body."""
        name = next(iter(node.findall(nodes.field_name)))
        body = [child for child in node.children[-1].children if isinstance(child, nodes.Element)]
        if body and isinstance(body[0], nodes.paragraph):
            self._assembly.add(f"{name.astext()}: {body[0].astext()}", "list")
            for image in body[0].findall(nodes.image):
                self._image(image, caption="")
            body = body[1:]
        else:
            self._assembly.add(f"{name.astext()}:", "list")
        for child in body:
            self._visit(child, "list", level)

    def _figure(self, node: nodes.Element, role: Role, level: int) -> None:
        """Its image, its first paragraph as the caption, and whatever follows as text."""
        rest = [child for child in node.children if isinstance(child, nodes.Element)]
        images = [child for child in rest if isinstance(child, nodes.image)]
        caption = next((child for child in rest if isinstance(child, nodes.paragraph | nodes.caption)), None)
        words = one_line(caption.astext()) if caption is not None else ""
        for image in images:
            self._image(image, caption=words)
        if words:
            self._assembly.add(words, "caption")
        for child in rest:
            if child is not caption and child not in images:
                self._visit(child, role, level)

    def _image(self, node: nodes.Element, *, caption: str) -> None:
        add_image(node.get("uri", ""), alt=node.get("alt", ""), caption=caption, assembly=self._assembly)

    def _table(self, node: nodes.Element) -> None:
        for title in node.findall(nodes.title):
            self._assembly.add(title.astext(), "caption")
        heads = [_cells(row) for head in node.findall(nodes.thead) for row in head.findall(nodes.row)]
        bodies = [_cells(row) for body in node.findall(nodes.tbody) for row in body.findall(nodes.row)]
        for block in tables.lines([*heads[-1:], *bodies], header=bool(heads)):
            self._assembly.add(block, "table")
        for image in _images(node):
            self._image(image, caption="")


def _cells(row: nodes.Element) -> list[str]:
    return [entry.astext() for entry in row.findall(nodes.entry)]


def _images(node: nodes.Element) -> Iterator[nodes.Element]:
    yield from node.findall(nodes.image)
