"""Which language is a text in? By script, and among languages of the Latin script by their commonest
words."""

import re

from retrieval.characters import HAN, HANGUL, KANA

# Beyond this nothing changes the vote.
_DETECTION_CHARACTERS = 20_000
_HAN = re.compile(f"[{HAN}]")
_KANA = re.compile(f"[{KANA}]")
_SCRIPTS = {
    "ru": re.compile("[\u0400-\u052f]"),
    "el": re.compile("[\u0370-\u03ff]"),
    "ar": re.compile("[\u0600-\u06ff]"),
    "he": re.compile("[\u0590-\u05ff]"),
    "hi": re.compile("[\u0900-\u097f]"),
    "th": re.compile("[\u0e00-\u0e7f]"),
    "ko": re.compile(f"[{HANGUL}]"),
}
# Letters to a word: counts in words compare across scripts.
_LETTERS_PER_WORD = {"zh": 1.6, "ja": 2.0, "ko": 2.5, "th": 4.0}
_UKRAINIAN = re.compile("[іїєґІЇЄҐ]")
_LATIN_WORD = re.compile("[a-z\u00df-\u024f]+")
_COMMON_WORDS = {
    "en": "the of and to in is that for it with as was on are this be at by from how what not you your no",
    "de": "der die das und in zu den mit von ist nicht ein eine für auf im dem des sich auch wie wird werden",
    "fr": "le la les de des et un une du en est pour que dans qui sur au par pas avec sont ce il plus",
    "es": "el la los las de que y en un una del por con no para es se al como lo su más son",
    "it": "il lo la gli di che e un una in del della per con non è sono si al dei da le come più",
    "pt": "o a os as de que e em um uma do da para com não é no na por se mais dos como",
}
_VOTES = {
    word: [language for language, words in _COMMON_WORDS.items() if word in words.split()]
    for word in " ".join(_COMMON_WORDS.values()).split()
}
# One shared word decides nothing.
_CLEAR_LEAD = 0.5
# Other languages than English need two different words: labels and part numbers are full of "no", "as" and "de".
_DISTINCT_WORDS = 2


def detect_language(text: str) -> str:
    """ISO 639-1 of the language that most of `text` is in; empty where that is not clear."""
    text = text[:_DETECTION_CHARACTERS]
    latin = _LATIN_WORD.findall(text.lower())
    if not text.isascii():
        language, words = _other_script(text)
        if words > len(latin):
            return language
    votes = dict.fromkeys(_COMMON_WORDS, 0.0)
    for word in latin:
        # A single letter is a unit, a label or an axis more often than a word.
        if len(word) == 1:
            continue
        for language in _VOTES.get(word, ()):
            votes[language] += 1 / len(_VOTES[word])
    first, second = sorted(votes.values(), reverse=True)[:2]
    if first - second < _CLEAR_LEAD:
        return ""
    language = max(votes, key=lambda language: votes[language])
    distinct = {word for word in latin if language in _VOTES.get(word, ())}
    return language if language == "en" or len(distinct) >= _DISTINCT_WORDS else ""


def _other_script(text: str) -> tuple[str, float]:
    """The foremost language of another script than Latin, and about how many words of it there are."""
    kana = len(_KANA.findall(text))
    letters = {language: len(pattern.findall(text)) for language, pattern in _SCRIPTS.items()}
    ideographs = len(_HAN.findall(text)) + kana
    # Japanese prose is half kana; a Chinese page may quote a product's name.
    letters["ja" if kana * 10 > ideographs else "zh"] = ideographs
    words = {language: count / _LETTERS_PER_WORD.get(language, 6) for language, count in letters.items()}
    best = max(words, key=lambda language: words[language])
    return ("uk" if best == "ru" and _UKRAINIAN.search(text) else best), words[best]
