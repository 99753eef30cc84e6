"""Which terms does a token have, in scripts that part words by spaces?

A plain word has one: its stem. A code-like token has itself, in a spelling that ignores case, hyphens and
underscores, and its parts: ERR-4012 is found by err4012 and by 4012.
"""

import re
import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import snowballstemmer

from retrieval.characters import HAN, HANGUL, KANA, MARKS, SPACELESS

# Lexeme.text is this wide. Longer tokens are checksums and encoded data, which nobody types in full.
MAX_TERM_CHARACTERS = 64
# A token longer than this is data, not language: only its beginning is looked into.
_MAX_TOKEN_CHARACTERS = 256
# Parts of one token that are indexed; more are data too.
_MAX_PARTS = 32
# Zipf: this many distinct tokens cover nearly all running text, at some 20 MB in a process that has met them
# all.
_CACHED_TOKENS = 1 << 16


class Span(NamedTuple):
    """`term` stands at `text[start:end]`."""

    term: str
    start: int
    end: int


# Letters and digits, with their marks. Possessive, or a long word would be tried at every length.
_LETTER = f"[^\\W_{HAN}{KANA}{HANGUL}{SPACELESS}]"
_WORD = f"{_LETTER}++(?:[{MARKS}]++{_LETTER}*+)*+"


def _token(word: str) -> str:
    """A pattern: words joined by what may stand inside a token, and the suffix of C++, C# and F#."""
    joint = "[-.@'&]|_+|(?<=[0-9]),(?=[0-9]{3}(?![0-9]))"
    return f"{word}(?:(?:{joint}){word})*+(?:(?<![^\\W_][^\\W_])(?:\\+\\+|#))?"


ASCII_TOKEN = re.compile(_token("[0-9A-Za-z]++"))
TOKEN = _token(_WORD)

_PART = re.compile(_WORD)
_SIDE = re.compile(f"(?:(?![0-9]){_LETTER}|[{MARKS}])+|[0-9]+")
# The words of CamelCase: a capital after a small letter, the last capital before a small letter.
_HUMP = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^A-Za-z]+")
_NUMBER = re.compile("[0-9]+(?:[.,][0-9]+)*")
_UNIT = re.compile(f"{_NUMBER.pattern}|(?:(?![0-9]){_LETTER}|[{MARKS}])+")
_CYRILLIC = re.compile("[\u0400-\u052f]")
# What French and Italian put before a word; the word alone is what people search.
_ELIDED = frozenset({"c", "d", "j", "l", "m", "n", "s", "t", "qu", "dell", "all", "nell", "un"})


def pieces(token: str) -> tuple[Span, ...]:
    """The terms of a token of folded characters, case kept, with their places in it."""
    return _cached_pieces(token[:_MAX_TOKEN_CHARACTERS])


@lru_cache(_CACHED_TOKENS)
def _cached_pieces(token: str) -> tuple[Span, ...]:
    return tuple(dict.fromkeys(_split(token)))


@lru_cache(_CACHED_TOKENS)
def terms(token: str) -> tuple[str, ...]:
    """The terms of `pieces`, without their places."""
    return tuple(piece.term for piece in pieces(token))


def units(token: str) -> list[str]:
    """The smallest words of a token, in order: what a phrase is made of. iPhone15 is the phrase "iphone
    15"."""
    start, end = _without_affixes(token)
    inside = token[start:end]
    if "'" in inside:
        return [_term(inside)]
    return [_term(unit[0]) for unit in _UNIT.finditer(inside)]


def _split(token: str) -> Iterator[Span]:
    start, end = _without_affixes(token)
    token = token[start:end]
    if _is_word(token) or _NUMBER.fullmatch(token):
        yield Span(_term(token), start, end)
        return
    parts = list(_PART.finditer(token))[:_MAX_PARTS]
    if _is_looked_for_whole(token, len(parts), min(len(part[0]) for part in parts)):
        yield Span(_term(re.sub("[-_,]", "", token)), start, end)
    for number in _NUMBER.finditer(token):
        if not number[0].isdigit():  # The 2.3.1 of v2.3.1 is more than its parts.
            yield Span(_term(number[0]), start + number.start(), start + number.end())
    for part in parts:
        base = start + part.start()
        if len(parts) > 1:
            yield from _worth(Span(_term(part[0]), base, base + len(part[0])))
        for side in _SIDE.finditer(part[0]):
            if side[0] != part[0]:
                yield from _worth(Span(_term(side[0]), base + side.start(), base + side.end()))
            for hump in _HUMP.finditer(side[0]):
                if hump[0] != side[0]:
                    place = base + side.start() + hump.start()
                    yield from _worth(Span(_term(hump[0]), place, place + len(hump[0])))


def _worth(span: Span) -> Iterator[Span]:
    """A single letter or digit of a longer token finds too much to be worth a posting."""
    if span.end - span.start > 1:
        yield span


def _is_word(token: str) -> bool:
    """One word, with the apostrophe it may have, and no CamelCase: McDonald has two words and its own."""
    letters = token.replace("'", "")
    return letters.isalpha() and (
        letters[1:].islower() or letters[1:].lower() == letters[1:] or letters.isupper()
    )


def _is_looked_for_whole(token: str, parts: int, shortest: int) -> bool:
    """Whether people look for `token` as one thing.

    Hyphenated words ("boundary-layer") are two words, except around a part of one or two letters (e-mail,
    wi-fi).
    """
    return parts == 1 or shortest <= 2 or token.isupper() or not set(token).isdisjoint("_.@&0123456789")


def _without_affixes(token: str) -> tuple[int, int]:
    """Where in `token` its word is: company's -> company, l'eau -> eau."""
    end = len(token) - 2 if len(token) > 2 and token[-2:].casefold() == "'s" else len(token)
    head, _, tail = token[:end].partition("'")
    return (len(head) + 1 if tail and head.casefold() in _ELIDED else 0), end


def _term(word: str) -> str:
    """The term of one word or number: the stem of what is all letters, else itself."""
    folded = word.casefold()
    if _NUMBER.fullmatch(folded):
        return folded.replace(",", "")[:MAX_TERM_CHARACTERS]
    if len(folded) > MAX_TERM_CHARACTERS or not folded.replace("'", "").isalpha():
        return folded[:MAX_TERM_CHARACTERS]
    return stem(folded)


_STEMMERS = threading.local()  # A Snowball stemmer keeps its state in itself.


def stem(word: str) -> str:
    """By script, not by language: see `retrieval.analysis`."""
    if word.isascii():
        name = "english"
    elif _CYRILLIC.match(word):
        name = "russian"
    else:
        return word
    stemmer = getattr(_STEMMERS, name, None)
    if stemmer is None:
        stemmer = snowballstemmer.stemmer(name)
        setattr(_STEMMERS, name, stemmer)
    return str(stemmer.stemWord(word)) or word
