"""How does a search result look to a person? Names, links and numbers made ready for the page's template."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kb.models import SegmentKind
from kb.web import labels
from kb.web.viewer import Region
from retrieval.results import Facet, Hit, SearchResult
from retrieval.search import SearchRequest
from retrieval.web.filters import OF_FACET, filters, narrowed, without

CHANNELS: dict[str, str | Promise] = {
    "lexical": _("Words"),
    "text": _("Meaning"),
    "visual": _("Picture"),
    "lookalike": _("Looks alike"),
    "described": _("Says what it shows"),
    "read": _("Words in the picture"),
    "newest": _("Newest"),
    "fused": _("Words and picture"),
}
FACETS: dict[str, str | Promise] = {
    "kind": _("Kind"),
    "collection": _("Collection"),
    "language": _("Language"),
}
# Pages to jump to on either side of the current one.
PAGES_AROUND = 2


def address(words: str, page: int = 1) -> str:
    query: dict[str, str | int] = {"q": words}
    if page > 1:
        query["page"] = page
    return f"{reverse('search')}?{urlencode(query)}"


def asset_address(hit: Hit, segment_id: int, page: int | None, start_ms: int | None, words: str) -> str:
    query: dict[str, str | int] = {"segment": segment_id}
    if page is not None:
        query["page"] = page
    if start_ms is not None:
        query["t"] = labels.seconds(start_ms)
    if words:
        query["q"] = words
    return f"{reverse('asset', args=[hit.asset_id])}?{urlencode(query)}"


@dataclass(frozen=True, slots=True)
class Channel:
    label: str
    rank: int
    score: str
    percent: int


@dataclass(frozen=True, slots=True)
class Place:
    """Another match in the same asset."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class ShownHit:
    hit: Hit
    url: str
    kind_label: str
    # Which piece of a document it is, where that is not simply its text.
    piece_label: str
    place: str
    language: str
    region: Region | None
    channels: tuple[Channel, ...]
    score: str
    updated_at: object
    more: tuple[Place, ...]

    @classmethod
    def of(cls, hit: Hit, words: str) -> "ShownHit":
        foreign = hit.language and hit.language.split("-")[0] != labels.interface_language()
        is_figure = hit.segment_kind == SegmentKind.FIGURE and hit.kind == "document"
        # A picture is found by the documents that show it, too: their pages are no places in the picture.
        more = () if hit.kind == "image" else hit.more
        # A figure's thumbnail is the figure itself; its box is a place on a page that is not shown here.
        inside = None if is_figure else hit.box
        return cls(
            hit=hit,
            url=asset_address(hit, hit.segment_id, hit.page, hit.start_ms, words),
            kind_label=labels.kind(hit.kind),
            piece_label=str(labels.SEGMENTS[SegmentKind.FIGURE]) if is_figure else "",
            place=labels.place(hit.page, hit.start_ms),
            language=labels.language(hit.language) if foreign else "",
            region=Region.of(inside) if inside is not None else None,
            channels=tuple(
                Channel(
                    label=str(CHANNELS.get(channel.channel, channel.channel)),
                    rank=channel.rank,
                    score=f"{channel.score:.3f}",
                    percent=round(100 * min(max(channel.share, 0.0), 1.0)),
                )
                for channel in sorted(hit.channels, key=lambda channel: channel.share, reverse=True)
            ),
            score=f"{hit.score:.4f}",
            updated_at=parse_datetime(hit.updated_at) if hit.updated_at else None,
            more=tuple(
                Place(
                    label=labels.place(page, start_ms) or str(position),
                    url=asset_address(hit, segment_id, page, start_ms, words),
                )
                for position, (segment_id, page, start_ms) in enumerate(more, start=2)
            ),
        )


@dataclass(frozen=True, slots=True)
class FacetLink:
    label: str
    count: int
    url: str
    active: bool


@dataclass(frozen=True, slots=True)
class FacetGroup:
    label: str
    links: tuple[FacetLink, ...]


def facet_label(facet: Facet) -> str:
    if facet.field == "kind":
        return labels.kind(facet.value)
    return labels.language(facet.value) if facet.field == "language" else facet.label


def facet_groups(facets: tuple[Facet, ...], words: str) -> tuple[FacetGroup, ...]:
    """Links that add a filter to the query, or take it out again where it is already there."""
    active = {(found.name, found.value.casefold()) for found in filters(words)}
    groups = []
    for field, title in FACETS.items():
        name = OF_FACET[field]
        links = []
        for facet in facets:
            if facet.field != field:
                continue
            here = (name, facet.value.casefold()) in active
            query = without(words, name) if here else narrowed(words, name, facet.value)
            links.append(FacetLink(facet_label(facet), facet.count, address(query), here))
        if links:
            groups.append(FacetGroup(str(title), tuple(links)))
    return tuple(groups)


@dataclass(frozen=True, slots=True)
class Removal:
    """A filter in force, and the address of the query without it."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class PageLink:
    number: int
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class ResultPage:
    hits: tuple[ShownHit, ...]
    total: int
    total_is_capped: bool
    ms: int
    description: str
    notices: tuple[str, ...]
    facets: tuple[FacetGroup, ...]
    removals: tuple[Removal, ...]
    pages: tuple[PageLink, ...]
    previous_url: str
    next_url: str
    by_picture: bool
    first: int

    @classmethod
    def of(cls, result: SearchResult, asked: SearchRequest) -> "ResultPage":
        words, page = asked.words, asked.page
        last = max(-(-result.total // asked.page_size), 1)
        numbers = range(max(page - PAGES_AROUND, 1), min(page + PAGES_AROUND, last) + 1)
        # The whole, where the engine states it; else the sum of its steps.
        ms = result.timings_ms.get("total", sum(result.timings_ms.values()))
        return cls(
            hits=tuple(ShownHit.of(hit, words) for hit in result.hits),
            total=result.total,
            total_is_capped=result.total_is_capped,
            ms=round(ms),
            description=result.description,
            notices=result.notices,
            facets=facet_groups(result.facets, words),
            removals=tuple(
                Removal(words[found.start : found.end], address(without(words, found.name)))
                for found in filters(words)
            ),
            pages=tuple(PageLink(n, address(words, n), n == page) for n in numbers) if last > 1 else (),
            previous_url=address(words, page - 1) if page > 1 else "",
            next_url=address(words, page + 1) if page < last else "",
            by_picture=asked.picture is not None,
            first=(page - 1) * asked.page_size + 1,
        )
