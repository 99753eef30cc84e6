"""What are the words of a text, in any language?

One analyser serves indexing and queries alike, so that both sides meet on the same terms:

- every script: NFKC and case folding, so that full-width, ligature and capital forms are one word;
- Latin: accents folded, possessives dropped, English Snowball stems. A query of three words is too short to tell its
  language from, and both sides must agree, so there is one stemmer for the script; on other Latin languages it only
  cuts the commonest endings;
- Cyrillic: Russian Snowball stems, for the same reason;
- Chinese: characters mapped to their simplified form, the words of jieba's search mode, and every pair of neighbours;
- kana, Hangul and scripts without spaces: pairs of neighbours, and Hangul words whole;
- code-like tokens (ERR-4012, v2.3.1, AB12-33, snake_case, CamelCase, file.ext, a mail address): whole, in a spelling
  that ignores case, hyphens and underscores, and split.

Nothing here depends on a collection or on other texts: a term of a text never changes because of its surroundings in
the index, and a stop word is only ever left out of a query (`query_terms`).
"""

import re
import threading
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

import snowballstemmer

# Lexeme.text is this wide. Longer tokens are checksums and encoded data, which nobody types in full.
MAX_TERM_CHARACTERS = 64
# A token longer than this is data, not language: only its beginning is looked into.
_MAX_TOKEN_CHARACTERS = 256
# Parts of one code-like token that are indexed; more are data too.
_MAX_PARTS = 32
# Zipf: this many distinct tokens cover nearly all running text; at some 200 bytes each they cost at most 25 MB.
_CACHED_TOKENS = 1 << 17


class Span(NamedTuple):
    """`term` stands at `text[start:end]` of the text as it was given."""

    term: str
    start: int
    end: int


def analyse(text: str) -> list[str]:
    """The index terms of `text`, in order, with repeats."""
    terms: list[str] = []
    if text.isascii():
        for token in _ASCII_TOKEN.findall(text):
            terms += _terms(token)
        return terms
    for run in _RUN.finditer(_fold(text)):
        token = run[0]
        if run.lastgroup is None:
            terms += _terms(token)
        else:
            terms += [piece.term for piece in _SCRIPTS[run.lastgroup](token)]
    return terms


def spans(text: str) -> list[Span]:
    """The terms that `analyse` gives, in the same order, each with its place in `text`. Places overlap."""
    if text.isascii():
        return [
            Span(piece.term, run.start() + piece.start, run.start() + piece.end)
            for run in _ASCII_TOKEN.finditer(text)
            for piece in _pieces(run[0])
        ]
    folded, places = _fold_with_places(text)
    found: list[Span] = []
    for run in _RUN.finditer(folded):
        split = _pieces if run.lastgroup is None else _SCRIPTS[run.lastgroup]
        base = run.start()
        for term, start, end in split(run[0]):
            found.append(Span(term, places[base + start][0], places[base + end - 1][1]))
    return found


def query_terms(text: str) -> list[str]:
    """The terms of a query: those of `analyse`, less English stop words when other words remain.

    The index keeps stop words, so a query of nothing else ("to be or not to be", "the who") still finds its text. A
    word in capitals among others ("IT support", "WHO report") is a name, not a stop word.
    """
    terms = analyse(text)
    if not text.isascii() and detect_language(text) not in ("en", ""):
        return terms
    shouted = text.isupper()
    kept: list[str] = []
    for run in _RUN.finditer(_fold(text)):
        token = run[0]
        if run.lastgroup is not None:
            kept += [piece.term for piece in _SCRIPTS[run.lastgroup](token)]
        elif token.lower() not in ENGLISH_STOP_WORDS or (len(token) > 1 and token.isupper() and not shouted):
            kept += _terms(token)
    return kept or terms


# Words that carry no subject, of Snowball's English list, plus how questions begin. "not", "no", "off", "out", "up" and
# their like are left in: "log out" and "log in" must differ.
ENGLISH_STOP_WORDS = frozenset(
    """a about am an and any are as at be been being but by can could did do does doing for from had has have having
    he her hers him his how i if in into is it its itself just me my of on or our ours she should so some such than
    that the their theirs them then there these they this those to too us was we were what when where which while who
    whom whose why will with would you your yours""".split()
)

# --- Characters ---------------------------------------------------------------------------------------------------

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_KANA = "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
_HANGUL = "\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e"
# Thai, Lao, Burmese, Khmer: written without spaces between words.
_SPACELESS = "\u0e01-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1780-\u17d3"


