"""What is written in this picture, as far as the caps on untrusted files allow?"""

from typing import TYPE_CHECKING

from retrieval import reading
from retrieval.reading import warm
from workers.extract import limits
from workers.extract.base import OcrLine

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["read_lines", "warm"]


def read_lines(image: "Image.Image") -> tuple[OcrLine, ...]:
    """The lines of text in reading order, boxes as shares of the picture."""
    lines = reading.read_lines(image, max_side_px=limits.MAX_OCR_SIDE_PX)
    return tuple(OcrLine(line.text, line.box) for line in lines[: limits.MAX_OCR_LINES])
