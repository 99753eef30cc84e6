"""Which parts of a PDF page are figures, and which words are their captions?"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from workers.extract import limits
from workers.extract.base import Box
from workers.extract.layout import Paragraph
from workers.extract.pdf_text import to_shares

# Tiles of one picture touch; two pictures are further apart than this share of the page.
_TOUCHING = 0.004
# Lines of a drawing stand apart, but by less than its distance from the next one.
_DRAWING_GAP = 0.03
# A picture this large is the page itself: a scan or a background.
_WHOLE_PAGE = 0.85
# Of the page, each way: below it a logo or an icon. A drawing of lines must be larger to be no underline or
# table rule.
_MIN_SIDE, _MIN_DRAWING_SIDE = 0.05, 0.1
# A drawing has at least so many strokes and fills; a frame has four.
_MIN_STROKES = 6
# How far from its figure a caption stands, as a share of the page's height.
_CAPTION_DISTANCE = 0.06
_MAX_CAPTION_CHARACTERS = 400
# Words along an axis: short, and nearer than the next line of text.
_MAX_LABEL_CHARACTERS = 30
_LABEL_GAP = 0.012
_CAPTION = re.compile(
    r"(?:fig(?:ure|\.)?|chart|diagram|illustration|plate|screenshot|photo|abb(?:ildung|\.)?|図|图表?|圖)"
    r"\s*[.:]?\s*(?:[a-z]?[\d一二三四五六七八九十]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Figure:
    box: Box
    caption: str
    after: int  # Index of the paragraph that it stands before.


def find(page: pdfium.PdfPage, paragraphs: Sequence[Paragraph]) -> list[Figure]:
    """The figures of one page, given its paragraphs."""
    width, height = page.get_size()
    texts = [_scaled(paragraph, width, height) for paragraph in paragraphs]
    captions = [bool(_CAPTION.match(paragraph.text)) for paragraph in paragraphs]
    images, strokes = _objects(page, drawings=any(captions))
    boxes = [box for box in _merged(images, _TOUCHING) if _is_figure(box)]
    boxes += _drawings(
        strokes, boxes, [text for text, is_caption in zip(texts, captions, strict=True) if is_caption]
    )
    words = [
        text
        for text, paragraph, is_caption in zip(texts, paragraphs, captions, strict=True)
        if not is_caption and len(paragraph.text) <= _MAX_LABEL_CHARACTERS
    ]
    boxes = [_with_labels(box, words) for box in boxes]
    figures = []
    taken: set[int] = set()
    for box in sorted(boxes, key=lambda box: (box[1], box[0])):
        at = _caption_of(box, texts, captions, taken, paragraphs)
        if at is not None:
            taken.add(at)
        below = next((index for index, text in enumerate(texts) if text[1] >= box[3] - 0.01), len(texts))
        caption = "" if at is None else paragraphs[at].text[:_MAX_CAPTION_CHARACTERS]
        figures.append(Figure(box, caption, below if at is None else at))
    return figures


def labels(page: pdfium.PdfPage, figures: Sequence[Figure], paragraphs: Sequence[Paragraph]) -> set[int]:
    """Which paragraphs stand inside a figure: the words on an axis or in a box of a diagram."""
    width, height = page.get_size()
    inside = set()
    for index, paragraph in enumerate(paragraphs):
        left, top, right, bottom = _scaled(paragraph, width, height)
        middle = ((left + right) / 2, (top + bottom) / 2)
        for figure in figures:
            box = figure.box
            if (
                box[0] <= middle[0] <= box[2]
                and box[1] <= middle[1] <= box[3]
                and paragraph.text != figure.caption
            ):
                inside.add(index)
    return inside


def _objects(page: pdfium.PdfPage, *, drawings: bool) -> tuple[list[Box], list[Box]]:
    """Boxes of the pictures and, if `drawings`, of the strokes and fills on the page."""
    wanted = [raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING]
    if drawings:
        wanted.append(raw.FPDF_PAGEOBJ_PATH)
    images: list[Box] = []
    strokes: list[Box] = []
    objects = page.get_objects(filter=wanted, max_depth=limits.MAX_FORM_DEPTH)
    for item in islice(objects, limits.MAX_PAGE_OBJECTS):
        box = _box(page, item)
        if box is not None:
            (strokes if item.type == raw.FPDF_PAGEOBJ_PATH else images).append(box)
    return images, strokes


def _box(page: pdfium.PdfPage, item: Any) -> Box | None:
    try:
        left, bottom, right, top = item.get_bounds()
    except pdfium.PdfiumError:
        return None
    corners = [(left, bottom), (right, bottom), (left, top), (right, top)]
    form = item.container
    while form is not None:  # Inside a form, coordinates are the form's own.
        matrix = form.get_matrix()
        corners = [matrix.on_point(x, y) for x, y in corners]
        form = form.container
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    # Infinite and absurd numbers are legal in the file; the page's edge is all that is seen.
    if not all(abs(value) < 1e7 for value in (*xs, *ys)):
        return None
    shares = to_shares(page, min(xs), min(ys), max(xs), max(ys))
    left, top, right, bottom = (min(1.0, max(0.0, share)) for share in shares)
    return (left, top, right, bottom) if right > left or bottom > top else None


def _is_figure(box: Box) -> bool:
    wide, high = box[2] - box[0], box[3] - box[1]
    return min(wide, high) >= _MIN_SIDE and wide * high < _WHOLE_PAGE


def _merged(boxes: Sequence[Box], gap: float) -> list[Box]:
    """Boxes with those that touch within `gap` made one."""
    groups: list[Box] = []
    for box in boxes:
        grown = box
        while True:
            near = [group for group in groups if _near(group, grown, gap)]
            if not near:
                break
            groups = [group for group in groups if group not in near]
            grown = _union([grown, *near])
        groups.append(grown)
    return groups


def _with_labels(box: Box, words: Sequence[Box]) -> Box:
    """A chart with the numbers and titles along its axes, which are text beside the picture."""
    near = [word for word in words if _near(box, word, _LABEL_GAP) and _mostly_beside(box, word)]
    # Twice: the title of an axis stands beyond its numbers.
    first = _union([box, *near])
    return _union(
        [first, *(word for word in words if _near(first, word, _LABEL_GAP) and _mostly_beside(first, word))]
    )


def _mostly_beside(box: Box, word: Box) -> bool:
    """Whether the word's middle lies within the box's width or height, so that it belongs to that edge."""
    across, down = (word[0] + word[2]) / 2, (word[1] + word[3]) / 2
    return (box[0] <= across <= box[2] or box[1] <= down <= box[3]) and word[2] - word[0] <= box[2] - box[0]


def _near(one: Box, other: Box, gap: float) -> bool:
    return (
        one[0] - gap <= other[2]
        and other[0] - gap <= one[2]
        and one[1] - gap <= other[3]
        and other[1] - gap <= one[3]
    )


def _union(boxes: Sequence[Box]) -> Box:
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


def _drawings(strokes: Sequence[Box], images: Sequence[Box], captions: Sequence[Box]) -> Iterator[Box]:
    """Charts and diagrams made of lines: told from rules and tables only by a caption that stands below."""
    inked = [box for box in strokes if (box[2] - box[0]) * (box[3] - box[1]) < _WHOLE_PAGE]
    for group in _merged(inked, _DRAWING_GAP):
        if min(group[2] - group[0], group[3] - group[1]) < _MIN_DRAWING_SIDE:
            continue
        if sum(_near(group, box, 0) for box in inked) < _MIN_STROKES or any(
            _near(group, box, 0) for box in images
        ):
            continue
        if any(_distance(group, caption, below_only=True) is not None for caption in captions):
            yield group


def _caption_of(
    box: Box, texts: Sequence[Box], captions: Sequence[bool], taken: set[int], paragraphs: Sequence[Paragraph]
) -> int | None:
    """The paragraph that names itself a figure's caption and is nearest; else the short one right below."""
    best: tuple[bool, float] | None = None
    found = None
    for index, text in enumerate(texts):
        if index in taken or len(paragraphs[index].text) > _MAX_CAPTION_CHARACTERS:
            continue
        distance = _distance(box, text, below_only=not captions[index])
        if distance is None:
            continue
        rank = (not captions[index], distance)
        # A line that does not call itself a caption must stand very near, and be one.
        if not captions[index] and (distance > _CAPTION_DISTANCE / 3 or len(paragraphs[index].lines) > 2):
            continue
        if best is None or rank < best:
            best, found = rank, index
    return found


def _distance(box: Box, text: Box, *, below_only: bool) -> float | None:
    """White between a figure and a text below (or above) it; None when it does not stand there."""
    if text[2] < box[0] or text[0] > box[2]:
        return None
    below, above = text[1] - box[3], box[1] - text[3]
    if -0.01 <= below <= _CAPTION_DISTANCE:
        return max(0.0, below)
    # Above counts as a little further: captions of figures stand below, those of tables above.
    return None if below_only or not -0.01 <= above <= _CAPTION_DISTANCE else above + _CAPTION_DISTANCE


def _scaled(paragraph: Paragraph, width: float, height: float) -> Box:
    left, top, right, bottom = paragraph.box
    return (left / width, top / height, right / width, bottom / height)
