"""What is written in this picture, as far as the caps on untrusted files allow?"""

import os
from typing import TYPE_CHECKING

from retrieval import reading
from workers.extract import limits
from workers.extract.base import OcrLine

if TYPE_CHECKING:
    from PIL import Image


def is_wanted() -> bool:
    """KB_OCR_THREADS=0 brings pictures in as they look, many times faster, and without the words in them."""
    return os.environ.get("KB_OCR_THREADS") != "0"


def warm() -> None:
    """Load the models before the fork."""
    if is_wanted():
        reading.warm()


def read_lines(image: "Image.Image") -> tuple[OcrLine, ...]:
    """The lines of text in reading order, boxes as shares of the picture; none where a site reads no pictures."""
    if not is_wanted():
        return ()
    lines = reading.read_lines(image, max_side_px=limits.MAX_OCR_SIDE_PX)
    return tuple(OcrLine(line.text, line.box) for line in lines[: limits.MAX_OCR_LINES])
