"""Which lines on a page make a paragraph, and which are headings? Told by distance, size and line ends."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# Lines of one paragraph: the white between them, in heights of the line; double spacing still passes.
_MAX_GAP = 1.1
# Sizes nearer than this are one size: boxes of lines with and without descenders differ by as much in OCR.
_SAME_SIZE = 0.12
# A line that ends this far before the widest one, with the end of a sentence, ends its paragraph.
_SHORT_LINE = 0.82
# Size against the body text's: chapter, section and sub-section titles of common templates.
_HEADING_LEVELS = ((1.75, 1), (1.35, 2), (1.12, 3))
_BOLD_LEVEL = 4
# Titles are a twentieth of a text; what is more than this is the text.
_BODY_SHARE = 0.2
_MAX_HEADING_CHARACTERS = 160
# Bold alone makes a heading only of a line as short as titles are.
_MAX_BOLD_CHARACTERS = 90

_WIDE = "\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff01-\uff60"
_ENDS_WIDE, _STARTS_WIDE = re.compile(f"[{_WIDE}]$"), re.compile(f"^[{_WIDE}]")
_SENTENCE_END = re.compile(r"[.!?:;。！？：；…][\"'”’」』）)]*$")
_ITEM = re.compile(r"^(?:[•▪◦‣●○■□–—*·-]\s|\(?\d{1,3}[.)]\s|\(?[a-zA-Z][.)]\s|[一二三四五六七八九十]+[、.])")
_SOFT_HYPHEN = "\x02\xad\ufffe"


@dataclass(frozen=True, slots=True)
class Line:
    """Edges in points from the top left corner."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size: float  # Of its letters.
    bold: bool = False
    page: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        text = ""
        for line in self.lines:
            text = joined(text, line.text.strip())
        return text.rstrip(_SOFT_HYPHEN)

    @property
    def box(self) -> tuple[float, float, float, float]:
        return (
            min(line.left for line in self.lines),
            min(line.top for line in self.lines),
            max(line.right for line in self.lines),
            max(line.bottom for line in self.lines),
        )


def joined(before: str, after: str) -> str:
    """Two lines as one: hyphenated words whole again, and no blank between Chinese characters."""
    if not before or not after:
        return before + after
    if before[-1] in _SOFT_HYPHEN:
        return before.rstrip(_SOFT_HYPHEN) + after
    if len(before) > 1 and before[-1] in "-‐" and before[-2].isalpha() and after[0].islower():
        return before[:-1] + after
    if _ENDS_WIDE.search(before) and _STARTS_WIDE.search(after):
        return before + after
    return f"{before} {after}"


def paragraphs(lines: Sequence[Line]) -> Iterator[Paragraph]:
    """Lines in reading order, grouped."""
    held: list[Line] = []
    for line in lines:
        if held and not _continues(held, line):
            yield Paragraph(tuple(held))
            held = []
        held.append(line)
    if held:
        yield Paragraph(tuple(held))


def body_size(lines: Iterable[Line]) -> float:
    """The largest size that much of the text has: pages of small print make no headings of the rest."""
    letters: Counter[float] = Counter()
    for line in lines:
        letters[round(line.size * 2) / 2] += len(line.text)
    enough = _BODY_SHARE * letters.total()
    return max((size for size, count in letters.items() if count >= enough), default=0.0)


def heading_level(paragraph: Paragraph, body: float) -> int:
    """0 for what is no heading."""
    text = paragraph.text
    if not body or len(text) > _MAX_HEADING_CHARACTERS or not any(letter.isalpha() for letter in text):
        return 0
    if _SENTENCE_END.search(text) and len(text) > _MAX_BOLD_CHARACTERS:
        return 0
    size = min(line.size for line in paragraph.lines)
    for ratio, level in _HEADING_LEVELS:
        if size >= ratio * body:
            return level
    if (
        all(line.bold for line in paragraph.lines)
        and size >= 0.95 * body
        and len(text) <= _MAX_BOLD_CHARACTERS
    ):
        return 0 if _SENTENCE_END.search(text) or _ITEM.match(text) else _BOLD_LEVEL
    return 0


def _continues(held: Sequence[Line], line: Line) -> bool:
    last = held[-1]
    if line.page != last.page or line.bold != last.bold:
        return False
    if abs(line.size - last.size) > _SAME_SIZE * max(line.size, last.size):
        return False
    height = max(last.size, line.size, 1.0)
    if _same_row(last, line):
        return -0.5 * height <= line.left - last.right <= 3 * height
    gap = line.top - last.bottom
    if not -0.6 * height <= gap <= _MAX_GAP * height or line.top <= last.top:
        return False
    if line.right < last.left or line.left > last.right or _ITEM.match(line.text):
        return False
    widest = max(before.right for before in held) - min(before.left for before in held)
    ended = _SENTENCE_END.search(last.text.strip()) is not None
    return not (ended and last.right - min(before.left for before in held) < _SHORT_LINE * widest)


def _same_row(one: Line, other: Line) -> bool:
    overlap = min(one.bottom, other.bottom) - max(one.top, other.top)
    return overlap > 0.6 * min(one.bottom - one.top, other.bottom - other.top)
