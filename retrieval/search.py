"""How is a query answered? understand, permit, retrieve, rank, render: read here first."""

import logging
import time
from collections.abc import Collection as Members
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _

from kb.exceptions import QueryError
from kb.models import Segment, SegmentKind
from kb.permissions import AnyUser, visible_audiences, visible_collections, visible_segments
from kb.ranking import RankingSettings, RankingSettingsError
from kb.recordings import SUBTITLE_TYPES, recording_uris
from retrieval import browse, channels, lexical, metrics, spaces
from retrieval.analysis import contains_phrase
from retrieval.describe import describe
from retrieval.picture import QueryPicture, open_picture
from retrieval.query import ParsedQuery, parse
from retrieval.ranking import Placed, RankedAsset, of_picture, of_words, rank
from retrieval.render import facets, render_hits
from retrieval.results import SearchResult
from retrieval.scope import Candidates, Scope

log = logging.getLogger(__name__)

# Segments that each channel proposes: enough for ten pages of ten assets with several matching segments each.
DEPTH = 200
MAX_PAGE_SIZE = 50
# A ranking that evaluations ask for, beside those of the channels.
WITHOUT_PIXELS = "without_pixels"
# Segments in which a phrase is looked for word by word; a phrase of words more frequent than this is cut short.
PHRASE_CANDIDATES = 2000


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a person asks: words, a picture, or both, and which page of the answer they want."""

    words: str = ""
    # The bytes of an image file, as uploaded.
    picture: bytes | None = None
    page: int = 1
    page_size: int = 10
    # Weight of the words against the picture when both are given, 0 to 1.
    text_weight: float = 0.5


def search(user: AnyUser, request: SearchRequest) -> SearchResult:
    """The page of hits that `user` may see for `request`. Raises QueryError for what cannot be asked."""
    clock = Clock()
    with clock("understand"):
        question = understand(request)
    with clock("permit"):
        scope = permit(user, question)
    with clock("retrieve"):
        found = retrieve(question, scope)
    with clock("rank"):
        ranking = order(user, question, scope, found)
    with clock("render"):
        result = render(user, request, question, scope, ranking, found)
    if question.kind == "picture" and question.picture is not None:
        with clock("describe"):
            result = replace(result, description=describe(question.picture, found.picture, scope))
    metrics.observe_search(question.kind, clock.stages_ms, found=bool(result.hits))
    return replace(result, timings_ms=clock.stages_ms)


def ranked_assets(user: AnyUser, request: SearchRequest, depth: int) -> dict[str, list[int]]:
    """The first `depth` asset ids by channel, and as ranked by default under `fused`: for evaluation.

    Under WITHOUT_PIXELS, as if no picture had been encoded: only words count that stand in or about the files, or in
    the query's picture.
    """
    question = understand(request)
    scope = permit(user, question)
    found = retrieve(question, scope)
    lists = {}
    for candidates in (*found.words, *found.picture):
        alone = (
            Found(found.terms, words=(candidates,))
            if candidates in found.words
            else Found((), picture=(candidates,))
        )
        lists[candidates.channel] = [item.asset_id for item in order(user, question, scope, alone)]
    told = Found(
        found.terms,
        tuple(item for item in found.words if item.channel in channels.OF_WORDS),
        tuple(item for item in found.picture if item.channel == channels.READ),
    )
    lists[WITHOUT_PIXELS] = [item.asset_id for item in order(user, question, scope, told)]
    lists["fused"] = [item.asset_id for item in order(user, question, scope, found)]
    return {channel: assets[:depth] for channel, assets in lists.items()}


@dataclass(frozen=True, slots=True)
class Question:
    """The request, understood."""

    query: ParsedQuery
    picture: QueryPicture | None
    # Share of the words against the picture; 1 without a picture, 0 without words.
    text_weight: float

    @property
    def kind(self) -> str:
        """For metrics: words, picture or both."""
        return "words" if self.picture is None else "both" if self.text_weight else "picture"


@dataclass(frozen=True, slots=True)
class Found:
    """What the channels propose, and the words of the query as weighted for this person."""

    terms: tuple[lexical.WeightedTerm, ...]
    words: tuple[Candidates, ...] = ()
    picture: tuple[Candidates, ...] = ()


def understand(request: SearchRequest) -> Question:  # ⑦
    """Parses words and picture. Raises QueryError when there is neither, or either cannot be read."""
    if not 1 <= request.page_size <= MAX_PAGE_SIZE:
        raise QueryError(_("A page holds between 1 and %(most)d results.") % {"most": MAX_PAGE_SIZE})
    query = parse(request.words, max_characters=settings.KB_MAX_QUERY_CHARACTERS)
    picture = open_picture(request.picture) if request.picture is not None else None
    if picture is None and not (query.has_words or query.has_filters):
        if query.excluded:
            raise QueryError(_("Nothing but exclusions: add a word or a filter to search for."))
        raise QueryError(_("Type some words or add a picture."))
    if not 0 <= request.text_weight <= 1:
        raise QueryError(_("The weight of the words must lie between 0 and 1."))
    text_weight = 1.0 if picture is None else request.text_weight if query.has_words else 0.0
    return Question(query, picture, text_weight)


def permit(user: AnyUser, question: Question) -> Scope:  # ⑧
    """What this person may read, narrowed by the filters and exclusions of the question."""
    query = question.query
    audiences = visible_audiences(user)
    collections, unknown = _named_collections(user, query.collections)
    scope = Scope(
        audiences,
        kinds=query.kinds,
        collections=tuple(collections),
        languages=query.languages,
        media_types=query.media_types,
        after=query.after,
        before=query.before,
        is_empty=bool(query.collections) and not collections,
        unknown_collections=unknown,
    )
    if query.excluded:
        scope = _without_excluded(user, query, scope)
    if query.phrases:
        scope = replace(scope, segments=_segments_with_phrases(user, query, scope))
    return scope


def retrieve(question: Question, scope: Scope) -> Found:  # ⑨
    """What each channel proposes inside `scope`."""
    terms = tuple(lexical.weigh(question.query.terms, scope.audiences))
    words: list[Candidates] = []
    picture: list[Candidates] = []
    if question.picture is None and not question.query.has_words:
        words = [browse.newest(scope, DEPTH)]
    elif question.text_weight > 0:
        words = channels.by_words(question.query, terms, scope, DEPTH)
    if question.picture is not None and question.text_weight < 1:
        picture = channels.by_picture(question.picture, scope, DEPTH)
    return Found(terms, tuple(words), tuple(picture))


def order(user: AnyUser, question: Question, scope: Scope, found: Found) -> list[RankedAsset]:  # ⑨
    """The assets that the channels propose, best first."""
    candidates = (*found.words, *found.picture)
    segment_ids = {item.segment_id for channel in candidates for item in channel.items}
    # In a list of what is there, each asset stands for itself.
    is_list = any(channel.channel == browse.CHANNEL for channel in candidates)
    places = place(user, scope, segment_ids, linked=not is_list)
    weighing = ranking_settings(user, scope)
    words = of_words(
        found.words,
        weighing,
        share=question.text_weight,
        language=question.query.language,
        text_languages=spaces.text_languages(),
        visual_languages=spaces.visual_languages(),
    )
    return rank([words, of_picture(found.picture, share=1 - question.text_weight)], places, weighing)


def ranking_settings(user: AnyUser, scope: Scope) -> RankingSettings:
    """The site's, with what the collection says against them when the search is inside one collection alone.

    Across several, scores have to be comparable, so that none of them has a say.
    """
    if len(scope.collections) != 1:
        return RankingSettings()
    collection = visible_collections(user).filter(pk=scope.collections[0]).only("name", "ranking").first()
    try:
        return RankingSettings().overridden(collection.ranking if collection else {})
    except RankingSettingsError:
        # Written past the forms, which refuse it: a search with the site's settings is better than none.
        log.warning("The ranking settings of collection %s make no sense.", collection, exc_info=True)
        return RankingSettings()


def place(user: AnyUser, scope: Scope, segment_ids: Members[int], *, linked: bool) -> dict[int, Placed]:
    """The asset that each segment counts for: its own, or if `linked` one in `scope` that it belongs to.

    A figure is the picture that its document links to; the words of a subtitle file are the recording's beside it.
    """
    segments = list(
        visible_segments(user)
        .filter(pk__in=segment_ids)
        .select_related("asset")
        .only(
            "collection_id",
            "kind",
            "page",
            "start_ms",
            "picture_uri",
            "asset__source_uri",
            "asset__media_type",
        )
    )
    pictured = browse.assets_at(
        {(item.collection_id, item.picture_uri) for item in segments if linked and item.picture_uri}, scope
    )
    recordings = {item.pk: _recordings_of(item) for item in segments} if linked else {}
    # The subtitles are in the language that was asked for, whatever is written in the pictures.
    spoken = browse.assets_at(
        {at for found in recordings.values() for at in found}, replace(scope, languages=())
    )
    places = {}
    for segment in segments:
        drawn = pictured.get((segment.collection_id, segment.picture_uri))
        heard = (spoken.get(link) for link in recordings.get(segment.pk, ()))
        own = segment.asset_id if scope.allows(segment.asset.media_type, segment.asset.kind) else None
        asset_id = next((found for found in (drawn, *heard, own) if found is not None), None)
        if asset_id is not None:
            places[segment.pk] = Placed(segment.pk, asset_id, segment.page, segment.start_ms)
    return places


def _recordings_of(segment: Segment) -> list[tuple[int, str]]:
    """Where the recording may be that a subtitle file's words belong to, likeliest first."""
    if segment.kind != SegmentKind.SPEECH or segment.asset.media_type not in SUBTITLE_TYPES:
        return []
    return [(segment.collection_id, uri) for uri in recording_uris(segment.asset.source_uri)]


