"""Where are an OpenDocument file's pictures and embedded objects? Members of its archive, or inside its only file."""

import base64
import binascii
import posixpath
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import unquote

from workers.extract import figures, limits, markup
from workers.extract.assemble import Assembly, one_line
from workers.extract.base import ExtractionError
from workers.extract.markup import Element
from workers.extract.zipped import Zipped


class Carrier(Protocol):
    def add_picture(
        self, image: Element, *, alt: str, caption: str, page: int | None, assembly: Assembly
    ) -> None:
        """Make a figure of a draw:image."""

    def object_words(self, item: Element) -> Iterator[str]:
        """The words of a draw:object: of a chart its title, series and categories."""


class ZipCarrier:
    def __init__(self, archive: Zipped) -> None:
        self._archive = archive

    def add_picture(
        self, image: Element, *, alt: str, caption: str, page: int | None, assembly: Assembly
    ) -> None:
        link = markup.attribute(image, "href")
        name = _member(link)
        if name not in self._archive:
            if "://" in link:
                figures.add_image(link, alt=alt, caption=caption, assembly=assembly)
            return
        try:
            data = self._archive.read(name)
        except ExtractionError:
            assembly.warn("figure_unreadable", "")
            return
        figures.add_bytes(data, assembly=assembly, alt=alt, caption=caption, page=page)

    def object_words(self, item: Element) -> Iterator[str]:
        name = posixpath.join(_member(markup.attribute(item, "href")), "content.xml")
        if name in self._archive:
            try:
                root = markup.parse(self._archive.read(name, limits.MAX_TREE_BYTES))
            except ExtractionError:
                return
            yield from _words(root)


class FlatCarrier:
    def add_picture(
        self, image: Element, *, alt: str, caption: str, page: int | None, assembly: Assembly
    ) -> None:
        data = markup.child(image, "binary-data")
        if data is None:
            return
        try:
            found = base64.b64decode(data.text or "")
        except binascii.Error:
            assembly.warn("figure_unreadable", "")
            return
        figures.add_bytes(found, assembly=assembly, alt=alt, caption=caption, page=page)

    def object_words(self, item: Element) -> Iterator[str]:
        yield from _words(item)


def _member(link: str) -> str:
    return posixpath.normpath(unquote(link)).lstrip("/") if link else ""


def _words(root: Element) -> Iterator[str]:
    found = [one_line("".join(item.itertext())) for item in markup.descendants(root, "p")]
    words = [word for word in dict.fromkeys(found) if any(map(str.isalpha, word))]
    if words:
        yield "; ".join(words)
