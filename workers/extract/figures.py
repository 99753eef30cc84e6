"""How does a picture that a text names become a figure? By its link, or the bytes in a `data:` address."""

import base64
import binascii
import io
import re
from urllib.parse import unquote_to_bytes

from workers.extract import limits, pixels
from workers.extract.assemble import Assembly, one_line
from workers.extract.base import ExtractionError, Picture

_DATA = re.compile(r"data:[^,;]*((?:;[^,;]*)*),", re.IGNORECASE)


def add_image(link: str, *, alt: str, caption: str, assembly: Assembly) -> None:
    """A picture that the text shows here. Never fetched; an embedded one is decoded within the caps."""
    link, alt, caption = link.strip(), one_line(alt), one_line(caption)
    embedded = _DATA.match(link)
    if embedded:
        picture = _embedded(link, embedded, alt=alt, caption=caption, assembly=assembly)
    else:
        picture = Picture("figure", link=link, alt_text=alt, caption=caption) if link else None
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
    return embedded_picture(data, alt=alt, caption=caption, assembly=assembly)


def embedded_picture(data: bytes, *, alt: str, caption: str, assembly: Assembly) -> Picture | None:
    """The figure that these bytes are, its pixels written; None for an icon and for what no picture is."""
    try:
        with pixels.opened(io.BytesIO(data)) as image:
            if min(image.size) < limits.MIN_FIGURE_SIDE_PX:
                return None
            upright = pixels.upright(image, limits.MAX_IMAGE_SIDE_PX)
    except ExtractionError:
        assembly.warn("figure_unreadable", "")
        return None
    file = pixels.store(upright, assembly.scratch, f"figure-{assembly.figures + 1:04}")
    return Picture(
        "figure", file=file, alt_text=alt, caption=caption, width_px=upright.width, height_px=upright.height
    )
