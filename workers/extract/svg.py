"""What does a drawing show and say? Its picture, drawn once, and the words in it.

The drawing is cleaned before it is drawn: no script, no link out of it, no entity is left, so that neither a file
of this host nor an address elsewhere can be named in it.
"""

import io
import re

import resvg_py
from lxml import etree
from PIL import Image

from workers.extract import limits, ocr, pixels
from workers.extract.assemble import Assembly, one_line
from workers.extract.base import Extraction, ExtractionError, Picture, Source

warm = ocr.warm

_SPACE = "{http://www.w3.org/2000/svg}"
_DROPPED = {f"{_SPACE}{name}" for name in ("script", "foreignObject", "handler", "iframe", "audio", "video")}
_TOLD = {f"{_SPACE}{name}" for name in ("title", "desc", "text")}
# What may be named: another element of the drawing, or a picture inside it. A drawing inside it could name others.
_INSIDE = re.compile(r"\s*(#|data:image/(png|jpe?g|gif|webp)[;,])", re.IGNORECASE)
_LINK = re.compile(r"(?:\{[^}]*\})?(?:href|src)$")
_OUTSIDE_STYLE = re.compile(r"@import[^;]*;?|url\(\s*[\"']?(?!#|data:)[^)]*\)", re.IGNORECASE)
_NUMBER = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*(px|pt|mm|cm|in)?\s*$")
_PX = {None: 1.0, "px": 1.0, "pt": 4 / 3, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
# Drawn at this size, whatever it says: text stays legible, and a page of paths takes a second.
_SIDE_PX = 1600


def extract(source: Source) -> Extraction:
    with source.path.open("rb") as file:
        data = file.read(limits.MAX_TEXT_BYTES + 1)
    if not data.strip():
        raise ExtractionError("empty_file")
    if len(data) > limits.MAX_TEXT_BYTES:
        raise ExtractionError("too_large", "The drawing is larger than the limit. Export it as PNG.")
    root = _cleaned(data)
    assembly = Assembly(source.scratch)
    _tell(root, assembly)
    width, height = _size(root)
    try:
        picture = _draw(root, width, height)
    except (ValueError, ExtractionError) as error:
        if assembly.empty:
            raise ExtractionError("corrupt") from error
        assembly.warn("figure_unreadable", "The drawing could not be drawn; its words are searchable.")
        return assembly.finish()
    # Words drawn as curves are only in the picture.
    lines = () if not assembly.empty else ocr.read_lines(pixels.flat(picture))
    drawn = Picture(
        "image",
        file=pixels.store(picture, source.scratch, "image"),
        ocr=lines,
        width_px=picture.width,
        height_px=picture.height,
    )
    found = assembly.finish([drawn])
    return Extraction(
        blocks=found.blocks,
        pictures=found.pictures,
        title=found.title,
        width_px=round(width) or None,
        height_px=round(height) or None,
        warnings=found.warnings,
    )


def _cleaned(data: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ExtractionError("corrupt") from error
    if root is None:
        raise ExtractionError("corrupt")
    for node in list(root.iter()):
        # An entity that was not resolved is a node whose tag is a function.
        if not isinstance(node.tag, str) or node.tag in _DROPPED:
            _drop(node)
            continue
        for name, value in list(node.attrib.items()):
            if _LINK.search(name) and not _INSIDE.match(value):
                del node.attrib[name]
            elif name == "style" or "url(" in value:
                node.attrib[name] = _OUTSIDE_STYLE.sub("", value)
        if node.tag == f"{_SPACE}style" and node.text:
            node.text = _OUTSIDE_STYLE.sub("", node.text)
    return root


def _drop(node: etree._Element) -> None:
    parent = node.getparent()
    if parent is not None:
        node.tail = node.tail or None
        previous = node.getprevious()
        if node.tail and previous is not None:
            previous.tail = (previous.tail or "") + node.tail
        elif node.tail:
            parent.text = (parent.text or "") + node.tail
        parent.remove(node)


def _tell(root: etree._Element, assembly: Assembly) -> None:
    for node in root.iter(*_TOLD):
        words = one_line(" ".join(node.itertext()))
        if node.tag == f"{_SPACE}title" and node.getparent() is root:
            assembly.title = words
        assembly.add(words, "caption" if node.tag == f"{_SPACE}desc" else "paragraph")


def _size(root: etree._Element) -> tuple[float, float]:
    """As it says itself, in pixels; a square when it does not."""
    width, height = (_pixels(root.get(name, "")) for name in ("width", "height"))
    box = [
        float(number) for number in re.findall(r"-?[0-9]*\.?[0-9]+(?:e-?[0-9]+)?", root.get("viewBox", ""))
    ]
    if len(box) == 4 and box[2] > 0 and box[3] > 0:
        if not width and not height:
            width, height = box[2], box[3]
        width, height = width or height * box[2] / box[3], height or width * box[3] / box[2]
    return (width, height) if 0 < width < 1e6 and 0 < height < 1e6 else (_SIDE_PX, _SIDE_PX)


def _pixels(length: str) -> float:
    found = _NUMBER.match(length)
    return float(found[1]) * _PX[found[2]] if found else 0.0


def _draw(root: etree._Element, width: float, height: float) -> Image.Image:
    scale = _SIDE_PX / max(width, height)
    drawn = resvg_py.svg_to_bytes(
        svg_string=etree.tostring(root, encoding="unicode"),
        width=max(1, round(width * scale)),
        height=max(1, round(height * scale)),
        background="#ffffff",
        dpi=96,  # Zero, its default, makes every length in centimetres nothing.
    )
    with pixels.opened(io.BytesIO(bytes(drawn)), ("PNG",)) as image:
        return pixels.upright(image, _SIDE_PX)
