"""Which terms does a run of text have, in scripts that put no spaces between words?"""

import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

from retrieval.tokens import MAX_TERM_CHARACTERS, Span

# Characters of grammar: alone they say nothing, and every text has them.
_GRAMMAR = frozenset("的了着过在是和与及或也都就而但被把对从向于之其此这那个们吗呢吧啊呀么得地很更最将为以")


@cache
def jieba_tokenizer() -> Any:
    """jieba's tokenizer, loaded at the first Chinese text: under a second and some 60 MB a process.

    jieba keeps a cache of its prefix dictionary in the temporary folder under a fixed name, and unmarshals
    whatever lies there. Building the dictionary anew costs half a second more than reading it, and nobody can
    plant it.
    """
    with warnings.catch_warnings():
        # Its sources have invalid escapes and, beside an older setuptools, import pkg_resources.
        warnings.simplefilter("ignore")
        import jieba
    jieba.setLogLevel("WARNING")
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer


def pairs(run: str) -> Iterator[Span]:
    """Every pair of neighbours; a character alone only where it stands alone."""
    if len(run) == 1:
        yield Span(run, 0, 1)
    for start in range(len(run) - 1):
        yield Span(run[start : start + 2], start, start + 2)


def han(run: str) -> Iterator[Span]:
    """Every pair of neighbours, and jieba's words of one character (unless they are grammar) or of three and
    more.

    jieba's words of two characters are pairs already.
    """
    yield from pairs(run)
    if len(run) < 3:
        return
    for word, start, end in jieba_tokenizer().tokenize(run, mode="search"):
        if end - start > 2 or (end - start == 1 and word not in _GRAMMAR):
            yield Span(word[:MAX_TERM_CHARACTERS], start, end)


def hangul(run: str) -> Iterator[Span]:
    """The word, which may carry particles, and its pairs, which find it without them."""
    if len(run) > 2:
        yield Span(run[:MAX_TERM_CHARACTERS], 0, len(run))
    yield from pairs(run)
