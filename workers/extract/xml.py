"""What does an XML file of any kind say? Paragraphs where it is a text, `name: value` records where it is data."""

from workers.extract import limits, markup
from workers.extract.assemble import Assembly, one_line
from workers.extract.base import Extraction, ExtractionError, Source
from workers.extract.markup import Element

# Elements that head what stands beside them: DocBook, JATS, DITA, FictionBook, Atom and RSS call them so.
_TITLES = frozenset({"title", "heading", "head", "article-title"})
# Elements inside a sentence. An element that has text and others of these is a paragraph.
_INLINE = frozenset(
    [
        "b",
        "i",
        "em",
        "strong",
        "sub",
        "sup",
        "italic",
        "bold",
        "xref",
        "ext-link",
        "a",
        "span",
        "emphasis",
        "link",
        "ph",
        "code",
        "tt",
        "u",
        "sc",
        "named-content",
        "inline-formula",
        "email",
        "uri",
        "q",
        "quote",
        "term",
        "strike",
        "sub",
        "superscript",
        "subscript",
        "literal",
    ]
)
# Fields of one record on a line; with more it reads better line by line.
_MAX_FIELDS = 40
# Attributes that name or say something; the others steer programs.
_TELLING = frozenset({"name", "title", "label", "alt", "value", "text", "content", "caption", "description"})


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    if source.path.stat().st_size > limits.MAX_TREE_BYTES:
        raise ExtractionError("output_limit")
    data = source.path.read_bytes()
    try:
        root = markup.parse(data)
    except ExtractionError:
        # Cut or hand-made: what can be read is worth more than its faults.
        root = markup.parse(data, lenient=True)
        assembly.warn("corrupt", "The file is not well-formed XML; it was read as far as possible.")
    _Walk(assembly).element(root, 1)
    return assembly.finish()


class _Walk:
    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._seen = 0

    def element(self, element: Element, level: int) -> None:
        self._seen += 1
        if self._seen > limits.MAX_NODES:
            self._assembly.warn("text_capped", "")
            return
        children = [item for item in element if isinstance(item.tag, str)]
        if not children:
            self._assembly.add(_leaf(element))
        elif _is_sentence(element, children):
            self._assembly.add(one_line("".join(element.itertext())))
        elif len(children) <= _MAX_FIELDS and _is_record(children):
            fields = [_attributes(element), *map(_leaf, children)]
            self._assembly.add("; ".join(field for field in fields if field), "list")
        else:
            self._container(element, children, level)

    def _container(self, element: Element, children: list[Element], level: int) -> None:
        self._assembly.add(_attributes(element))
        self._assembly.add(element.text or "")
        deeper = level
        for child in children:
            if markup.local(child) in _TITLES:
                words = one_line("".join(child.itertext()))
                if not self._assembly.title:
                    self._assembly.title = words
                self._assembly.heading(words, min(level, 9))
                deeper = level + 1
            else:
                self.element(child, deeper)
            self._assembly.add(child.tail or "")


def _is_sentence(element: Element, children: list[Element]) -> bool:
    has_words = bool((element.text or "").strip()) or any((item.tail or "").strip() for item in children)
    if has_words:
        # Paragraphs inside an element with stray text are still paragraphs of their own.
        return all(markup.local(item) in _INLINE or not len(item) for item in children)
    return all(markup.local(item) in _INLINE for item in children)


def _is_record(children: list[Element]) -> bool:
    """A flat list of fields, each of its own name: several of one name are a list of things."""
    if any(len(item) for item in children) or len(children) < 2:
        return False
    names = [markup.local(item) for item in children]
    return len(set(names)) > len(names) / 2 and not _TITLES.issuperset(names[:1])


def _leaf(element: Element) -> str:
    words = one_line("".join(element.itertext()))
    attributes = _attributes(element)
    if not words:
        return attributes
    if attributes:
        return f"{attributes}: {words}"
    name = markup.local(element)
    return words if name in {"p", "para", "text", *_INLINE} else f"{name}: {words}"


def _attributes(element: Element) -> str:
    found = [one_line(value) for key, value in element.items() if key.rpartition("}")[2].lower() in _TELLING]
    return ", ".join(value for value in found if value)
