"""Do rows and objects agree? Each finding names what is wrong, how often, and an example.

Read-only, and safe beside running work: what an upload or a step is writing just now is looked at a second time
before it counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from kb.models import Asset, AssetVersion, Segment, TusPiece
from kb.storage import Storage

# name, statement that gives one example's id a row.
_ROWS: dict[str, str] = {
    "words whose segment has other readers": """
        SELECT w.segment_id FROM kb_segmentwords w JOIN kb_segment s ON s.id = w.segment_id
        WHERE s.audience_id IS DISTINCT FROM w.audience_id
    """,
    "vectors whose segment has other readers": """
        SELECT v.segment_id FROM kb_vector v JOIN kb_segment s ON s.id = v.segment_id
        WHERE s.audience_id IS DISTINCT FROM v.audience_id
    """,
    "published segments whose asset has other readers or another version": """
        SELECT s.id FROM kb_segment s JOIN kb_asset a ON a.id = s.asset_id
        WHERE s.audience_id IS NOT NULL AND (s.audience_id <> a.audience_id OR s.version <> a.version)
    """,
    "word counts that differ from a recount": """
        WITH counted AS (
            SELECT audience_id, term AS lexeme_id, count(*) AS segments
            FROM kb_segmentwords CROSS JOIN LATERAL unnest(terms) AS term GROUP BY 1, 2
        )
        SELECT coalesce(k.lexeme_id, c.lexeme_id)
        FROM kb_lexemestats k FULL JOIN counted c USING (audience_id, lexeme_id)
        WHERE k.document_frequency IS DISTINCT FROM c.segments
    """,
    "audiences whose number of segments differs from a recount": """
        WITH counted AS (SELECT audience_id, count(*) AS segments FROM kb_segmentwords GROUP BY 1)
        SELECT coalesce(k.audience_id, c.audience_id)
        FROM kb_audiencewordtotals k FULL JOIN counted c USING (audience_id)
        WHERE coalesce(k.segments, 0) <> coalesce(c.segments, 0)
    """,
    "files that wait without any step to wait for": """
        SELECT i.id FROM kb_ingestitem i
        WHERE i.outcome = 'pending' AND NOT EXISTS (
            SELECT 1 FROM kb_ingeststep s
            WHERE s.asset_version_id = i.asset_version_id AND s.state IN ('ready', 'sent', 'running'))
    """,
}


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    count: int
    example: str


def check(objects: Storage) -> Iterator[Finding]:
    """Everything that is wrong; nothing when all agrees."""
    for what, statement in _ROWS.items():
        with connection.cursor() as cursor:
            cursor.execute(statement)
            found = [str(row[0]) for row in cursor.fetchall()]
        if found:
            yield Finding(what, len(found), found[0])
    stored = set(objects.keys())
    # Objects are written before the rows that name them, so the rows are read second: what they name and was not
    # listed yet is asked for by name, and what was listed without a row may just have got its row.
    named = named_keys()
    missing = sorted(key for key in named - stored if not objects.exists(key))
    if missing:
        # Deleted together with its rows since they were read?
        missing = sorted(set(missing) & named_keys())
    if missing:
        yield Finding("objects that rows name and the store has not", len(missing), missing[0])
    orphans = sorted(stored - named)
    if orphans:
        yield Finding(ORPHANS, len(orphans), orphans[0])


ORPHANS = "objects that no row names"


def named_keys() -> set[str]:
    """Every object key that a row names."""
    keys = set(Asset.objects.values_list("object_key", flat=True))
    keys.update(AssetVersion.objects.values_list("object_key", flat=True))
    keys.update(TusPiece.objects.values_list("object_key", flat=True))
    keys.update(
        AssetVersion.objects.filter(facts__has_key="preview_key").values_list("facts__preview_key", flat=True)
    )
    for pair in Segment.objects.values_list("picture_key", "thumbnail_key").iterator(chunk_size=5000):
        keys.update(pair)
    keys.discard("")
    return keys