def _ranges(wanted: Callable[[str], bool]) -> str:
    """The characters that `wanted` holds for, as the inside of a regular expression's character class."""
    found: list[str] = []
    start = previous = -2
    # Beyond U+1FFFF are ideographs, tags and private characters: no marks.
    for code in [*range(0x300, 0x1_FFFF), 0x11_0000]:
        if code < 0x11_0000 and wanted(chr(code)):
            if code != previous + 1:
                start = code
            previous = code
        elif previous == code - 1 and start >= 0:
            found.append(f"\\U{start:08x}-\\U{previous:08x}")
    return "".join(found)


_MARKS = _ranges(lambda character: unicodedata.category(character)[0] == "M")
# A character with what composes with it: marks, the vowels and finals of Hangul, half-width voicing marks.
_CLUSTER = re.compile(f"[^{_MARKS}\u1160-\u11ff\uff9e\uff9f][{_MARKS}\u1160-\u11ff\uff9e\uff9f]+")

# Letters that Unicode does not decompose, spelt as people spell them who lack the key.
_LATIN_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ħ": "h", "Ħ": "H", "ı": "i"}
    | {"æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "TH", "ß": "ss", "ẞ": "SS"}
    | {"ё": "е", "Ё": "Е", "’": "'", "‘": "'", "ʼ": "'", "‐": "-", "‑": "-"}
    | {"\u0640": ""}  # Arabic tatweel stretches a word and means nothing.
)
# Of these scripts a mark is an accent, which a person may leave out. Elsewhere (Cyrillic й, kana が, Indic vowels) it
# makes another letter.
_ACCENTED = re.compile("[\u0000-\u024f\u0370-\u03ff\u1e00-\u1fff]")
_DROPPED_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")


class _Folding(dict[int, str]):
    """`str.translate` table: NFKC, accents and variants folded, case kept. Fills itself as characters come up."""

    def __init__(self) -> None:
        self.uneven: set[str] = set()  # Characters whose folded form is not one character long.

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = _fold_character(character)
        if len(folded) != 1:
            self.uneven.add(character)
        # Beyond the first plane the table would only grow: a hostile text could hold a million of them.
        if code < 0x1_0000:
            self[code] = folded
        return folded


def _fold_character(character: str) -> str:
    if unicodedata.category(character) in ("Cf", "Cs"):
        # Soft hyphens and zero-width joiners stand inside words; a lone surrogate is no character.
        return "" if unicodedata.category(character) == "Cf" else " "
    folded = unicodedata.normalize("NFKC", character).translate(_LATIN_LETTERS)
    if _ACCENTED.match(folded):
        folded = _DROPPED_MARKS.sub("", unicodedata.normalize("NFD", folded)).translate(_LATIN_LETTERS)
    elif _DROPPED_MARKS.fullmatch(folded):
        return ""
    # Case is still needed to split CamelCase, so only characters whose folding has another length fold here; that
    # leaves `casefold` of a token as long as the token.
    return folded if len(folded.casefold()) == len(folded) else folded.casefold()


_FOLDING = _Folding()


def _compose(cluster: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", cluster[0])


def _fold(text: str) -> str:
    return _CLUSTER.sub(_compose, text).translate(_FOLDING)


def _fold_with_places(text: str) -> tuple[str, list[tuple[int, int]]]:
    """`_fold(text)`, and for each of its characters where in `text` it came from."""
    folded: list[str] = []
    places: list[tuple[int, int]] = []
    position = 0
    for cluster in [*_CLUSTER.finditer(text), None]:
        end = cluster.start() if cluster else len(text)
        for index in range(position, end):
            character = text[index].translate(_FOLDING)
            folded.append(character)
            places += [(index, index + 1)] * len(character)
        if cluster:
            composed = _compose(cluster).translate(_FOLDING)
            folded.append(composed)
            places += [cluster.span()] * len(composed)
            position = cluster.end()
    return "".join(folded), places


# --- Words with spaces between them -------------------------------------------------------------------------------

# Letters and digits of scripts that part words by spaces, with their marks.
_LETTER = f"[^\\W_{_HAN}{_KANA}{_HANGUL}{_SPACELESS}]"
_WORD = f"(?>{_LETTER}+(?:[{_MARKS}]+{_LETTER}*)*)"
# What may stand between the parts of one token. A comma only as the thousands separator of digits.
_JOINED = "(?:(?:[-.@'&]|_+|(?<=[0-9]),(?=[0-9]{{3}}(?![0-9]))){word})*"
# C++, C#, F#: one letter and its suffix.
_SUFFIX = "(?:(?<![^\\W_][^\\W_])(?:\\+\\+|#))?"
_TOKEN = "{word}" + _JOINED + _SUFFIX
_ASCII_TOKEN = re.compile(_TOKEN.format(word="[0-9A-Za-z]+"))
_RUN = re.compile(
    f"(?P<han>[{_HAN}]+)|(?P<kana>[{_KANA}]+)|(?P<hangul>[{_HANGUL}]+)|(?P<spaceless>[{_SPACELESS}]+)"
    "|" + _TOKEN.replace("{word}", _WORD).replace("{{", "{").replace("}}", "}")
)
_PART = re.compile(f"{_WORD}")
# Inside a part: a capital after a small letter, the last capital before a small letter, letters against digits.
_CAMEL = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^A-Za-z0-9]+")
_NUMBER = re.compile("[0-9]+(?:[.,][0-9]+)*")
_CYRILLIC = re.compile("[\u0400-\u052f]")
# What French and Italian put before a word; the word alone is what people search.
_ELIDED = frozenset("c d j l m n s t qu dell all nell un".split())


