"""What can be mended safely of what `workers.checks` finds?

Counts are taken again, what nothing points at is removed, and assets whose words or vectors are not right are sent
through the steps that make them; the workers do those, so they are right some time after. What was lost for good, an
original's bytes for one, stays a finding: only the person who has the file can mend that.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from kb.library import remove_objects_on_commit
from kb.models import Asset, AssetVersion, IngestItem, IngestStep, Outcome, Segment, StepName, TusPiece
from kb.runs import LIVE_STATES, wake_relay
from kb.storage import Storage
from workers import checks, pipeline
from workers.checks import Finding

log = structlog.get_logger(__name__)

# The lock waits for every transaction that has changed a count, and those that want to wait for it; then what they
# have published is in the recount, and what they are about to publish they add themselves.
_RECOUNT = """
    LOCK TABLE kb_audiencewordtotals, kb_lexemestats IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM kb_lexemestats;
    INSERT INTO kb_lexemestats (audience_id, lexeme_id, document_frequency)
        SELECT audience_id, term, count(*)
        FROM kb_segmentwords CROSS JOIN LATERAL unnest(terms) AS term GROUP BY 1, 2;
    DELETE FROM kb_audiencewordtotals;
    INSERT INTO kb_audiencewordtotals (audience_id, segments)
        SELECT audience_id, count(*) FROM kb_segmentwords GROUP BY 1;
"""


@dataclass(frozen=True, slots=True)
class Repair:
    what: str
    # How many things were mended, and whether workers have to finish it.
    mended: int
    is_under_way: bool = False


def repair(findings: Iterable[Finding], objects: Storage) -> list[Repair]:
    """Mends what it can. What it could not is not among the answers, or with a smaller number than was found."""
    done: list[Repair] = []
    found = {finding.what for finding in findings}
    for what, mend in _AT_ONCE.items():
        if what in found:
            done.append(Repair(what, mend(checks.ids(what))))
    for what, send in _BY_WORKERS.items():
        if what in found:
            done.append(Repair(what, send(checks.ids(what)), is_under_way=True))
    # Last: what was removed above may have been what the words and objects belonged to.
    if found & {checks.WORD_COUNTS, checks.SEGMENT_COUNTS} or any(
        r.mended for r in done if not r.is_under_way
    ):
        recount()
        done += [Repair(what, 1) for what in (checks.WORD_COUNTS, checks.SEGMENT_COUNTS) if what in found]
    if checks.ORPHANS in found:
        done.append(Repair(checks.ORPHANS, remove_orphans(objects)))
    for item in done:
        log.info("library.repaired", what=item.what, mended=item.mended, under_way=item.is_under_way)
    return done


@transaction.atomic
def recount() -> None:
    """Takes the word statistics anew from the words of what is published."""
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT)


def remove_orphans(objects: Storage, older_than_s: float = checks.ORPHAN_AGE_S) -> int:
    """Deletes objects that no row names. How many."""
    old, _ = checks.orphans(objects, set(objects.keys()) - checks.named_keys(), older_than_s)
    # Under the name that an upload of the same bytes locks, so that it does not get its object taken away.
    for key in old:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"object {key}"])
            if not _is_named(key):
                objects.delete(key)
    return len(old)


def _is_named(key: str) -> bool:
    segments = Segment.objects.filter(Q(picture_key=key) | Q(thumbnail_key=key))
    versions = AssetVersion.objects.filter(Q(object_key=key) | Q(facts__preview_key=key))
    others = (Asset.objects.filter(object_key=key), TusPiece.objects.filter(object_key=key))
    return segments.exists() or versions.exists() or any(found.exists() for found in others)


@transaction.atomic
def _remove_segments(segment_ids: list[int]) -> int:
    """Hidden leftovers: no reader has seen them, and no count knows them."""
    left = Segment.objects.filter(pk__in=segment_ids, audience=None)
    keys = {key for pair in left.values_list("picture_key", "thumbnail_key") for key in pair if key}
    with connection.cursor() as cursor:
        for table in ("kb_segmentwords", "kb_stagedvector", "kb_vector"):
            cursor.execute(f"DELETE FROM {table} WHERE segment_id = ANY(%s)", [segment_ids])  # noqa: S608 - literals
    left.delete()
    remove_objects_on_commit(keys)
    return len(segment_ids)


def _remove_staged(segment_ids: list[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM kb_stagedvector WHERE segment_id = ANY(%s)", [segment_ids])
    return len(segment_ids)


def _remove_strangers_vectors(segment_ids: list[int]) -> int:
    """Of two vectors in one set the one with the segment's own readers stays."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM kb_vector v USING kb_segment s WHERE s.id = v.segment_id AND s.id = ANY(%s)"
            " AND v.audience_id IS DISTINCT FROM s.audience_id",
            [segment_ids],
        )
    return len(segment_ids)