def render(  # ⑩
    user: AnyUser,
    request: SearchRequest,
    question: Question,
    scope: Scope,
    ranking: Sequence[RankedAsset],
    found: Found,
) -> SearchResult:
    """The requested page of `ranking`, with what surrounds it."""
    first = (max(1, request.page) - 1) * request.page_size
    terms = [term.text for term in found.terms]
    return SearchResult(
        hits=render_hits(user, ranking[first : first + request.page_size], terms),
        total=len(ranking),
        total_is_capped=any(channel.is_capped for channel in (*found.words, *found.picture)),
        facets=facets(user, [item.asset_id for item in ranking]),
        understood=asdict(question.query),
        notices=(*question.query.notices, *_notices(scope)),
    )


def _named_collections(user: AnyUser, names: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
    """Ids of the collections that `in:` names, among those whose name this person may know; and the other names."""
    if not names:
        return [], ()
    asked = models.Q()
    for name in names:
        asked |= models.Q(slug__iexact=name) | models.Q(name__iexact=name)
    found = list(visible_collections(user).filter(asked).values_list("pk", "slug", "name"))
    known = {called.upper() for row in found for called in row[1:]}
    return [row[0] for row in found], tuple(name for name in names if name.upper() not in known)


def _notices(scope: Scope) -> list[str]:
    sentence = _("There is no collection “%(name)s” that you can see.")
    return [sentence % {"name": name} for name in scope.unknown_collections]


def _segments_with_phrases(user: AnyUser, query: ParsedQuery, scope: Scope) -> tuple[int, ...]:
    """Segments in which every phrase of the query stands word by word."""
    terms = [term for phrase in query.phrases for term in phrase]
    return tuple(segment.pk for segment in _with_phrases(user, terms, query.phrase_units, scope))


def _without_excluded(user: AnyUser, query: ParsedQuery, scope: Scope) -> Scope:
    """`scope` less the assets in which, as far as this person sees them, something excluded stands."""
    lexemes: list[int] = []
    assets: set[int] = set()
    for terms, units in zip(query.excluded, query.excluded_units, strict=True):
        if len(terms) == 1 and len(units) == 1:
            lexemes += [term.lexeme_id for term in lexical.weigh(terms, scope.audiences)]
        else:
            assets |= {
                segment.asset_id for segment in _with_phrases(user, terms, [units], Scope(scope.audiences))
            }
    return replace(scope, excluded_lexemes=tuple(lexemes), excluded_assets=tuple(sorted(assets)))


def _with_phrases(
    user: AnyUser, terms: Sequence[str], phrases: Sequence[Sequence[str]], scope: Scope
) -> list[Segment]:
    """Segments that have all of `terms`, and each of `phrases`, unit after unit."""
    known = lexical.weigh(terms, scope.audiences)
    if len(known) < len(set(terms)):
        return []
    ids = lexical.segments_with_all([term.lexeme_id for term in known], scope, PHRASE_CANDIDATES)
    return [
        segment
        for segment in visible_segments(user).filter(pk__in=ids).select_related("asset")
        if all(_stands_in(segment, phrase) for phrase in phrases)
    ]


def _stands_in(segment: Segment, phrase: Sequence[str]) -> bool:
    """Whether the phrase stands in a text that the segment is found by: its own, its headings, its file's names."""
    name = segment.asset.source_uri.rsplit("/", 1)[-1]
    texts = (segment.searchable_text, *segment.heading_path, segment.asset.title, name)
    return any(contains_phrase(text, list(phrase)) for text in texts)


class Clock:
    """Milliseconds by stage of one search."""

    def __init__(self) -> None:
        self.stages_ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.stages_ms[stage] = round((time.perf_counter() - began) * 1000, 2)