def _pieces(token: str) -> tuple[Span, ...]:
    """The terms of one token in folded characters, case kept, with their places in it."""
    if len(token) > _MAX_TOKEN_CHARACTERS:
        return _split(token[:_MAX_TOKEN_CHARACTERS])
    return _cached_split(token)


@lru_cache(_CACHED_TOKENS)
def _terms(token: str) -> tuple[str, ...]:
    return tuple(piece.term for piece in _split(token[:_MAX_TOKEN_CHARACTERS]))


def _split(token: str) -> tuple[Span, ...]:
    lowered = token.casefold()
    if token.isalpha() and (token == lowered or token[1:] == lowered[1:] or token.isupper()):
        return (Span(_stem(lowered), 0, len(token)),)
    if "'" in token:
        return _split_apostrophes(token)
    if _NUMBER.fullmatch(token):
        return (Span(token.replace(",", "")[:MAX_TERM_CHARACTERS], 0, len(token)),)
    parts = [(part[0], part.start()) for part in _PART.finditer(token)][:_MAX_PARTS]
    whole = re.sub("[-_,]", "", lowered)
    found: list[Span] = []
    if _is_code(token, parts):
        found.append(Span(_stem(whole) if whole.isalpha() else whole[:MAX_TERM_CHARACTERS], 0, len(token)))
    for number in _NUMBER.finditer(token):
        # The 2.3.1 of v2.3.1 is more than its parts.
        if number[0] != token and not number[0].isdigit():
            found.append(Span(number[0].replace(",", "")[:MAX_TERM_CHARACTERS], *number.span()))
    for part, start in parts:
        if len(parts) > 1 and (len(part) > 1 or not found):
            found.append(Span(_word(part), start, start + len(part)))
        humps = list(_CAMEL.finditer(part))
        for hump in humps if len(humps) > 1 else ():
            # A single letter or digit of a part number finds too much to be worth a posting.
            if len(hump[0]) > 1:
                found.append(Span(_word(hump[0]), start + hump.start(), start + hump.end()))
    seen: set[Span] = set()
    return tuple(span for span in found if not (span in seen or seen.add(span)))  # type: ignore[func-returns-value]


_cached_split = lru_cache(_CACHED_TOKENS)(_split)


def _is_code(token: str, parts: list[tuple[str, int]]) -> bool:
    """Whether people look for `token` as one thing.

    Hyphenated words ("boundary-layer") are two words, except around a part of one or two letters (e-mail, wi-fi).
    """
    if len(parts) == 1:
        return True
    if set(token) & set("_.@&+#0123456789") or token.isupper():
        return True
    return min(len(part) for part, _ in parts) <= 2


def _split_apostrophes(token: str) -> tuple[Span, ...]:
    """company's -> company; l'eau -> eau; don't -> don't."""
    head, _, tail = token.rpartition("'")
    if tail.casefold() == "s" and head:
        return _split(head)
    head, _, tail = token.partition("'")
    if head.casefold() in _ELIDED and tail:
        offset = len(head) + 1
        return tuple(Span(term, start + offset, end + offset) for term, start, end in _split(tail))
    if token.replace("'", "").isalpha():
        return (Span(_stem(token.casefold()), 0, len(token)),)
    found: list[Span] = []
    for part in re.finditer("[^']+", token):
        found += [Span(t, part.start() + start, part.start() + end) for t, start, end in _split(part[0])]
    return tuple(found)


def _word(part: str) -> str:
    lowered = part.casefold()
    return _stem(lowered) if lowered.isalpha() else lowered[:MAX_TERM_CHARACTERS]


_STEMMERS = threading.local()  # A Snowball stemmer keeps its state in itself.


def _stem(word: str) -> str:
    if len(word) > MAX_TERM_CHARACTERS:
        return word[:MAX_TERM_CHARACTERS]
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
    stem: str = stemmer.stemWord(word)
    return stem or word


# --- Words without spaces between them ----------------------------------------------------------------------------

# Characters of grammar: alone they say nothing, and every text has them.
_GRAMMAR = frozenset("的了着过在是和与及或也都就而但被把对从向于之其此这那个们吗呢吧啊呀么得地很更最将为以")


