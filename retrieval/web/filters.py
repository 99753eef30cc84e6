"""How does a link narrow a query? Filters are words of the query, so that a person sees and can edit them."""

import re
from dataclasses import dataclass

# A filter, a phrase or a word, each whole; a filter's name inside a phrase is just text.
TOKEN = re.compile(r'(?:(kind|in|lang|type|before|after):)?("[^"]*"|[^\s"]+)', re.IGNORECASE)
# Which filter each facet field is.
OF_FACET = {"kind": "kind", "collection": "in", "language": "lang"}


@dataclass(frozen=True, slots=True)
class Filter:
    name: str
    value: str
    start: int
    end: int


def filters(words: str) -> list[Filter]:
    """The inline filters of a query, in order."""
    return [
        Filter(match[1].lower(), match[2].strip('"'), match.start(), match.end())
        for match in TOKEN.finditer(words)
        if match[1]
    ]


def without(words: str, name: str) -> str:
    """The query with every filter of this name taken out."""
    for found in reversed(filters(words)):
        if found.name == name:
            words = words[: found.start] + words[found.end :]
    return " ".join(words.split()) if words.strip() else ""


def narrowed(words: str, name: str, value: str) -> str:
    """The query with this filter, in place of any other of the same name."""
    plain = re.fullmatch(r'[^\s":]+', value)
    quoted = value if plain else '"' + value.replace('"', "") + '"'
    return f"{without(words, name)} {name}:{quoted}".strip()
