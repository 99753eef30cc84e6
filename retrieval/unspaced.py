"""Which terms does a run of text have, in scripts that put no spaces between words?

Pairs of neighbouring characters, and for ideographs the characters too: a word of one character (猫) must be
found inside a longer one (猫咪). No dictionary: docs/decisions/0004-words.md has the numbers.
"""

from collections.abc import Iterator

from retrieval.tokens import MAX_TERM_CHARACTERS, Span

# Characters of grammar: alone they say nothing, and every text has them.
GRAMMAR = frozenset("的了着过在是和与及或也都就而但被把对从向于之其此这那个们吗呢吧啊呀么得地很更最将为以")


def pairs(run: str) -> Iterator[Span]:
    """Every pair of neighbours; a character alone only where it stands alone."""
    if len(run) == 1:
        yield Span(run, 0, 1)
    for start in range(len(run) - 1):
        yield Span(run[start : start + 2], start, start + 2)


def han(run: str) -> Iterator[Span]:
    """Every pair of neighbours, then every character that is no grammar."""
    yield from pairs(run)
    if len(run) > 1:
        for start, character in enumerate(run):
            if character not in GRAMMAR:
                yield Span(character, start, start + 1)


def hangul(run: str) -> Iterator[Span]:
    """The word, which may carry particles, and its pairs, which find it without them."""
    if len(run) > 2:
        yield Span(run[:MAX_TERM_CHARACTERS], 0, len(run))
    yield from pairs(run)
