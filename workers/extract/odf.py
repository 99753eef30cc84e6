"""What does an OpenDocument file say? Text, slides or sheets: the zipped form and the flat one in one XML file.

Read with lxml and not odfpy 1.4, which opens the zipped form only and cannot read a large sheet as a stream.
"""

import dataclasses
import re
from collections.abc import Iterator

from kb.containers import ODS
from workers.extract import limits, markup, ocr, odf_sheets, zipped
from workers.extract.assemble import Assembly
from workers.extract.base import Extraction, ExtractionError, Source
from workers.extract.markup import Element
from workers.extract.odf_pictures import Carrier, FlatCarrier, ZipCarrier
from workers.extract.odf_text import Reader

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


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    with source.path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    if is_zip:
        with zipped.opened(source.path) as archive:
            _refuse_encrypted(archive)
            meta = markup.parse(archive.read("meta.xml"), lenient=True) if "meta.xml" in archive else None
            if source.media_type == ODS:
                with archive.opened("content.xml", limits.MAX_UNPACKED_MARKUP_BYTES) as content:
                    pages = odf_sheets.read(content, ZipCarrier(archive), assembly)
            else:
                root = markup.parse(archive.read("content.xml", limits.MAX_TREE_BYTES))
                pages = _read(root, ZipCarrier(archive), assembly)
    elif source.media_type == ODS:
        meta = None
        with source.path.open("rb") as file:
            pages = odf_sheets.read(file, FlatCarrier(), assembly)
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
    """The number of slides; 0 for a text."""
    body = markup.child(root, "body")
    content = next(iter(() if body is None else body), None)
    if content is None:
        raise ExtractionError("corrupt")
    reader = Reader(root, carrier, assembly)
    if markup.local(content) in {"presentation", "drawing"}:
        return reader.slides(content)
    reader.blocks(content, None)
    return 0
