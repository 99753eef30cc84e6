"""How does a picture in a document become a figure? By its link, its bytes, or those in a `data:` address."""

import base64
import binascii
import io
import re
from urllib.parse import unquote_to_bytes

from workers.extract import limits, ocr, pixels
from workers.extract.assemble import Assembly, one_line
from workers.extract.base import ExtractionError, Picture

# What documents carry besides the formats that are stored: the decoders that Pillow tests against fuzzers.
_FORMATS = (*pixels.FORMATS, "GIF", "BMP", "TIFF")
_DATA = re.compile(r"data:[^,;]*((?:;[^,;]*)*),", re.IGNORECASE)


def add_image(link: str, *, alt: str, caption: str, assembly: Assembly) -> None:
    """A picture that the text shows here. Never fetched; an embedded one is decoded within the caps."""
    link, alt, caption = link.strip(), one_line(alt), one_line(caption)
    embedded = _DATA.match(link)
    data = None if embedded else assembly.carried(link)
    if data is not None:
        add_bytes(data, assembly=assembly, alt=alt, caption=caption)
        return
    if embedded:
        picture = _embedded(link, embedded, alt=alt, caption=caption, assembly=assembly)
    else:
        picture = Picture("figure", link=link, alt_text=alt, caption=caption) if link else None
    if picture is not None:
        assembly.figure(picture)


def add_bytes(
    data: bytes,
    *,
    assembly: Assembly,
    alt: str = "",
    caption: str = "",
    page: int | None = None,
    link: str = "",
) -> None:
    """A picture that the document carries. What it shows is read, too, of the first few."""
    if assembly.figures >= limits.MAX_FIGURES:
        assembly.figure(Picture("figure"))  # Which says that there are more.
        return
    alt, caption = one_line(alt), one_line(caption)
    picture = _stored(data, alt=alt, caption=caption, page=page, link=link, assembly=assembly)
    if picture is not None:
        assembly.figure(picture)


def _embedded(
    link: str, head: re.Match[str], *, alt: str, caption: str, assembly: Assembly
) -> Picture | None:
    if assembly.figures >= limits.MAX_FIGURES or len(link) > 2 * limits.MAX_DATA_URI_BYTES:
        assembly.warn("figure_unreadable", "")
        return None
    payload = unquote_to_bytes(link[head.end() :])
    try:
        data = base64.b64decode(payload) if ";base64" in head[1].lower() else payload
    except binascii.Error:
        assembly.warn("figure_unreadable", "")
        return None
    return _stored(data, alt=alt, caption=caption, page=None, link="", assembly=assembly)


def _stored(
    data: bytes, *, alt: str, caption: str, page: int | None, link: str, assembly: Assembly
) -> Picture | None:
    """The figure with its pixels in a file; with its words alone, where there are some, when it cannot be shown."""
    try:
        with pixels.opened(io.BytesIO(data), _FORMATS) as image:
            if min(image.size) < limits.MIN_FIGURE_SIDE_PX:
                return None
            upright = pixels.upright(image, limits.MAX_IMAGE_SIDE_PX)
    except ExtractionError:
        if _is_drawing(data):
            message = "Drawings in the forms EMF, WMF and SVG are found by the words around them only."
        else:
            message = ""
        assembly.warn("figure_unreadable", message)
        return Picture("figure", alt_text=alt, caption=caption, page=page) if alt or caption else None
    file = pixels.store(upright, assembly.scratch, f"figure-{assembly.figures + 1:04}")
    lines = ocr.read_lines(pixels.flat(upright)) if assembly.figures < limits.MAX_OCR_FIGURES else ()
    return Picture(
        "figure",
        file=file,
        link=link,
        page=page,
        alt_text=alt,
        caption=caption,
        ocr=lines,
        width_px=upright.width,
        height_px=upright.height,
    )


def _is_drawing(data: bytes) -> bool:
    head = data[:512].lstrip()
    # Windows metafiles, plain, placeable and enhanced; they come zipped in presentations.
    return data.startswith((b"\xd7\xcd\xc6\x9a", b"\x01\x00\x09\x00", b"\x01\x00\x00\x00", b"\x1f\x8b")) or (
        head.startswith((b"<svg", b"<?xml"))
    )
