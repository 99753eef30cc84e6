"""Which pictures are shown inside this one? A screenshot has windows, bars and words around the picture it is about."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Mask = npt.NDArray[np.uint8]

# The page is looked at in so many pixels a side, two of them as one: a frame of one pixel on a large screen survives.
SIDE_PX, POOLED = 1000, 2
# Steps between a page's colour and a picture's that count as a rim; compression makes steps of less.
STEP = 24
# Smaller things on a page are icons and buttons. Larger than the most is the page itself.
LEAST_SHARE, MOST_SHARE = 0.03, 0.98
# Words leave most of their box in the page's colour; a picture fills a good part of it, or has a frame drawn around it.
LEAST_FILL, LEAST_FRAME = 0.35, 0.85
LONGEST_ASPECT = 8
# Nothing is shown inside a picture of so few pixels;
LEAST_SIDE_PX = 16
MOST = 4


def inner_pictures(image: Image.Image) -> list[Image.Image]:
    """RGB parts of the RGB `image` that look like pictures on a page, or like one within borders; largest first."""
    # Loaded where it is used: whoever only encodes needs no OpenCV.
    import cv2

    # OpenCV reads beyond an image of no pixels.
    if min(image.size) < LEAST_SIDE_PX:
        return []
    small = image
    if max(image.size) > SIDE_PX:
        small = image.copy()
        small.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR, reducing_gap=2.0)
        if min(small.size) < LEAST_SIDE_PX:
            return []
    values = np.asarray(small)
    boxes: dict[tuple[int, int, int, int], int] = {}
    for colour in _page_colours(values):
        mask = _differs(values, colour)
        for box in (_bounds(mask), *_framed(mask, cv2)):
            area = (box[2] - box[0]) * (box[3] - box[1])
            if LEAST_SHARE * mask.size <= area <= MOST_SHARE * mask.size and _is_new(box, boxes):
                boxes[box] = area
    largest = sorted(boxes, key=lambda box: (-boxes[box], box))[:MOST]
    scale = POOLED * image.width / small.width
    return [_cut(image, box, scale) for box in largest]


def _cut(image: Image.Image, box: tuple[int, int, int, int], scale: float) -> Image.Image:
    left, top, right, bottom = (round(side * scale) for side in box)
    return image.crop((left, top, min(right, image.width), min(bottom, image.height)))


def _page_colours(values: Mask) -> list[npt.NDArray[np.uint8]]:
    """The colour along the rim, and the commonest one, each as the middle of what falls into one of 16 shades."""
    rim = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    found: list[npt.NDArray[np.uint8]] = []
    for sample in (rim, values[::4, ::4].reshape(-1, 3)):
        shades = (sample >> 4).astype(np.int32) @ np.array([256, 16, 1], dtype=np.int32)
        commonest = np.bincount(shades, minlength=4096).argmax()
        colour = np.median(sample[shades == commonest], axis=0).astype(np.uint8)
        if not any(np.abs(colour.astype(int) - other.astype(int)).max() <= STEP // 2 for other in found):
            found.append(colour)
    return found


def _differs(values: Mask, colour: npt.NDArray[np.uint8]) -> Mask:
    """1 where any pixel of a group differs from `colour`."""
    height, width = (side // POOLED * POOLED for side in values.shape[:2])
    part = values[:height, :width]
    low = np.clip(colour.astype(int) - STEP, 0, 255).astype(np.uint8)
    high = np.clip(colour.astype(int) + STEP, 0, 255).astype(np.uint8)
    differs = ((part < low) | (part > high)).any(axis=2)
    groups = differs.reshape(height // POOLED, POOLED, width // POOLED, POOLED)
    return np.asarray(groups.any(axis=(1, 3)), dtype=np.uint8)


def _bounds(mask: Mask) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return (0, 0, 0, 0)
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _framed(mask: Mask, cv2: Any) -> list[tuple[int, int, int, int]]:
    """Boxes of connected parts that fill them, or whose rim is drawn."""
    found = []
    for left, top, width, height, count in cv2.connectedComponentsWithStats(mask, connectivity=8)[2][
        1:
    ].tolist():
        if width * height < LEAST_SHARE * mask.size or max(width, height) > LONGEST_ASPECT * min(
            width, height
        ):
            continue
        part = mask[top : top + height, left : left + width]
        rim = np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]])
        if count >= LEAST_FILL * width * height or rim.mean() >= LEAST_FRAME:
            found.append((left, top, left + width, top + height))
    return found


def _is_new(box: tuple[int, int, int, int], boxes: dict[tuple[int, int, int, int], int]) -> bool:
    """Not within a pixel or two of one that is there."""
    return all(max(abs(a - b) for a, b in zip(box, other, strict=True)) > 2 for other in boxes)
