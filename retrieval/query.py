"""What does a person ask for? Free words, "phrases", -exclusions and filters (kind: in: lang: type: before:
after:).

A filter that names nothing known becomes a notice and is left out; only a query that is too long is refused.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from django.utils.translation import gettext as _

from kb.exceptions import QueryError
from retrieval.analysis import detect_language, phrase_terms, phrase_units, query_terms
from retrieval.filter_values import day_of, kind_of, language_of, media_types_of


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    # Words and phrases, without filters and exclusions: what the vector channels encode.
    text: str = ""
    # Of `text`, by its script and common words; empty where that is not clear.
    language: str = ""
    # Index terms of `text`, for scoring: none of them need be there.
    terms: tuple[str, ...] = ()
    # For each phrase, index terms that a text with the phrase has, all of them (perhaps none); and at the
    # same place in `phrase_units` what `analysis.contains_phrase` then looks for.
    phrases: tuple[tuple[str, ...], ...] = ()
    phrase_units: tuple[tuple[str, ...], ...] = ()
    # The same for what must not be there. A text is out when it contains the units, not when it has some
    # term.
    excluded: tuple[tuple[str, ...], ...] = ()
    excluded_units: tuple[tuple[str, ...], ...] = ()
    # Empty: any. Within one filter any value will do; between filters all must hold.
    kinds: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()  # Slugs or names, as typed.
    languages: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    before: date | None = None  # Earlier than this day.
    after: date | None = None  # This day or later.
    notices: tuple[str, ...] = ()

    @property
    def has_words(self) -> bool:
        return bool(self.terms or self.phrases)

    @property
    def has_filters(self) -> bool:
        chosen = (self.kinds, self.collections, self.languages, self.media_types, self.before, self.after)
        return any(bool(value) for value in chosen)


def parse(words: str, *, max_characters: int) -> ParsedQuery:
    """Reads what a person typed. Raises QueryError when it is longer than `max_characters`."""
    if len(words) > max_characters:
        raise QueryError(
            _(
                "The query has %(length)s characters; %(most)s are allowed. "
                "Search for its most telling sentence instead."
            )
            % {"length": f"{len(words):,}", "most": f"{max_characters:,}"}
        )
    query = ParsedQuery()
    kept: list[str] = []
    for item in _ITEM.finditer(_clean(words)):
        quoted = next((item[name] for name in _QUOTES if item[name] is not None), None)
        if item["key"] is not None:
            query, is_filter = _with_filter(query, item["minus"] is not None, item["key"], item["value"])
            if not is_filter:
                kept.append(item[0])
        elif item["minus"]:
            query = _without(query, quoted if quoted is not None else item["word"])
        elif quoted is not None:
            query = _with_phrase(query, quoted)
            kept.append(quoted)
        else:
            kept.append(item["word"])
    text = " ".join(" ".join(kept).split())
    query = replace(query, text=text, language=detect_language(text), terms=tuple(query_terms(text)))
    return _with_notices(query)


# Control characters, NUL among them, which PostgreSQL does not store, and halves of surrogate pairs.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

_QUOTES = ("straight", "curly", "corner", "white")
_QUOTED = '"(?P<straight>[^"]*)"|“(?P<curly>[^”]*)”|「(?P<corner>[^」]*)」|『(?P<white>[^』]*)』'
_VALUE = '(?:"[^"]*"|“[^”]*”|「[^」]*」|[^\\s"“「]+)'
_ITEM = re.compile(
    # A minus before a digit is a sign: -40 degrees.
    "(?P<minus>(?<![^\\s])[-－](?=[^\\s\\d-]))?"
    f"(?:(?P<key>[^\\W\\d_]+)[:：](?!//)(?P<value>{_VALUE}(?:[,，]{_VALUE})*)|{_QUOTED}|(?P<word>\\S+?(?=[“「『]|\\s|$)))"
)


def _clean(words: str) -> str:
    return _UNPRINTABLE.sub(" ", words).strip()


def _with_phrase(query: ParsedQuery, text: str) -> ParsedQuery:
    units = tuple(phrase_units(text))
    if not units:
        return query
    return replace(
        query,
        phrases=(*query.phrases, tuple(phrase_terms(text))),
        phrase_units=(*query.phrase_units, units),
    )


def _without(query: ParsedQuery, text: str) -> ParsedQuery:
    units = tuple(phrase_units(text))
    if not units:
        return query
    return replace(
        query,
        excluded=(*query.excluded, tuple(phrase_terms(text))),
        excluded_units=(*query.excluded_units, units),
    )


def _with_notice(query: ParsedQuery, notice: str) -> ParsedQuery:
    return query if notice in query.notices else replace(query, notices=(*query.notices, notice))


def _with_notices(query: ParsedQuery) -> ParsedQuery:
    """Adds what can only be said of the whole."""
    if query.before and query.after and query.before <= query.after:
        query = _with_notice(
            query,
            _("No day is before %(before)s and not before %(after)s.")
            % {"before": query.before, "after": query.after},
        )
    if query.excluded and not query.has_words and not query.has_filters:
        query = _with_notice(query, _("Nothing but exclusions: add a word or a filter to search for."))
    return query


_KEYS = {
    "kind": ("kind", "类型", "種類", "类别"),
    "in": ("in", "collection", "集合", "知识库", "库"),
    "lang": ("lang", "language", "语言", "語言"),
    "type": ("type", "filetype", "格式"),
    "before": ("before", "早于", "之前"),
    "after": ("after", "晚于", "之后"),
}
_KEY_OF = {alias: key for key, aliases in _KEYS.items() for alias in aliases}


def _with_filter(query: ParsedQuery, negated: bool, key: str, value: str) -> tuple[ParsedQuery, bool]:
    """The query with this filter, and whether it was one: an unknown key is words with a colon in them."""
    name = _KEY_OF.get(key.casefold())
    if name is None:
        if negated:
            return _without(query, value), True
        unknown = _("There is no filter “%(key)s:”; it was searched as words.") % {"key": key}
        return _with_notice(query, unknown), False
    if negated:
        excluded = _("A filter cannot be excluded; “-%(key)s:” was left out.") % {"key": key}
        return _with_notice(query, excluded), True
    for single in _values(value):
        query = _FILTERS[name](query, single)
    return query, True


def _values(value: str) -> Iterator[str]:
    for match in re.finditer('"([^"]*)"|“([^”]*)”|「([^」]*)」|([^,，]+)', value):
        text = " ".join(next((group for group in match.groups() if group is not None), "").split())
        if text:
            yield text


def _kind(query: ParsedQuery, value: str) -> ParsedQuery:
    if kind := kind_of(value):
        return replace(query, kinds=_once(query.kinds, kind))
    if found := media_types_of(value):  # 类型:pdf
        return replace(query, media_types=_once(query.media_types, *found))
    unknown = _("“%(value)s” is no kind; there are document, image and video.")
    return _with_notice(query, unknown % {"value": value})


def _type(query: ParsedQuery, value: str) -> ParsedQuery:
    if found := media_types_of(value):
        return replace(query, media_types=_once(query.media_types, *found))
    if kind := kind_of(value):  # type:image
        return replace(query, kinds=_once(query.kinds, kind))
    unknown = _("“%(value)s” is no file type; try one like pdf, docx, png or text/html.")
    return _with_notice(query, unknown % {"value": value})


def _collection(query: ParsedQuery, value: str) -> ParsedQuery:
    return replace(query, collections=_once(query.collections, value))


def _language(query: ParsedQuery, value: str) -> ParsedQuery:
    if code := language_of(value):
        return replace(query, languages=_once(query.languages, code))
    unknown = _("“%(value)s” is no language; use a code like en or zh.")
    return _with_notice(query, unknown % {"value": value})


def _before(query: ParsedQuery, value: str) -> ParsedQuery:
    day = day_of(value)
    if day is None:
        return _with_notice(query, _no_date(value))
    return replace(query, before=min(day, query.before or day))


def _after(query: ParsedQuery, value: str) -> ParsedQuery:
    day = day_of(value)
    if day is None:
        return _with_notice(query, _no_date(value))
    return replace(query, after=max(day, query.after or day))


def _no_date(value: str) -> str:
    return _("“%(value)s” is no date; write it like 2026-01-31, 2026-01 or 2026.") % {"value": value}


def _once(values: tuple[str, ...], *new: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*values, *new)))


_FILTERS: Mapping[str, Callable[[ParsedQuery, str], ParsedQuery]] = {
    "kind": _kind,
    "in": _collection,
    "lang": _language,
    "type": _type,
    "before": _before,
    "after": _after,
}
