"""Which part of a text shows why it was found?

A window of the text around most of what was asked for, cut at sentence or word borders, with the found words
marked. It is plain text in parts: whoever renders it escapes it.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from retrieval.analysis import is_weak, spans
from retrieval.characters import HAN, HANGUL, KANA, SPACELESS
from retrieval.results import SnippetPart

# Two or three lines of a result list. An ideograph is as wide as two letters and says more.
LATIN_CHARACTERS = 240
CJK_CHARACTERS = 90
# A segment is far shorter; this bounds the work on one that is not.
_MAX_TEXT_CHARACTERS = 20_000
# What a second find of one term counts, against the first: it shows less than the first of another term.
_REPEAT = 0.1
ELLIPSIS = "…"

_UNSPACED = re.compile(f"[{HAN}{KANA}{HANGUL}{SPACELESS}]")
_SENTENCE_END = re.compile("[.!?]['\"”’)]*\\s|[。！？；][”’」』）]*|\n")
_SPACES = re.compile("\\s+")


class _Match(NamedTuple):
    start: int
    end: int
    term: str


def snippet(
    text: str,
    terms: Collection[str],
    *,
    weights: Mapping[str, float] | None = None,
    characters: int | None = None,
) -> tuple[SnippetPart, ...]:
    """The best window of `text` for `terms` (`analysis.query_terms`), at most `characters` and two ellipses
    long.

    `weights`: what a term counts, say its idf; 1 where it is not named. Where no term stands in the text, its
    beginning. Joined, the parts are the window with its white space collapsed.
    """
    text = text[:_MAX_TEXT_CHARACTERS].rstrip()
    matches = _matches(text, terms)
    limit = characters or _characters(text)
    first, last = _densest(matches, limit, weights or {})
    start, end = _window(text, first, last, limit)
    parts = [*_leading(text, start), *_marked(text, start, end, matches), *_trailing(text, end)]
    return tuple(_joined(parts))


def _characters(text: str) -> int:
    return CJK_CHARACTERS if 3 * len(_UNSPACED.findall(text)) > len(text) else LATIN_CHARACTERS


def _matches(text: str, terms: Collection[str]) -> list[_Match]:
    strong = {term for term in terms if not is_weak(term)}
    # The 车 of 自行车 counts alone only where nothing longer of the query has it: marking every 车 would be
    # noise.
    wanted = strong | {term for term in terms if not any(term in longer for longer in strong)}
    found = [_Match(start, end, term) for term, start, end in spans(text) if term in wanted]
    if not found:
        found = [_Match(start, end, term) for term, start, end in spans(text) if term in set(terms)]
    return sorted(found)


def _densest(matches: list[_Match], limit: int, weights: Mapping[str, float]) -> tuple[int, int]:
    """Start and end of the run of matches, no longer than `limit`, that weighs most; the earliest of
    equals."""
    best, chosen = -1.0, (0, 0)
    inside: dict[str, int] = {}
    score = 0.0
    first = 0
    for match in matches:
        weight = weights.get(match.term, 1.0)
        score += weight if not inside.get(match.term) else weight * _REPEAT
        inside[match.term] = inside.get(match.term, 0) + 1
        while matches[first].start < match.start and match.end - matches[first].start > limit:
            gone = matches[first]
            inside[gone.term] -= 1
            lost = weights.get(gone.term, 1.0)
            score -= lost if inside[gone.term] == 0 else lost * _REPEAT
            first += 1
        # More than rounding: of equal windows the first one stays.
        if score > best + 1e-9:
            best, chosen = score, (matches[first].start, match.end)
    return chosen


def _window(text: str, first: int, last: int, limit: int) -> tuple[int, int]:
    """From where to where `text` is shown, so that `first` to `last` is in, as far as `limit` allows."""
    spare = max(0, limit - (last - first))
    # Most of what is spare goes behind: people read on.
    start = _start(text, max(0, first - spare // 3), first)
    end = min(len(text), start + limit)
    if end < len(text):
        end = _end(text, max(start + 1, min(last, end), start + limit // 2), end)
    else:
        # The text ends inside the window: show more of what is before instead.
        start = _start(text, max(0, min(start, end - limit)), start)
    return start, end


def _start(text: str, earliest: int, latest: int) -> int:
    """The first border from `earliest` to `latest`, of a sentence if there is one."""
    if earliest == 0:
        return 0
    for match in _SENTENCE_END.finditer(text, earliest - 1, latest):
        return match.end()
    return next((place for place in range(earliest, latest + 1) if _is_border(text, place)), latest)


def _end(text: str, earliest: int, latest: int) -> int:
    """The last border from `earliest` to `latest`, of a sentence if there is one."""
    sentences = [match.end() for match in _SENTENCE_END.finditer(text, earliest - 1, latest)]
    if sentences:
        return sentences[-1]
    return next((place for place in range(latest, earliest - 1, -1) if _is_border(text, place)), latest)


def _is_border(text: str, place: int) -> bool:
    if place <= 0 or place >= len(text):
        return True
    before, after = text[place - 1], text[place]
    return before.isspace() or after.isspace() or bool(_UNSPACED.match(before) and _UNSPACED.match(after))


def _leading(text: str, start: int) -> Iterator[SnippetPart]:
    if text[:start].strip():
        yield SnippetPart(ELLIPSIS, highlighted=False)


def _trailing(text: str, end: int) -> Iterator[SnippetPart]:
    if text[end:].strip():
        yield SnippetPart(ELLIPSIS, highlighted=False)


def _marked(text: str, start: int, end: int, matches: list[_Match]) -> Iterator[SnippetPart]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    position = start
    for match in matches:
        if match.start < start or match.end > end or match.end <= position:
            continue
        yield SnippetPart(text[position : max(position, match.start)], highlighted=False)
        yield SnippetPart(text[max(position, match.start) : match.end], highlighted=True)
        position = match.end
    yield SnippetPart(text[position:end], highlighted=False)


def _joined(parts: list[SnippetPart]) -> Iterator[SnippetPart]:
    """Without empty parts, neighbours of one kind as one, and each run of white space as one space."""
    merged: list[SnippetPart] = []
    for part in parts:
        if not part.text:
            continue
        if merged and merged[-1].highlighted == part.highlighted:
            merged[-1] = SnippetPart(merged[-1].text + part.text, part.highlighted)
        else:
            merged.append(part)
    for part in merged:
        yield SnippetPart(_SPACES.sub(" ", part.text), part.highlighted)
