"""Which characters are the same to a reader, and which script is a character of?

Folding is done character by character, after composing what composes, so that the place of each folded
character in the text as given is known: highlights need it, and normalising a whole text would lose it.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

import opencc

# The inside of regular expressions' character classes.
HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
KANA = "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
HANGUL = "\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e"
# Thai, Lao, Burmese, Khmer: written without spaces between words.
SPACELESS = "\u0e01-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1780-\u17d3"


def _ranges(wanted: Callable[[str], bool]) -> str:
    """The characters that `wanted` holds for, as the inside of a character class."""
    found: list[str] = []
    start = previous = -2
    # Below U+0300 and beyond U+1FFFF there are no marks.
    for code in [*range(0x300, 0x1_FFFF), 0x11_0000]:
        if code < 0x11_0000 and wanted(chr(code)):
            if code != previous + 1:
                start = code
            previous = code
        elif previous == code - 1 and start >= 0:
            found.append(f"\\U{start:08x}-\\U{previous:08x}")
    return "".join(found)


MARKS = _ranges(lambda character: unicodedata.category(character)[0] == "M")
# What composes with the character before it: marks, vowels and finals of Hangul, half-width voicing marks.
_FOLLOWING = f"{MARKS}\u1160-\u11ff\uff9e\uff9f"
_CLUSTER = re.compile(f"[^{_FOLLOWING}][{_FOLLOWING}]+")

# Letters that Unicode does not decompose, spelt as people spell them who lack the key, and signs with twins.
_VARIANTS = str.maketrans(
    dict(zip("øØłŁđĐðÐħĦıёЁ’‘ʼ‐‑", "oOlLdDdDhHiеЕ'''--", strict=True))
    | {"æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "TH", "ß": "ss", "ẞ": "SS"}
    | {"\u0640": ""}  # Arabic tatweel stretches a word and means nothing.
)
# In Latin and Greek a mark is an accent, which a person may leave out; so are these marks of Arabic and
# Hebrew. Elsewhere (Cyrillic й, kana が, Indic vowels) a mark makes another letter.
_ACCENTED = re.compile("[\u0000-\u024f\u0370-\u03ff\u1e00-\u1fff]")
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]+")


@cache
def _simplified() -> dict[int, str]:
    """Traditional to simplified, character by character: what a word means decides nothing here.

    Both sides of a search are mapped, so that the few characters with two simplified forms merge on both.
    """
    blocks = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000), range(0x2_0000, 0x2_A6E0))
    characters = [chr(code) for block in blocks for code in block]
    converted = opencc.OpenCC("t2s").convert("\n".join(characters)).split("\n")
    pairs = zip(characters, converted, strict=True)
    return {ord(before): after for before, after in pairs if before != after and len(after) == 1}


class _Folding(dict[int, str]):
    """A table for `str.translate` that fills itself as characters come up."""

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        # Beyond the first plane the table would only grow: a hostile text could hold a million of them.
        if code < 0x1_0000:
            self[code] = folded
        return folded


def _fold_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":  # Soft hyphens and zero-width joiners stand inside words.
        return ""
    if category == "Cs":  # A lone surrogate is no character.
        return " "
    folded = unicodedata.normalize("NFKC", character).translate(_VARIANTS)
    if _ACCENTED.match(folded):
        folded = _ACCENTS.sub("", unicodedata.normalize("NFD", folded)).translate(_VARIANTS)
    elif _ACCENTS.fullmatch(folded):
        return ""
    elif character >= "\u3400":
        folded = folded.translate(_simplified())
    # Case is still needed to split CamelCase, so only characters whose folding has another length fold here.
    # That leaves `casefold` of a token as long as the token.
    return folded if len(folded.casefold()) == len(folded) else folded.casefold()


_FOLDING = _Folding()


def _compose(cluster: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", cluster[0])


def fold(text: str) -> str:
    """`text` in NFKC, without accents, Chinese simplified, case kept."""
    return text if text.isascii() else _CLUSTER.sub(_compose, text).translate(_FOLDING)


def fold_with_places(text: str) -> tuple[str, list[tuple[int, int]]]:
    """`fold(text)`, and for each of its characters the start and end in `text` of what it came from."""
    folded: list[str] = []
    places: list[tuple[int, int]] = []
    position = 0
    for cluster in [*_CLUSTER.finditer(text), None]:
        for index in range(position, cluster.start() if cluster else len(text)):
            character = text[index].translate(_FOLDING)
            folded.append(character)
            places += [(index, index + 1)] * len(character)
        if cluster:
            composed = _compose(cluster).translate(_FOLDING)
            folded.append(composed)
            places += [cluster.span()] * len(composed)
            position = cluster.end()
    return "".join(folded), places
