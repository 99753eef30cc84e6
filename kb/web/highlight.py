"""Which parts of a text does the reader's query name?

For the viewer only, which shows a passage that search has already found: plain matching of the typed words,
since the library does not know the search engine's stemmer.
"""

import re
from dataclasses import dataclass

# Inline filters and excluded words are no words to look for.
IGNORED = re.compile(
    r'(?:^|(?<=\s))(?:(?:kind|in|lang|type|before|after):(?:"[^"]*"|\S+)|-\S+)', re.IGNORECASE
)
# Han characters and kana, whose words have no spaces between them.
UNSPACED = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
WORDS = re.compile(rf"[{UNSPACED}]+|[^\W{UNSPACED}]+")
# A query is not a document: more words than this are not looked for.
MOST_WORDS = 40
# Endings that change with number and tense: `pumps` finds `pump`, `filed` finds `filing`.
ENDING = re.compile(r"(?:ing|ed|es|s)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    text: str
    highlighted: bool


def pattern(words: str) -> re.Pattern[str] | None:
    """What matches a text's words that the query names; None when it names none."""
    alternatives: list[str] = []
    for match in list(WORDS.finditer(IGNORED.sub(" ", words)))[:MOST_WORDS]:
        word = match.group()
        if re.match(f"[{UNSPACED}]", word):
            # The run as typed, else any two characters of it: a question seldom stands in the text as it is.
            pairs = [word[i : i + 2] for i in range(len(word) - 1)] or [word]
            alternatives += [re.escape(word), *map(re.escape, pairs)]
        else:
            stem = ENDING.sub("", word) if len(word) > 4 else word
            tail = r"\w*" if len(stem) > 3 else r"s?"
            alternatives.append(rf"\b{re.escape(stem)}{tail}\b")
    if not alternatives:
        return None
    return re.compile("|".join(sorted(alternatives, key=len, reverse=True)), re.IGNORECASE)


def parts(text: str, sought: re.Pattern[str] | None) -> list[Part]:
    """The text in order, cut where highlighting begins and ends."""
    if sought is None:
        return [Part(text, False)] if text else []
    found: list[Part] = []
    at = 0
    for match in sought.finditer(text):
        if match.start() > at:
            found.append(Part(text[at : match.start()], False))
        found.append(Part(match.group(), True))
        at = match.end()
    if at < len(text):
        found.append(Part(text[at:], False))
    return found
