"""Where does one passage end and the next begin? Blocks are joined and cut to what an encoder reads at once.

A document's text is its blocks joined by blank lines; every passage is a span of that text, in order, and
only white space lies between them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workers.extract.base import TextBlock

SEPARATOR = "\n\n"
# In words: MiniLM reads 256 word pieces, and English has about 1.3 pieces a word.
_MOST = 180.0
# A Chinese character in words, so that 350 of them are as much as _MOST.
_WIDE_CHARACTER = _MOST / 350
# A passage that has this much does not go on into the next section, were it only a sub-section.
_ENOUGH = 60.0
# Below this a passage says too little alone: it takes in the next section of its own level.
_TINY = 25.0
# Letters of a word that a word-piece vocabulary still knows whole; addresses and part numbers take several
# pieces.
_WORD_LETTERS = 9
# A heading that is a whole paragraph is a mark-up mistake; the database keeps this much of each.
_MAX_HEADING = 300

_WIDE = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff01-\uff60"
_TOKEN = re.compile(f"[{_WIDE}]|[^\\s{_WIDE}]+")
_IS_WIDE = re.compile(f"[{_WIDE}]")
_SENTENCE_END = re.compile(r"[.!?]+[\"'”’)\]]*(?=\s)|[。！？；…]+[”’」』）]*|\n+")


@dataclass(frozen=True, slots=True)
class Passage:
    """`text` is `document_text(blocks)[char_start:char_end]`."""

    text: str
    heading_path: tuple[str, ...]
    page: int | None
    char_start: int
    char_end: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """A block, or some sentences of a long one."""

    start: int
    end: int
    words: float
    block: TextBlock


def document_text(blocks: Sequence[TextBlock]) -> str:
    return SEPARATOR.join(block.text for block in blocks)


def passages(blocks: Sequence[TextBlock]) -> list[Passage]:
    """The passages of a document, or of one part of it, in reading order; no block, no passage."""
    text = document_text(blocks)
    return list(_Cutter(text).cut(_pieces(blocks)))


class _Cutter:
    def __init__(self, text: str) -> None:
        self._text = text
        self._headings: list[tuple[int, str]] = []
        self._held: list[_Piece] = []
        self._words = 0.0
        self._path: tuple[str, ...] = ()
        # Of the section that the held text began in; headings above any text count as that section's own.
        self._level = 0
        self._has_body = False

    def cut(self, pieces: Iterator[_Piece]) -> Iterator[Passage]:
        for piece in pieces:
            if self._ends_before(piece):
                yield from self._release()
            self._take(piece)
        yield from self._release()

    def _ends_before(self, piece: _Piece) -> bool:
        if not self._held:
            return False
        # A hit opens the page or slide that it names, so a passage has one: however thin slides are, they stay apart,
        # and a heading at the foot of a page is parted from its text, whose heading path still names it.
        if piece.block.page != self._held[-1].block.page:
            return True
        # A heading is never the end of a passage where its text can follow.
        if self._words + piece.words > _MOST:
            return True
        if not self._has_body:
            return False
        if piece.block.role == "heading":
            if piece.block.level < self._level:
                return True
            return self._words >= (_TINY if piece.block.level == self._level else _ENOUGH)
        return False

    def _take(self, piece: _Piece) -> None:
        block = piece.block
        if block.role == "heading":
            self._headings = [item for item in self._headings if item[0] < block.level]
            self._headings.append((block.level, " ".join(block.text.split())[:_MAX_HEADING]))
        if not self._has_body:
            self._path = tuple(words for _, words in self._headings)
            self._level = self._headings[-1][0] if self._headings else 0
        self._has_body = self._has_body or block.role != "heading"
        self._held.append(piece)
        self._words += piece.words

    def _release(self) -> Iterator[Passage]:
        if self._held:
            start, end = self._held[0].start, self._held[-1].end
            stripped = self._text[start:end].strip()
            start += len(self._text[start:end]) - len(self._text[start:end].lstrip())
            if stripped:
                page = self._held[0].block.page
                yield Passage(stripped, self._path, page, start, start + len(stripped))
        self._held, self._words, self._has_body = [], 0.0, False


def _pieces(blocks: Sequence[TextBlock]) -> Iterator[_Piece]:
    start = 0
    for block in blocks:
        words = _count(block.text)
        if words <= _MOST:
            yield _Piece(start, start + len(block.text), words, block)
        else:
            for left, right, share in _cut_long(block.text):
                yield _Piece(start + left, start + right, share, block)
        start += len(block.text) + len(SEPARATOR)


def _cut_long(text: str) -> Iterator[tuple[int, int, float]]:
    """Spans that cover all of a long paragraph: sentences; words, where a sentence is too long by itself."""
    left = 0
    for right in (*(found.end() for found in _SENTENCE_END.finditer(text)), len(text)):
        if right == left:
            continue
        words = _count(text[left:right])
        if words <= _MOST:
            yield left, right, words
        else:
            yield from _cut_sentence(text, left, right)
        left = right


def _cut_sentence(text: str, left: int, right: int) -> Iterator[tuple[int, int, float]]:
    words = 0.0
    for token in _TOKEN.finditer(text, left, right):
        start, size = token.start(), _size(token[0])
        if words + size > _MOST and words:
            yield left, start, words
            left, words = start, 0.0
        # A word of ten thousand letters: encoded data. Cut it blindly.
        while size > _MOST:
            end = start + int(_MOST) * _WORD_LETTERS
            yield left, end, _MOST
            left = start = end
            size = _size(text[start : token.end()])
        words += size
    if left < right:
        yield left, right, words


def _count(text: str) -> float:
    return sum(_size(token) for token in _TOKEN.findall(text))


def _size(token: str) -> float:
    if len(token) == 1 and _IS_WIDE.match(token):
        return _WIDE_CHARACTER
    return float(-(-len(token) // _WORD_LETTERS))
