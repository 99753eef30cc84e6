"""How does a library get the vectors of encoders that it was not read with? Beside the old ones, then by a switch.

What is published is encoded again from what was kept of it: words from the rows, pictures from the store. Search goes
on meanwhile, in each process with the set of its own encoder.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from django.db import connection, transaction

from kb.exceptions import StorageError
from kb.models import Asset, AssetVersion, Segment, SetState, StagedVector, VectorSet
from kb.models.vector import Modality
from kb.storage import Storage
from retrieval.vectors import halfvec_literal
from workers import embed, vector_sets
from workers.embed import SetVectors

log = structlog.get_logger(__name__)

# Assets whose rows are looked up at a time: a list of ids, and nothing that grows with the library.
_ASSETS_AT_ONCE = 500

# Published segments of these assets that have no vector in one of the sets; what has neither words nor a picture never
# gets one, and costs no more than this row.
_LACKING = """
    SELECT s.asset_id, s.id, array_agg(t.id) FROM kb_segment s CROSS JOIN kb_vectorset t
    WHERE s.asset_id = ANY(%(assets)s) AND s.audience_id IS NOT NULL AND t.id = ANY(%(sets)s)
        AND (t.modality = 'text' OR s.picture_key <> '')
        AND NOT EXISTS (SELECT 1 FROM kb_vector v WHERE v.vector_set_id = t.id AND v.segment_id = s.id)
    GROUP BY s.asset_id, s.id ORDER BY s.asset_id, s.id
"""
# As the segment is now: it may have been moved while it was encoded.
_INSERT = """
    INSERT INTO kb_vector (vector_set_id, audience_id, segment_id, collection_id, kind, embedding)
    SELECT %s, s.audience_id, s.id, s.collection_id, s.kind, made.embedding::halfvec
    FROM unnest(%s::bigint[], %s::text[]) AS made (id, embedding) JOIN kb_segment s ON s.id = made.id
    WHERE s.audience_id IS NOT NULL
    ON CONFLICT (vector_set_id, audience_id, segment_id) DO UPDATE SET embedding = excluded.embedding
"""
_DROP = """
    LOCK TABLE kb_segment IN SHARE ROW EXCLUSIVE MODE;
    DROP TABLE IF EXISTS kb_vector_s{id};
"""


@dataclass(slots=True)
class Rebuilt:
    """What was done: vectors made by modality, files that failed and why, the sets switched to, and those dropped."""

    made: dict[str, int] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    active: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)


def rebuild(
    objects: Storage,
    *,
    only: Sequence[Modality] = (),
    keep: bool = False,
    tick: Callable[[int], object] = lambda _assets: None,
) -> Rebuilt:
    """Makes what is missing of the configured encoders' vectors, then has search use those alone.

    `keep` leaves the sets of other encoders for processes that still run with them. Where a file could not be encoded
    nothing is switched or dropped.
    """
    wanted = {
        modality: vector_sets.ensure_vector_set(spec, modality)
        for modality, spec in embed.modalities().items()
        if not only or modality in only
    }
    done = Rebuilt(made=dict.fromkeys(map(str, wanted), 0))
    # Again, until nothing came in with the earlier encoders meanwhile.
    while _pass(objects, wanted, done, tick):
        pass
    if done.failed:
        return done
    _switch(wanted.values())
    done.active = {str(modality): str(found) for modality, found in wanted.items()}
    if not keep:
        done.dropped = [_drop(old) for old in _others(wanted)]
    return done


def _pass(
    objects: Storage, wanted: Mapping[Modality, VectorSet], done: Rebuilt, tick: Callable[[int], object]
) -> int:
    """How many vectors one look at the whole library made."""
    made = 0
    for asset_ids in _published():
        for asset_id, segment_ids, modalities in _lacking(asset_ids, wanted):
            if asset_id in done.failed:
                continue
            try:
                made += _encode(objects, asset_id, segment_ids, modalities, done)
            except (StorageError, OSError) as error:  # Its picture is lost or damaged; the others' are not.
                done.failed[asset_id] = str(error)
                log.warning("rebuild.failed", asset=asset_id, error=str(error))
        tick(len(asset_ids))
    return made


def _published() -> Iterator[list[int]]:
    last = 0
    while True:
        ids = list(
            Asset.objects.filter(pk__gt=last, version__gt=0)
            .order_by("pk")
            .values_list("pk", flat=True)[:_ASSETS_AT_ONCE]
        )
        if not ids:
            return
        yield ids
        last = ids[-1]


def _lacking(
    asset_ids: Sequence[int], wanted: Mapping[Modality, VectorSet]
) -> Iterator[tuple[int, list[int], set[Modality]]]:
    """By asset, in chunks of one step's size: the segments that lack vectors, and of what."""
    modality_of = {found.pk: modality for modality, found in wanted.items()}
    with connection.cursor() as cursor:
        cursor.execute(_LACKING, {"assets": list(asset_ids), "sets": list(modality_of)})
        rows = cursor.fetchall()
    by_asset: dict[int, list[tuple[int, list[int]]]] = {}
    for asset_id, segment_id, set_ids in rows:
        by_asset.setdefault(asset_id, []).append((segment_id, set_ids))
    for asset_id, lacking in by_asset.items():
        for start in range(0, len(lacking), embed.CHUNK_SEGMENTS):
            chunk = lacking[start : start + embed.CHUNK_SEGMENTS]
            modalities = {modality_of[set_id] for _, set_ids in chunk for set_id in set_ids}
            yield asset_id, [segment_id for segment_id, _ in chunk], modalities


