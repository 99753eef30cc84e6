"""What does a search answer? The shapes that the API and the pages render."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SnippetPart:
    text: str
    highlighted: bool


@dataclass(frozen=True, slots=True)
class ChannelScore:
    """Why a hit is here: one channel's word on it. `score` is the channel's own; `share` its part of the rank."""

    channel: str  # lexical, text, visual
    rank: int  # From 1, within the channel.
    score: float
    share: float


@dataclass(frozen=True, slots=True)
class Hit:
    asset_id: int
    kind: str  # document, image, video
    title: str
    media_type: str
    language: str
    collection_id: int
    collection_name: str
    source_uri: str
    updated_at: str  # ISO 8601.
    segment_id: int
    segment_kind: str
    page: int | None
    start_ms: int | None
    heading_path: tuple[str, ...]
    box: tuple[float, float, float, float] | None
    snippet: tuple[SnippetPart, ...]
    # API paths; empty when there is nothing to show.
    thumbnail_url: str
    content_url: str
    score: float
    channels: tuple[ChannelScore, ...]
    # A strip of frames from all over a video; empty for everything else.
    preview_url: str = ""
    # Further segments of the same asset that match, best first: (segment id, page, start_ms).
    more: tuple[tuple[int, int | None, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Facet:
    field: str  # kind, collection, language
    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class SearchResult:
    hits: tuple[Hit, ...]
    # Assets that match and that this person may see, counted to at most `total_cap`.
    total: int
    total_is_capped: bool
    facets: tuple[Facet, ...]
    timings_ms: dict[str, float] = field(default_factory=dict)
    # For a picture alone: a sentence on what it shows, from the passages nearest to it. Empty when nothing is near.
    description: str = ""
    # What the parser understood, for the page to show: words, phrases, exclusions, filters.
    understood: dict[str, object] = field(default_factory=dict)
    # Hints to the person: a filter that names nothing, a channel that is not configured.
    notices: tuple[str, ...] = ()