@cache
def _jieba() -> Any:
    """jieba's tokenizer, loaded at the first Chinese text: about a second and 90 MB a process.

    jieba keeps a cache of its prefix dictionary in the temporary folder under a fixed name, and unmarshals whatever
    lies there. Building the dictionary anew costs half a second more than reading it, and nobody can plant it.
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


def warm() -> None:
    """Loads what the first text would load, for processes that answer people."""
    analyse("Words 词语")


def _han(run: str) -> Iterator[Span]:
    """jieba's words and every pair of neighbours; single characters only as words that are no grammar.

    A pair that is a word is given once: counting it twice measured no better (docs/decisions).
    """
    if len(run) <= 2:
        yield Span(run, 0, len(run))
        return
    for start in range(len(run) - 1):
        yield Span(run[start : start + 2], start, start + 2)
    for word, start, end in _jieba().tokenize(run, mode="search"):
        if end - start > 2 or (end - start == 1 and word not in _GRAMMAR):
            yield Span(word[:MAX_TERM_CHARACTERS], start, end)


def _pairs(run: str) -> Iterator[Span]:
    if len(run) <= 2:
        yield Span(run, 0, len(run))
        return
    for start in range(len(run) - 1):
        yield Span(run[start : start + 2], start, start + 2)


def _hangul(run: str) -> Iterator[Span]:
    """The word, which may carry particles, and its pairs, which find it without them."""
    if len(run) > 2:
        yield Span(run[:MAX_TERM_CHARACTERS], 0, len(run))
    yield from _pairs(run)


_SCRIPTS: dict[str, Callable[[str], Iterator[Span]]] = {
    "han": _han,
    "kana": _pairs,
    "hangul": _hangul,
    "spaceless": _pairs,
}

# --- Languages ----------------------------------------------------------------------------------------------------

# Beyond this nothing changes the vote.
_DETECTION_CHARACTERS = 20_000
_SCRIPT_LANGUAGES = {
    "ru": re.compile("[\u0400-\u052f]"),
    "el": re.compile("[\u0370-\u03ff]"),
    "ar": re.compile("[\u0600-\u06ff]"),
    "he": re.compile("[\u0590-\u05ff]"),
    "hi": re.compile("[\u0900-\u097f]"),
    "th": re.compile("[\u0e00-\u0e7f]"),
    "ko": re.compile(f"[{_HANGUL}]"),
}
_LETTERS_AND_KANA = {"han": re.compile(f"[{_HAN}]"), "kana": re.compile(f"[{_KANA}]"), "latin": re.compile("[A-Za-z]+")}
_COMMON_WORDS = {
    "en": "the of and to in is that for it with as was on are this be at by from how what not you your",
    "de": "der die das und in zu den mit von ist nicht ein eine für auf im dem des sich auch wie wird werden",
    "fr": "le la les de des et un une du en est pour que dans qui sur au par pas avec sont ce il plus",
    "es": "el la los las de que y en un una del por con no para es se al como lo su más son",
    "it": "il lo la gli di che e un una in del della per con non è sono si al dei da le come più",
    "pt": "o a os as de que e em um uma do da para com não é no na por se mais dos como",
}
_VOTES: dict[str, list[str]] = {}
for _language, _words in _COMMON_WORDS.items():
    for _common in _words.split():
        _VOTES.setdefault(_common, []).append(_language)
_LATIN_WORD = re.compile("[^\\W\\d_]+")


def detect_language(text: str) -> str:
    """ISO 639-1 of the language most of `text` is in; empty where that is not clear."""
    text = text[:_DETECTION_CHARACTERS]
    latin = sum(1 for _ in _LETTERS_AND_KANA["latin"].finditer(text))
    if not text.isascii():
        han = len(_LETTERS_AND_KANA["han"].findall(text))
        kana = len(_LETTERS_AND_KANA["kana"].findall(text))
        # A Chinese word has 1.6 characters on average, other words about six: counts in words compare.
        words = {"ja" if kana * 10 > han + kana else "zh": (han + kana) / 1.6}
        for language, pattern in _SCRIPT_LANGUAGES.items():
            words[language] = len(pattern.findall(text)) / (2 if language == "ko" else 6)
        best = max(words, key=lambda language: words[language])
        if words[best] > latin:
            return "uk" if best == "ru" and re.search("[іїєґІЇЄҐ]", text) else best
    if latin == 0:
        return ""
    votes = dict.fromkeys(_COMMON_WORDS, 0.0)
    for word in _LATIN_WORD.findall(text.lower()):
        for language in _VOTES.get(word, ()):
            votes[language] += 1 / len(_VOTES[word])
    ranked = sorted(votes.values(), reverse=True)
    # A lead of half a vote: one shared word decides nothing.
    if ranked[0] - ranked[1] < 0.5:
        return ""
    return max(votes, key=lambda language: votes[language])
