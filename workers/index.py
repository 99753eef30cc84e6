"""⑥ How does a version become searchable? Its words are analysed first; then one transaction swaps it in.

`prepare` works outside any transaction and changes nothing that a reader sees; `make_visible` is the swap: the old
version's segments, words, vectors and statistics go, the new one's come, and the asset says what it is now.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from kb import word_statistics
from kb.library import (
    delete_asset,
    move,
    move_members,
    remove_assets,
    remove_objects_on_commit,
    remove_segments,
)
from kb.media_types import kind_of
from kb.models import (
    Asset,
    AssetState,
    AssetVersion,
    Document,
    Image,
    IngestItem,
    IngestStep,
    Outcome,
    Segment,
    Video,
)
from kb.models.words import SPARSE_DIMENSIONS
from kb.runs import LIVE_STATES, wake_relay
from kb.word_statistics import StatisticsChange
from retrieval.analysis import analyse
from retrieval.lexical import impacts
from workers import facts
from workers.segments import own_words, readable_name
from workers.vector_sets import ensure_vector_set

__all__ = ["delete_asset", "ensure_vector_set", "give_up", "make_visible", "move", "prepare", "publish"]

# Lexeme.text is this wide.
_LONGEST_TERM = 64
# Non-zero elements of a sparsevec; a segment with more distinct words is a dictionary, and keeps its weightiest.
_MOST_TERMS = 16_000

_CHILDREN: dict[str, type[Asset]] = {"document": Document, "image": Image, "video": Video}


@dataclass(frozen=True, slots=True)
class SegmentTerms:
    segment_id: int
    kind: str
    # BM25 impact by lexeme id.
    impacts: dict[int, float]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A version's words, ready to be published."""

    version_id: int
    title: str
    language: str
    segments: list[SegmentTerms] = field(default_factory=list)


def publish(version: AssetVersion) -> bool:
    """Makes the version searchable. False when its asset is gone or holds a newer one."""
    return make_visible(prepare(version))


def prepare(version: AssetVersion) -> Prepared:
    """Analyses the words of the version's segments and gives each term its id."""
    segments = list(Segment.objects.filter(asset=version.asset_id, version=version.number))
    title = _title(version)
    language = (
        version.asset.collection.language or version.facts.get("language") or _commonest_language(segments)
    )
    terms = _terms(segments, title, readable_name(version.asset.source_uri))
    weighted = [
        (segment, impacts(found, segment.language or language))
        for segment, found in zip(segments, terms, strict=True)
        if found
    ]
    ids = _lexeme_ids({term for _, by_term in weighted for term in by_term})
    return Prepared(
        version_id=version.pk,
        title=title,
        language=language,
        segments=[
            SegmentTerms(segment.pk, segment.kind, _heaviest({ids[term]: by for term, by in by_term.items()}))
            for segment, by_term in weighted
        ],
    )


@transaction.atomic
def make_visible(prepared: Prepared) -> bool:
    """The swap. The order of locks is the same everywhere: version, asset, statistics."""
    version = AssetVersion.objects.select_for_update().filter(pk=prepared.version_id).first()
    if version is None:
        return False
    asset = Asset.objects.select_for_update(no_key=True).filter(pk=version.asset_id).first()
    if asset is None:
        return False
    if version.number < asset.version:
        give_up(version)
        return False
    change = StatisticsChange()
    orphaned = _remove_gone_members(asset, version, change)
    if "audience_id" in version.facts:
        asset.own_audience_id = asset.audience_id = version.facts["audience_id"]
        move_members(asset, change)
    # A later version may be in the making: its segments are hidden, and stay.
    orphaned |= remove_segments([asset.pk], change, up_to_version=version.number)
    _insert_words(asset, prepared.segments)
    _publish_vectors(asset, version)
    Segment.objects.filter(asset=asset, version=version.number).update(audience=asset.audience_id)
    orphaned |= _remove_older_versions(version)
    _update_asset(asset, version, prepared)
    _end_items(version)
    change.add(
        asset.audience_id,
        segments=len(prepared.segments),
        lexemes=Counter(lexeme for segment in prepared.segments for lexeme in segment.impacts),
    )
    word_statistics.apply(change)
    wake_relay()
    remove_objects_on_commit(orphaned)
    return True


