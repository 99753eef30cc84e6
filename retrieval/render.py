"""What does a hit show? Snippet, place, thumbnail, reasons: read again through the permission rule, row by row."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence

from django.db.models import F

from kb.models import Asset, Collection, Segment, SegmentKind
from kb.permissions import (
    AnyUser,
    visible_assets,
    visible_collections,
    visible_segments,
    visible_versions,
)
from retrieval.ranking import RankedAsset
from retrieval.results import Facet, Hit, SnippetPart
from retrieval.snippets import snippet


def render_hits(user: AnyUser, ranked: Sequence[RankedAsset], terms: Sequence[str]) -> tuple[Hit, ...]:
    """One hit for each of `ranked` that is still there and still visible, in the same order.

    Rows are fetched through kb.permissions although the statements before were restricted as well: a grant that
    was taken away while the search ran counts.
    """
    assets = visible_assets(user).in_bulk([item.asset_id for item in ranked])
    segments = visible_segments(user).in_bulk([item.segments[0].segment_id for item in ranked])
    collections = visible_collections(user).in_bulk({asset.collection_id for asset in assets.values()})
    thumbnails = _thumbnails(user, assets, segments.values())
    spoken = [
        (assets[item.asset_id], segments[item.segments[0].segment_id])
        for item in ranked
        if item.asset_id in assets and item.segments[0].segment_id in segments
    ]
    shots = _shots_while_spoken(user, spoken)
    previewed = _with_preview(user, assets.values())
    wanted = frozenset(terms)
    hits = []
    for item in ranked:
        asset, segment = assets.get(item.asset_id), segments.get(item.segments[0].segment_id)
        if asset is not None and segment is not None:
            collection = collections.get(asset.collection_id)
            thumbnail = (
                shots.get((asset.pk, segment.pk))
                or thumbnails.get((asset.pk, segment.page))
                or thumbnails.get((asset.pk, None), "")
            )
            preview = f"/api/assets/{asset.pk}/preview" if asset.pk in previewed else ""
            hits.append(_hit(asset, segment, collection, item, wanted, thumbnail, preview))
    return tuple(hits)


def _hit(
    asset: Asset,
    segment: Segment,
    collection: Collection | None,
    item: RankedAsset,
    terms: frozenset[str],
    thumbnail_url: str,
    preview_url: str,
) -> Hit:
    # A figure of a document may stand for another asset of the collection: that asset's pixels are shown then.
    is_own = segment.asset_id == asset.pk
    return Hit(
        asset_id=asset.pk,
        kind=asset.kind,
        title=asset.title,
        media_type=asset.media_type,
        language=segment.language or asset.language,
        collection_id=asset.collection_id,
        # Who may read a single asset but not its collection does not learn the collection's name.
        collection_name=collection.name if collection else "",
        source_uri=asset.source_uri,
        updated_at=asset.updated_at.isoformat(),
        segment_id=segment.pk,
        segment_kind=segment.kind,
        page=segment.page if is_own else None,
        start_ms=segment.start_ms,
        heading_path=tuple(segment.heading_path),
        box=_box(segment) if is_own else None,
        snippet=_snippet(segment, terms),
        # A figure or shot shows itself; a passage shows its page, or the asset's first picture.
        thumbnail_url=_thumbnail_url(segment.pk) if is_own and segment.thumbnail_key else thumbnail_url,
        content_url=f"/api/assets/{asset.pk}/content",
        score=item.score,
        channels=item.channels,
        preview_url=preview_url,
        more=tuple((other.segment_id, other.page, other.start_ms) for other in item.segments[1:6]),
    )


def _snippet(segment: Segment, terms: frozenset[str]) -> tuple[SnippetPart, ...]:
    return tuple(snippet(segment.searchable_text, terms))


def _box(segment: Segment) -> tuple[float, float, float, float] | None:
    if segment.box is None:
        return None
    left, top, right, bottom = segment.box
    return (left, top, right, bottom)


def _thumbnail_url(segment_id: int) -> str:
    return f"/api/segments/{segment_id}/thumbnail"


def _shots_while_spoken(user: AnyUser, hits: Iterable[tuple[Asset, Segment]]) -> dict[tuple[int, int], str]:
    """URLs of what is seen while words are spoken, by (video, spoken segment)."""
    spoken = [
        (asset.pk, segment.pk, segment.start_ms)
        for asset, segment in hits
        if segment.kind == SegmentKind.SPEECH and segment.start_ms is not None and asset.kind == "video"
    ]
    if not spoken:
        return {}
    shots: dict[int, list[tuple[int, int]]] = {}
    pictured = visible_segments(user).filter(
        asset__in={asset_id for asset_id, _, _ in spoken},
        kind=SegmentKind.SHOT,
        # Films run to thousands of shots; none after the last of the spoken words can be asked for.
        start_ms__lte=max(start_ms for _, _, start_ms in spoken),
    )
    rows = pictured.exclude(thumbnail_key="").order_by("start_ms", "pk")
    for asset_id, start_ms, pk in rows.values_list("asset_id", "start_ms", "pk"):
        if start_ms is not None:
            shots.setdefault(asset_id, []).append((start_ms, pk))
    urls = {}
    for asset_id, segment_id, start_ms in spoken:
        before = bisect_right(shots.get(asset_id, []), start_ms, key=lambda shot: shot[0])
        if before:
            urls[asset_id, segment_id] = _thumbnail_url(shots[asset_id][before - 1][1])
    return urls


def _with_preview(user: AnyUser, assets: Iterable[Asset]) -> set[int]:
    """Those of these assets that have a strip of frames."""
    videos = [asset.pk for asset in assets if asset.kind == "video"]
    if not videos:
        return set()
    versions = visible_versions(user).filter(asset__in=videos, facts__has_key="preview_key")
    return set(versions.values_list("asset_id", flat=True))


def _thumbnails(
    user: AnyUser, assets: Iterable[int], segments: Iterable[Segment]
) -> dict[tuple[int, int | None], str]:
    """URLs by (asset, page) for the pages that `segments` stand on, and by (asset, None) for each asset's cover."""
    pictured = visible_segments(user).filter(asset__in=list(assets)).exclude(thumbnail_key="")
    covers = pictured.order_by("asset_id", F("page").asc(nulls_last=True), "part", "ordinal").distinct(
        "asset_id"
    )
    urls: dict[tuple[int, int | None], str] = {
        (asset_id, None): _thumbnail_url(pk) for pk, asset_id in covers.values_list("pk", "asset_id")
    }
    pages = {segment.page for segment in segments if segment.page is not None}
    rows = pictured.filter(kind=SegmentKind.PAGE, page__in=pages).values_list("pk", "asset_id", "page")
    return urls | {(asset_id, page): _thumbnail_url(pk) for pk, asset_id, page in rows}


def facets(user: AnyUser, asset_ids: Sequence[int]) -> tuple[Facet, ...]:
    """Counts by kind, collection and language over the visible assets that match."""
    rows = list(visible_assets(user).filter(pk__in=asset_ids).only("media_type", "collection_id", "language"))
    named = visible_collections(user).filter(pk__in={row.collection_id for row in rows})
    known = {pk: (slug, name) for pk, slug, name in named.values_list("pk", "slug", "name")}
    kinds = Counter(row.kind for row in rows)
    collections = Counter(row.collection_id for row in rows if row.collection_id in known)
    languages = Counter(row.language for row in rows if row.language)
    return (
        *(Facet("kind", kind, kind, count) for kind, count in kinds.most_common()),
        *(Facet("collection", *known[pk], count) for pk, count in collections.most_common()),
        *(Facet("language", code, code, count) for code, count in languages.most_common()),
    )