def _encode_again(segment_ids: list[int]) -> int:
    return _send_again(segment_ids, _renew_embedding)


def _publish_again(segment_ids: list[int]) -> int:
    return _send_again(segment_ids, _renew_publishing)


def _send_again(segment_ids: list[int], renew: Callable[[AssetVersion], None]) -> int:
    """Sends the published versions of these segments through steps again. How many of the segments those have."""
    mended = 0
    segments = Segment.objects.filter(pk__in=segment_ids)
    by_asset: dict[int, int] = {}
    for asset_id in segments.values_list("asset_id", flat=True):
        by_asset[asset_id] = by_asset.get(asset_id, 0) + 1
    for asset_id, count in sorted(by_asset.items()):
        with transaction.atomic():
            version = _locked_version(asset_id)
            if version is None:
                continue
            if not IngestStep.objects.filter(asset_version=version, state__in=LIVE_STATES).exists():
                renew(version)
                wake_relay()
            mended += count
    return mended


def _locked_version(asset_id: int) -> AssetVersion | None:
    """The searchable version of the asset, its row locked."""
    for version in (
        AssetVersion.objects.select_for_update(of=("self",)).filter(asset=asset_id).order_by("number")
    ):
        if version.number == version.asset.version:
            return version
    return None


def _renew_embedding(version: AssetVersion) -> None:
    IngestStep.objects.filter(asset_version=version, name__in=(StepName.EMBED, StepName.INDEX)).delete()
    IngestStep.objects.bulk_create(
        IngestStep(
            asset_version=version,
            name=step.name,
            part=step.part,
            encoder_revision=step.encoder_revision,
            arguments=step.arguments,
        )
        for step in pipeline.embedding_steps(version)
    )


def _renew_publishing(version: AssetVersion) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kb_vector v SET collection_id = a.collection_id FROM kb_segment s JOIN kb_asset a"
            " ON a.id = s.asset_id WHERE s.id = v.segment_id AND a.id = %s",
            [version.asset_id],
        )
    Segment.objects.filter(asset=version.asset_id).update(collection=version.asset.collection_id)
    IngestStep.objects.filter(asset_version=version, name=StepName.INDEX).delete()
    IngestStep.objects.create(asset_version=version, name=StepName.INDEX)


def _start_over(item_ids: list[int]) -> int:
    """A file that waits for nothing: from the first step on, or at its end where it is searchable already."""
    waiting = IngestItem.objects.filter(pk__in=item_ids, asset_version__isnull=False)
    mended = 0
    for version_id in sorted(set(waiting.values_list("asset_version_id", flat=True))):
        with transaction.atomic():
            version = AssetVersion.objects.select_for_update(of=("self",)).filter(pk=version_id).first()
            if version is None:
                continue
            items = waiting.filter(asset_version=version, outcome=Outcome.PENDING)
            if version.number == version.asset.version:
                mended += items.update(outcome=Outcome.INDEXED, ended_at=timezone.now())
            elif not IngestStep.objects.filter(asset_version=version, state__in=LIVE_STATES).exists():
                mended += items.count()
                IngestStep.objects.filter(asset_version=version).delete()
                IngestStep.objects.create(asset_version=version, name=StepName.EXTRACT)
                wake_relay()
    return mended


_AT_ONCE: dict[str, Callable[[list[int]], int]] = {
    checks.LEFT_SEGMENTS: _remove_segments,
    checks.LEFT_STAGED: _remove_staged,
    checks.TWO_VECTORS: _remove_strangers_vectors,
}
_BY_WORKERS: dict[str, Callable[[list[int]], int]] = {
    checks.NO_TEXT_VECTOR: _encode_again,
    checks.NO_LOOKALIKE_VECTOR: _encode_again,
    checks.WORDS_OF_OTHERS: _publish_again,
    checks.VECTORS_OF_OTHERS: _publish_again,
    checks.SEGMENTS_OF_OTHERS: _publish_again,
    checks.WAITING: _start_over,
}