def _title(version: AssetVersion) -> str:
    """As the uploader says, as the content says, as the name says; the first that says anything."""
    said: str = (
        version.facts.get("given_title") or version.facts.get("title") or version.facts.get("name") or ""
    )
    return said or version.asset.title


def _commonest_language(segments: Iterable[Segment]) -> str:
    characters: Counter[str] = Counter()
    for segment in segments:
        if segment.language:
            characters[segment.language] += len(segment.searchable_text)
    return characters.most_common(1)[0][0] if characters else ""


def _terms(segments: Sequence[Segment], title: str, name: str) -> list[list[str]]:
    """The terms of each segment: its own, and once each of the title and the file name.

    A segment without words of its own gets the title's only where the whole file has no words, and is its first: a
    document's page pictures, or a video's shots, would else crowd the answer to every query for its title.
    """
    whole_file = list(dict.fromkeys(term[:_LONGEST_TERM] for term in analyse(f"{title}\n{name}")))
    own = [[term[:_LONGEST_TERM] for term in analyse(own_words(segment))] for segment in segments]
    has_words = any(own)
    return [
        terms + [term for term in whole_file if term not in set(terms)]
        if terms or (not has_words and number == 0)
        else []
        for number, terms in enumerate(own)
    ]


def _heaviest(by_id: dict[int, float]) -> dict[int, float]:
    if len(by_id) <= _MOST_TERMS:
        return by_id
    return dict(heapq.nlargest(_MOST_TERMS, by_id.items(), key=lambda item: item[1]))


def _lexeme_ids(terms: set[str]) -> dict[str, int]:
    """The id of each term. New ones are inserted in order, so that two workers with the same words do not dead-lock."""
    known = _known_lexemes(terms)
    missing = sorted(terms - known.keys())
    if missing:
        with connection.cursor() as cursor:
            # Only what is missing: a conflicting insert would use up ids, and ids are dimensions.
            cursor.execute(
                "INSERT INTO kb_lexeme (text) SELECT term FROM unnest(%s::text[]) AS term ORDER BY term"
                " ON CONFLICT (text) DO NOTHING",
                [missing],
            )
        known |= _known_lexemes(missing)
    return known


def _known_lexemes(terms: Iterable[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT text, id FROM kb_lexeme WHERE text = ANY(%s)", [list(terms)])
        return dict(cursor.fetchall())


def _insert_words(asset: Asset, segments: Sequence[SegmentTerms]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY kb_segmentwords (segment_id, audience_id, collection_id, kind, terms, impacts) FROM STDIN"
        ) as copy,
    ):
        for segment in segments:
            ordered = sorted(segment.impacts)
            # pgvector's text form; its indices count from 1, and ids do too.
            sparse = ",".join(f"{lexeme}:{segment.impacts[lexeme]:.6g}" for lexeme in ordered)
            copy.write_row(
                (
                    segment.segment_id,
                    asset.audience_id,
                    asset.collection_id,
                    segment.kind,
                    ordered,
                    f"{{{sparse}}}/{SPARSE_DIMENSIONS}",
                )
            )


def _publish_vectors(asset: Asset, version: AssetVersion) -> None:
    """Staged vectors move in; those of a version that is published again stay, with its readers of now."""
    scope = [asset.pk, version.number]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kb_vector SET audience_id = %s WHERE audience_id <> %s AND segment_id IN"
            " (SELECT id FROM kb_segment WHERE asset_id = %s AND version = %s)",
            [asset.audience_id, asset.audience_id, *scope],
        )
        cursor.execute(
            "INSERT INTO kb_vector (vector_set_id, audience_id, segment_id, collection_id, kind, embedding)"
            " SELECT staged.vector_set_id, %s, segment.id, segment.collection_id, segment.kind, staged.embedding"
            " FROM kb_stagedvector staged JOIN kb_segment segment ON segment.id = staged.segment_id"
            " WHERE segment.asset_id = %s AND segment.version = %s"
            " ON CONFLICT (vector_set_id, audience_id, segment_id) DO UPDATE SET embedding = excluded.embedding",
            [asset.audience_id, *scope],
        )
        cursor.execute(
            "DELETE FROM kb_stagedvector WHERE segment_id IN"
            " (SELECT id FROM kb_segment WHERE asset_id = %s AND version = %s)",
            scope,
        )


