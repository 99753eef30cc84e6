"""Which parser reads which media type? Named, not imported, so that a child loads only the one it needs."""

from kb.containers import (
    DOCX,
    ENCRYPTED_PACKAGE,
    KEYNOTE,
    NUMBERS,
    ODG,
    ODP,
    ODS,
    ODT,
    PAGES,
    PPTX,
    VSDX,
    XLSB,
    XLSX,
)

# media type -> "module:function", the function being a workers.extract.base.Extractor. A module may also have
# `warm() -> None`, which loads what is slow to load; it runs once, before any untrusted byte is read.
PARSERS: dict[str, str] = {
    "text/plain": "workers.extract.text:extract",
    "text/markdown": "workers.extract.markdown:extract",
    "text/x-rst": "workers.extract.rst:extract",
    "text/html": "workers.extract.html:extract",
    "text/csv": "workers.extract.delimited:extract",
    "text/tab-separated-values": "workers.extract.delimited:extract",
    "text/xml": "workers.extract.xml:extract",
    "text/x-tex": "workers.extract.latex:extract",
    "application/json": "workers.extract.jsons:extract",
    "application/rtf": "workers.extract.rtf:extract",
    "application/epub+zip": "workers.extract.epub:extract",
    DOCX: "workers.extract.docx:extract",
    PPTX: "workers.extract.pptx:extract",
    XLSX: "workers.extract.xlsx:extract",
    ODT: "workers.extract.odf:extract",
    ODS: "workers.extract.odf:extract",
    ODP: "workers.extract.odf:extract",
    ODG: "workers.extract.odf:extract",
    ENCRYPTED_PACKAGE: "workers.extract.locked:extract",
    "application/pdf": "workers.extract.pdf:extract",
    "image/png": "workers.extract.image:extract",
    "image/jpeg": "workers.extract.image:extract",
    "image/webp": "workers.extract.image:extract",
    "video/mp4": "workers.extract.video:extract",
    "video/quicktime": "workers.extract.video:extract",
    "video/x-matroska": "workers.extract.video:extract",
    "video/webm": "workers.extract.video:extract",
    "video/x-msvideo": "workers.extract.video:extract",
    "video/ogg": "workers.extract.video:extract",
    "audio/mpeg": "workers.extract.audio:extract",
    "audio/mp4": "workers.extract.audio:extract",
    "audio/wav": "workers.extract.audio:extract",
    "audio/flac": "workers.extract.audio:extract",
    "audio/ogg": "workers.extract.audio:extract",
    "text/vtt": "workers.extract.subtitles:extract",
    "application/x-subrip": "workers.extract.subtitles:extract",
}

# Read as what LibreOffice makes of it (workers/extract/conversion.py): media type -> the media type it becomes. Tables
# become Excel's, which is read as a stream; drawings become pages, of which a picture says more than the words.
CONVERTED: dict[str, str] = {
    "application/msword": ODT,
    "application/x-mswrite": ODT,
    "application/vnd.ms-works": ODT,
    "application/vnd.wordperfect": ODT,
    "application/x-hwp": ODT,
    "application/vnd.sun.xml.writer": ODT,
    "application/vnd.stardivision.writer": ODT,
    PAGES: ODT,
    "application/vnd.ms-excel": XLSX,
    XLSB: XLSX,
    "application/vnd.lotus-1-2-3": XLSX,
    "application/x-quattro-pro": XLSX,
    "application/vnd.sun.xml.calc": XLSX,
    "application/vnd.stardivision.calc": XLSX,
    NUMBERS: XLSX,
    "application/vnd.ms-powerpoint": ODP,
    "application/vnd.sun.xml.impress": ODP,
    "application/vnd.stardivision.impress": ODP,
    KEYNOTE: ODP,
    "application/vnd.visio": "application/pdf",
    VSDX: "application/pdf",
    "application/x-mspublisher": "application/pdf",
    "application/vnd.sun.xml.draw": "application/pdf",
}
# Tells why a conversion failed.
EXPLAINER = "workers.extract.legacy:explain"
# What listens to a recording, for a speech model.
LISTENER = "workers.extract.sound:extract"
