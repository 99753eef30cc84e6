"""How is untrusted XML parsed? Without document types, entities, network or depth: what they would add is left out."""

from collections.abc import Iterator
from typing import IO, Any

from lxml import etree

from workers.extract.base import ExtractionError

# lxml ships no types. An element, whose tag is a string: comments and entity references are not handed out.
Element = Any

# `huge_tree` stays off: libxml2 then refuses trees deeper than 256 and text above 10 MB, which no document has.
# Entities stay unresolved, so that a bomb of them is as small as it is written and an external one is not opened.
_SETTINGS: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "attribute_defaults": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


def parse(data: bytes, *, lenient: bool = False) -> Element:
    """The root element. `lenient` takes in what can be read of damaged XML. Raises ExtractionError."""
    try:
        root = etree.fromstring(data, etree.XMLParser(**_SETTINGS, recover=lenient))
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise ExtractionError("corrupt") from error
    if root is None:
        raise ExtractionError("corrupt")
    for reference in list(root.iter(etree.Entity)):
        _remove(reference)
    return root


def _remove(reference: Element) -> None:
    """An entity reference, which reads as its own name; what follows it stays."""
    above, before = reference.getparent(), reference.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + (reference.tail or "")
    else:
        above.text = (above.text or "") + (reference.tail or "")
    above.remove(reference)


def stream(file: IO[bytes], tags: tuple[str, ...]) -> Iterator[tuple[str, Element]]:
    """The starts and ends of these elements. What is iterated over raises etree.XMLSyntaxError."""
    settings = {key: value for key, value in _SETTINGS.items() if key != "dtd_validation"}
    return iter(etree.iterparse(file, events=("start", "end"), tag=tags, **settings))


def local(element: Element) -> str:
    """The name without its namespace: the strict and the transitional form of Office Open XML differ in that only."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Element | None, name: str) -> str:
    """An attribute by its name without namespace."""
    if element is None:
        return ""
    plain = element.get(name)
    if plain is not None:
        return str(plain)
    return next((str(value) for key, value in element.items() if key.rpartition("}")[2] == name), "")


def child(element: Element | None, *path: str) -> Element | None:
    """The first child by local name, and its child, and so on."""
    for name in path:
        if element is None:
            return None
        element = next((item for item in element if local(item) == name), None)
    return element


def descendants(element: Element, *names: str) -> Iterator[Element]:
    return (item for item in element.iter() if local(item) in names)