def _update_asset(asset: Asset, version: AssetVersion, prepared: Prepared) -> None:
    asset.title = prepared.title
    asset.sha256 = version.sha256
    asset.media_type = version.media_type
    asset.size_bytes = version.size_bytes
    asset.object_key = version.object_key
    asset.language = prepared.language
    asset.version = version.number
    asset.state = AssetState.PARTIAL if facts.first_warning(version)[0] else AssetState.READY
    asset.metadata = version.facts.get("metadata", {})
    asset.save()
    _update_child(asset, version.facts)


def _update_child(asset: Asset, found: dict[str, Any]) -> None:
    """The row of the class that the bytes have now; a file may have become a picture."""
    kind = kind_of(asset.media_type)
    for name, child in _CHILDREN.items():
        if name != kind:
            child.objects.filter(pk=asset.pk)._raw_delete(
                "default"
            )  # Without its parent, which is the asset.
    with connection.cursor() as cursor:
        table = _CHILDREN[kind]._meta.db_table
        cursor.execute(
            f"INSERT INTO {table} (asset_ptr_id) VALUES (%s) ON CONFLICT DO NOTHING",  # noqa: S608 - our tables
            [asset.pk],
        )
    size = {"width_px": found.get("width_px"), "height_px": found.get("height_px")}
    if kind == "document":
        Document.objects.filter(pk=asset.pk).update(page_count=found.get("page_count"))
    elif kind == "video":
        length = {"duration_ms": found.get("duration_ms"), "frames_per_s": found.get("frames_per_s")}
        Video.objects.filter(pk=asset.pk).update(**size, **length)
    else:
        captured_at = _moment(found.get("metadata", {}).get("captured_at", ""))
        Image.objects.filter(pk=asset.pk).update(**size, captured_at=captured_at)


def _execute(child: type[Asset], statement: str, asset_id: int) -> None:
    """On the child's own table: Django would write or delete the asset, its parent, along with it."""
    with connection.cursor() as cursor:
        cursor.execute(statement.format(table=child._meta.db_table), [asset_id])


def _moment(written: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    # A camera's clock has no zone; taking it for the site's keeps the order within one camera.
    return moment if moment.tzinfo else timezone.make_aware(moment)


def _end_items(version: AssetVersion) -> None:
    code, message = facts.first_warning(version)
    IngestItem.objects.filter(asset_version=version, outcome=Outcome.PENDING).update(
        outcome=Outcome.PARTIAL if code else Outcome.INDEXED,
        error_code=code,
        error_message=message,
        ended_at=timezone.now(),
    )


@transaction.atomic
def give_up(version: AssetVersion) -> None:
    """A newer version was published first: what this one made so far goes."""
    hidden = Segment.objects.filter(asset=version.asset_id, version=version.number, audience__isnull=True)
    pictures = {key for keys in hidden.values_list("picture_key", "thumbnail_key") for key in keys if key}
    hidden.delete()
    if version.preview_key:
        pictures.add(version.preview_key)
    IngestItem.objects.filter(asset_version=version, outcome=Outcome.PENDING).update(
        outcome=Outcome.CANCELLED,
        error_message="A newer version of the file was brought in meanwhile.",
        ended_at=timezone.now(),
    )
    remove_objects_on_commit(pictures)


def _remove_gone_members(asset: Asset, version: AssetVersion, change: StatisticsChange) -> set[str]:
    """Removes the files that were inside an earlier version and are not inside this one; returns their keys.

    Unless not all of this version could be read: what was not seen may still be there.
    """
    if facts.has_missing_parts(version):
        return set()
    gone = Asset.objects.filter(parent=asset, parent_version__lt=version.number)
    return remove_assets(list(gone.values_list("pk", flat=True)), change)


def _remove_older_versions(version: AssetVersion) -> set[str]:
    """Removes the versions that this one replaces; returns the keys of their bytes.

    One that is still being worked on removes itself when it finds that it is too late.
    """
    older = AssetVersion.objects.filter(asset=version.asset_id, number__lt=version.number).exclude(
        steps__in=IngestStep.objects.filter(state__in=LIVE_STATES)
    )
    # Skipping: whoever retries or cancels one at this moment holds its row and waits for the asset's, which is ours.
    locked = list(AssetVersion.objects.select_for_update(skip_locked=True).filter(pk__in=older.values("pk")))
    AssetVersion.objects.filter(pk__in=[old.pk for old in locked]).delete()
    return {old.object_key for old in locked} | {old.preview_key for old in locked} - {""}
