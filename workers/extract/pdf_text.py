"""What is written on a PDF page, line by line, where and how large?"""

import ctypes
import math
import re
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from workers.extract.layout import Line

# PageToDevice answers in whole pixels: a page this wide puts a pixel below a hundredth of a point.
_GRID = 1_000_000
_BOLD_WEIGHT = 600
_BOLD_NAME = re.compile(rb"bold|black|heavy|semibold", re.IGNORECASE)
# Characters that a broken font yields instead of letters: private use, the replacement character, controls.
_NO_LETTER = re.compile("[\ue000-\uf8ff\ufffd\x00-\x08\x0e-\x1f]")
# Fewer letters than a page number has, or mostly no letters at all: the page is a picture to a reader of
# text.
_MIN_LETTERS = 8
_MAX_BROKEN_SHARE = 0.4
# pdfium writes U+FFFE (U+0002 in older ones) for a hyphen at a line's end, and goes on without a line break;
# workers.extract.layout makes the word whole again.
_LINE_ENDS = re.compile(r"(?<=[\x02\ufffe])|\r\n|\r|\n")


def to_shares(
    page: Any, left: float, bottom: float, right: float, top: float
) -> tuple[float, float, float, float]:
    """PDF page coordinates as shares of the page as it is seen, rotation and crop box applied."""
    xs, ys = [], []
    x, y = ctypes.c_int(), ctypes.c_int()
    for across, up in ((left, bottom), (right, top)):
        raw.FPDF_PageToDevice(page, 0, 0, _GRID, _GRID, 0, across, up, x, y)
        xs.append(x.value / _GRID)
        ys.append(y.value / _GRID)
    return (min(xs), min(ys), max(xs), max(ys))


def lines(page: pdfium.PdfPage, number: int) -> list[Line]:
    """The lines of the page's own text in the order of the file; none when it has no legible text."""
    width, height = page.get_size()
    textpage = page.get_textpage()
    count = textpage.count_chars()
    text = _characters(textpage, count)
    if not _legible(text):
        return []
    found = []
    start = 0
    for end, following in [*(match.span() for match in _LINE_ENDS.finditer(text)), (len(text), len(text))]:
        words = text[start:end]
        if words.strip():
            box = _box(page, textpage, start, end - start)
            if box is not None:
                left, top, right, bottom = box
                sample = start + len(words) - len(words.lstrip())
                found.append(
                    Line(
                        words.strip(),
                        left * width,
                        top * height,
                        right * width,
                        bottom * height,
                        size=_size(textpage, sample),
                        bold=_bold(textpage, sample),
                        page=number,
                    )
                )
        start = following
    return found


def _characters(textpage: Any, count: int) -> str:
    """One character for each of pdfium's, so that positions in the text are its character indexes."""
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    units = raw.FPDFText_GetText(textpage, 0, count, buffer)
    text = ctypes.string_at(buffer, 2 * max(0, units - 1)).decode("utf-16-le", errors="replace")
    if len(text) == count:
        return text
    # Some characters take two units, or none: ask for each by itself.
    codes = (raw.FPDFText_GetUnicode(textpage, index) for index in range(count))
    return "".join(chr(code) if code < 0x110000 else "\ufffd" for code in codes)


def _legible(text: str) -> bool:
    letters = "".join(text.split())
    return len(letters) >= _MIN_LETTERS and len(_NO_LETTER.findall(letters)) <= _MAX_BROKEN_SHARE * len(
        letters
    )


def _box(page: Any, textpage: Any, start: int, count: int) -> tuple[float, float, float, float] | None:
    edges = [ctypes.c_double() for _ in range(4)]
    boxes = []
    for index in range(raw.FPDFText_CountRects(textpage, start, count)):
        if raw.FPDFText_GetRect(textpage, index, *edges):
            left, top, right, bottom = (edge.value for edge in edges)
            boxes.append((left, bottom, right, top))
    if not boxes:
        return None
    return to_shares(
        page,
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


def _size(textpage: Any, index: int) -> float:
    """The letters' size as seen: the font's own number times what the text's matrix makes of it."""
    matrix = raw.FS_MATRIX()
    size = float(raw.FPDFText_GetFontSize(textpage, index))
    if not raw.FPDFText_GetMatrix(textpage, index, matrix):
        return size
    # How far one unit up goes; true of turned and of slanted letters, too.
    return size * math.hypot(matrix.c, matrix.d)


def _bold(textpage: Any, index: int) -> bool:
    if raw.FPDFText_GetFontWeight(textpage, index) >= _BOLD_WEIGHT:
        return True
    # Few files state a weight; nearly all have it in the font's name.
    name = ctypes.create_string_buffer(128)
    raw.FPDFText_GetFontInfo(textpage, index, name, len(name), ctypes.c_int())
    return _BOLD_NAME.search(name.value) is not None
