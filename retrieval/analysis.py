"""What are the words of a text, in any language?

One analyser serves indexing and queries alike, so that both sides meet on the same terms:

- every script: NFKC and case folding, so that full-width, ligature and capital forms are one word;
- Latin: accents folded, possessives dropped, English Snowball stems. A query of three words is too short to
  tell its language from, and both sides must agree, so the script has one stemmer; on its other languages
  that only cuts the commonest endings;
- Cyrillic: Russian Snowball stems, for the same reason;
- ideographs: in their simplified form, every pair of neighbours, and every one that is no grammar;
- kana, Hangul and other scripts without spaces: pairs of neighbours, and Hangul words whole;
- code-like tokens (ERR-4012, v2.3.1, AB12-33, snake_case, CamelCase, file.ext, a mail address): whole, in a
  spelling that ignores case, hyphens and underscores, and split.

Nothing here depends on a collection or on other texts. The index keeps stop words; only queries drop them.
"""

import re
from collections.abc import Callable, Iterator
from itertools import chain

from retrieval.characters import HAN, HANGUL, KANA, SPACELESS, fold, fold_with_places
from retrieval.languages import detect_language
from retrieval.tokens import ASCII_TOKEN, MAX_TERM_CHARACTERS, TOKEN, Span, pieces, terms, units
from retrieval.unspaced import GRAMMAR, han, hangul, pairs

__all__ = [
    "MAX_TERM_CHARACTERS",
    "Span",
    "analyse",
    "contains_phrase",
    "detect_language",
    "is_weak",
    "phrase_terms",
    "phrase_units",
    "query_terms",
    "spans",
]

_UNSPACED: dict[str, Callable[[str], Iterator[Span]]] = {
    "han": han,
    "kana": pairs,
    "hangul": hangul,
    "spaceless": pairs,
}
_IDEOGRAPH = re.compile(f"[{HAN}]")
_RUN = re.compile(
    f"(?P<han>[{HAN}]+)|(?P<kana>[{KANA}]+)|(?P<hangul>[{HANGUL}]+)|(?P<spaceless>[{SPACELESS}]+)|{TOKEN}"
)

# Words that carry no subject, and how questions begin. "not", and what turns a verb round (in, on, off, out,
# up, down), stay: "log in" and "log out" must differ.
_STOP_WORDS = """
a about am an and any are as at be been being but by can could did do does doing for from had has have having
he her hers him his how i if into is it its itself just me my of or our ours she should so some such than that
the their theirs them then there these they this those to too us was we were what when where which while who
whom whose why will with would you your yours
"""
ENGLISH_STOP_WORDS = frozenset(_STOP_WORDS.split())


def analyse(text: str) -> list[str]:
    """The index terms of `text`, in order, with repeats."""
    if text.isascii():
        return list(chain.from_iterable(map(terms, ASCII_TOKEN.findall(text))))
    found: list[str] = []
    for run in _RUN.finditer(fold(text)):
        if run.lastgroup is None:
            found += terms(run[0])
        else:
            found += [span.term for span in _UNSPACED[run.lastgroup](run[0])]
    return found


def spans(text: str) -> list[Span]:
    """The terms that `analyse` gives, in the same order, each with its place in `text`. Places overlap."""
    found: list[Span] = []
    if text.isascii():
        for run in ASCII_TOKEN.finditer(text):
            base = run.start()
            found += [Span(term, base + start, base + end) for term, start, end in pieces(run[0])]
        return found
    folded, places = fold_with_places(text)
    for run in _RUN.finditer(folded):
        base = run.start()
        split = pieces if run.lastgroup is None else _UNSPACED[run.lastgroup]
        for term, start, end in split(run[0]):
            found.append(Span(term, places[base + start][0], places[base + end - 1][1]))
    return found


def query_terms(text: str) -> list[str]:
    """The terms of a query: those of `analyse`, less English stop words when other words remain.

    So a query of nothing but stop words ("to be or not to be") still finds its text. A word in capitals among
    others ("IT support", "WHO report") is a name, not a stop word.
    """
    if detect_language(text) not in ("en", ""):
        return analyse(text)
    shouted = text.isupper()
    kept: list[str] = []
    for run in _RUN.finditer(fold(text)):
        token = run[0]
        if run.lastgroup is not None:
            kept += [span.term for span in _UNSPACED[run.lastgroup](token)]
        elif token.lower() not in ENGLISH_STOP_WORDS or (len(token) > 1 and token.isupper() and not shouted):
            kept += terms(token)
    return kept or analyse(text)


def is_weak(term: str) -> bool:
    """Whether a term is one ideograph: frequent, so that it should score candidates but not gather them.

    Measured among 15,000 Chinese sentences: candidates gathered by the other terms alone, as long as those
    gather a hundred, rank the same (nDCG@10 0.659 both ways).
    """
    return len(term) == 1 and _IDEOGRAPH.match(term) is not None


def phrase_units(text: str) -> list[str]:
    """The smallest words of `text` in order, which do not depend on their neighbours: what phrases are
    compared by.

    A word is its stem, a code is its letters and its numbers, a text without spaces is its characters.
    """
    found: list[str] = []
    for run in _RUN.finditer(fold(text)):
        found += units(run[0]) if run.lastgroup is None else run[0]
    return found


def phrase_terms(text: str) -> list[str]:
    """Index terms that every text has which contains the phrase `text`; to find candidates for
    `contains_phrase`.

    Empty when the phrase is nothing but single characters among others, which the index does not hold.
    """
    found: list[str] = []
    for run in _RUN.finditer(fold(text)):
        if run.lastgroup is None:
            found += [unit for unit in units(run[0]) if len(unit) > 1]
        else:
            alone = run.lastgroup == "han" and run[0] not in GRAMMAR
            found += [span.term for span in pairs(run[0]) if len(span.term) > 1 or alone]
    return found


def contains_phrase(text: str, phrase: list[str]) -> bool:
    """Whether the units of a phrase (`phrase_units`) stand in `text` one after the other."""
    # Units hold no spaces, so that a comparison of strings is one of sequences.
    return f" {' '.join(phrase)} " in f" {' '.join(phrase_units(text))} "
