"""What does an electronic book say? Its chapters in reading order, each a web page, with the pictures it carries."""

import dataclasses
import posixpath
from urllib.parse import unquote, urlsplit

from workers.extract import html, limits, markup, ocr, zipped
from workers.extract.assemble import Assembly
from workers.extract.base import Extraction, ExtractionError, Source
from workers.extract.charset import decode
from workers.extract.markup import Element
from workers.extract.zipped import Zipped

warm = ocr.warm

_PAGES = frozenset({"application/xhtml+xml", "text/html", "text/x-oeb1-document"})
# Scrambled fonts are no protection of the text: EPUB 3.3, 4.2.6.3, and Adobe's older way.
_FONT_SCRAMBLING = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    with zipped.opened(source.path) as archive:
        _refuse_encrypted(archive)
        package = _package_name(archive)
        root = markup.parse(archive.read(package, limits.MAX_TREE_BYTES), lenient=True)
        metadata = _metadata(root)
        assembly.title = metadata.pop("title", "")
        for name in _chapters(root, posixpath.dirname(package)):
            _add_chapter(archive, name, assembly)
    language = metadata.pop("language", "").lower().replace("_", "-").partition("-")[0]
    extraction = assembly.finish()
    return dataclasses.replace(extraction, language=language if len(language) == 2 else "", metadata=metadata)


def _refuse_encrypted(archive: Zipped) -> None:
    if "META-INF/encryption.xml" in archive:
        root = markup.parse(archive.read("META-INF/encryption.xml", limits.MAX_TREE_BYTES), lenient=True)
        methods = {item.get("Algorithm") for item in markup.descendants(root, "EncryptionMethod")}
        if methods - _FONT_SCRAMBLING:
            raise ExtractionError(
                "encrypted", "The book is protected against copying and cannot be read here."
            )


def _package_name(archive: Zipped) -> str:
    if "META-INF/container.xml" in archive:
        container = markup.parse(archive.read("META-INF/container.xml", limits.MAX_TREE_BYTES), lenient=True)
        for item in markup.descendants(container, "rootfile"):
            if (name := item.get("full-path") or "") in archive:
                return name
    found = next((name for name in archive.members if name.lower().endswith(".opf")), "")
    if not found:
        raise ExtractionError("corrupt", "The book has no list of its chapters.")
    return found


def _metadata(root: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    names = {"title": "title", "language": "language", "creator": "author", "subject": "subject"}
    names |= {"description": "description", "publisher": "publisher", "date": "published_at"}
    metadata = markup.child(root, "metadata")
    for item in () if metadata is None else metadata.iter():
        name = names.get(markup.local(item))
        if name and (item.text or "").strip():
            found.setdefault(name, item.text.strip())
    return found


def _chapters(root: Element, folder: str) -> list[str]:
    """The members that are the book's pages, in reading order, without its table of contents."""
    manifest = markup.child(root, "manifest")
    items = {} if manifest is None else {item.get("id") or "": item for item in manifest}
    spine = markup.child(root, "spine")
    found = []
    for reference in () if spine is None else spine:
        item = items.get(reference.get("idref") or "")
        if item is None or "nav" in (item.get("properties") or "").split():
            continue
        if (item.get("media-type") or "").lower() in _PAGES:
            found.append(_member(folder, item.get("href") or ""))
    return list(dict.fromkeys(found))


def _add_chapter(archive: Zipped, name: str, assembly: Assembly) -> None:
    folder = posixpath.dirname(name)

    def carried(link: str) -> bytes | None:
        member = _member(folder, link)
        return archive.read(member) if member in archive else None

    try:
        text = decode(archive.read(name, limits.MAX_TEXT_BYTES)).text
    except ExtractionError as error:
        assembly.warn("page_unreadable", f"A chapter could not be read. {error.message}")
        return
    assembly.carried = carried
    html.add_page(text, assembly)


def _member(folder: str, link: str) -> str:
    path = unquote(urlsplit(link).path)
    return posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")