def _encode(
    objects: Storage, asset_id: int, segment_ids: list[int], modalities: set[Modality], done: Rebuilt
) -> int:
    segments = list(Segment.objects.filter(pk__in=segment_ids, audience__isnull=False).order_by("pk"))
    if not segments:
        return 0
    version = (
        AssetVersion.objects.select_related("asset")
        .filter(asset=asset_id, number=segments[0].version)
        .first()
    )
    if version is None:
        return 0
    found = embed.encode(version, segments, objects, only=modalities)
    made = _keep(asset_id, found)
    for vectors, count in zip(found, made, strict=True):
        done.made[vectors.vector_set.modality] += count
    return sum(made)


@transaction.atomic
def _keep(asset_id: int, found: Sequence[SetVectors]) -> list[int]:
    # Whoever moves or deletes the asset holds its row, so readers are those of now.
    if not Asset.objects.select_for_update(no_key=True).filter(pk=asset_id).exists():
        return [0] * len(found)
    made = []
    with connection.cursor() as cursor:
        for vectors in found:
            literals = [halfvec_literal(row) for row in vectors.rows]
            cursor.execute(_INSERT, [vectors.vector_set.pk, vectors.segment_ids, literals])
            made.append(cursor.rowcount)
    return made


@transaction.atomic
def _switch(wanted: Iterable[VectorSet]) -> None:
    vector_sets.hold()
    for found in wanted:
        others = VectorSet.objects.filter(modality=found.modality, state=SetState.ACTIVE).exclude(pk=found.pk)
        others.update(state=SetState.RETIRED)
        VectorSet.objects.filter(pk=found.pk).update(state=SetState.ACTIVE)


def _others(wanted: Mapping[Modality, VectorSet]) -> list[VectorSet]:
    return list(
        VectorSet.objects.filter(modality__in=list(wanted))
        .exclude(pk__in=[found.pk for found in wanted.values()])
        .order_by("pk")
    )


@transaction.atomic
def _drop(old: VectorSet) -> str:
    vector_sets.hold()
    with connection.cursor() as cursor:
        cursor.execute(_DROP.format(id=int(old.pk)))
    StagedVector.objects.filter(vector_set=old).delete()
    # Not delete(): it would look for vectors to delete, which went with their partition.
    VectorSet.objects.filter(pk=old.pk)._raw_delete("default")
    log.info("vector_set.dropped", vector_set=str(old))
    return str(old)
