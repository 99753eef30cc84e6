"""Do rows, vectors, word statistics and objects agree? Each finding names what is wrong, how often, and an example.

Read-only, and safe beside running work: each question about rows is one statement, and so about one moment; what an
upload or a step is writing just now is looked at a second time before it counts.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from kb.exceptions import ObjectMissingError
from kb.models import Asset, AssetVersion, Segment, TusPiece
from kb.storage import Storage

WORDS_OF_OTHERS = "words whose segment has other readers or another collection"
VECTORS_OF_OTHERS = "vectors whose segment has other readers or another collection"
SEGMENTS_OF_OTHERS = "published segments whose asset has other readers, another collection or another version"
LEFT_SEGMENTS = "segments of versions that are gone or replaced"
LEFT_STAGED = "waiting vectors of segments that are published already"
TWO_VECTORS = "segments with more than one vector in a set"
NO_TEXT_VECTOR = "published segments with words and without a vector in the active text set"
NO_LOOKALIKE_VECTOR = "published pictures without a vector in the active look-alike set"
NO_SEGMENT = "searchable assets without any segment"
NO_VERSION = "searchable assets without the row of their version"
WORD_COUNTS = "word counts that differ from a recount"
SEGMENT_COUNTS = "audiences whose number of segments differs from a recount"
WAITING = "files that wait without any step to wait for"
MISSING_OBJECTS = "objects that rows name and the store has not"
ORPHANS = "objects that no row names"
YOUNG_ORPHANS = "objects that no row names, and that may be about to get one"

# A step puts pictures into the store before it writes the rows that name them, and an upload its bytes. Both take
# minutes at most; an hour is an answer that nobody has to think about.
ORPHAN_AGE_S = 3600.0

# Of a segment: words of its own, which is what gets it a vector (workers.segments.own_words).
_HAS_WORDS = r"(s.text || s.caption || s.alt_text || s.ocr_text) ~ '\S'"
_NO_VECTOR = """
    SELECT s.id FROM kb_segment s
    WHERE s.audience_id IS NOT NULL AND {which} AND NOT EXISTS (
        SELECT 1 FROM kb_vector v JOIN kb_vectorset t ON t.id = v.vector_set_id
        WHERE v.segment_id = s.id AND t.state = 'active' AND t.modality = '{modality}')
    ORDER BY s.id
"""

# Finding, and the statement whose rows are the ids that it is about.
STATEMENTS: dict[str, str] = {
    WORDS_OF_OTHERS: """
        SELECT w.segment_id FROM kb_segmentwords w JOIN kb_segment s ON s.id = w.segment_id
        WHERE s.audience_id IS DISTINCT FROM w.audience_id OR s.collection_id <> w.collection_id
        ORDER BY 1
    """,
    VECTORS_OF_OTHERS: """
        SELECT DISTINCT v.segment_id FROM kb_vector v JOIN kb_segment s ON s.id = v.segment_id
        WHERE s.audience_id IS DISTINCT FROM v.audience_id OR s.collection_id <> v.collection_id
        ORDER BY 1
    """,
    SEGMENTS_OF_OTHERS: """
        SELECT s.id FROM kb_segment s JOIN kb_asset a ON a.id = s.asset_id
        WHERE s.audience_id IS NOT NULL
            AND (s.audience_id <> a.audience_id OR s.collection_id <> a.collection_id OR s.version <> a.version)
        ORDER BY 1
    """,
    LEFT_SEGMENTS: """
        SELECT s.id FROM kb_segment s JOIN kb_asset a ON a.id = s.asset_id
        LEFT JOIN kb_assetversion v ON v.asset_id = s.asset_id AND v.number = s.version
        WHERE s.audience_id IS NULL AND (v.id IS NULL OR s.version < a.version AND NOT EXISTS (
            SELECT 1 FROM kb_ingeststep t WHERE t.asset_version_id = v.id AND t.state IN ('ready', 'sent', 'running')))
        ORDER BY 1
    """,
    LEFT_STAGED: """
        SELECT DISTINCT t.segment_id FROM kb_stagedvector t
        JOIN kb_segment s ON s.id = t.segment_id
        JOIN kb_assetversion v ON v.asset_id = s.asset_id AND v.number = s.version
        WHERE s.audience_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM kb_ingeststep w WHERE w.asset_version_id = v.id AND w.state IN ('ready', 'sent', 'running'))
        ORDER BY 1
    """,
    TWO_VECTORS: """
        SELECT segment_id FROM kb_vector GROUP BY vector_set_id, segment_id HAVING count(*) > 1 ORDER BY 1
    """,
    NO_TEXT_VECTOR: _NO_VECTOR.format(which=_HAS_WORDS, modality="text"),
    NO_LOOKALIKE_VECTOR: _NO_VECTOR.format(which="s.picture_key <> ''", modality="lookalike"),
    NO_SEGMENT: """
        SELECT a.id FROM kb_asset a WHERE a.version > 0 AND NOT EXISTS (
            SELECT 1 FROM kb_segment s
            WHERE s.asset_id = a.id AND s.version = a.version AND s.audience_id IS NOT NULL)
        ORDER BY 1
    """,
    NO_VERSION: """
        SELECT a.id FROM kb_asset a WHERE a.version > 0 AND NOT EXISTS (
            SELECT 1 FROM kb_assetversion v WHERE v.asset_id = a.id AND v.number = a.version)
        ORDER BY 1
    """,
    WORD_COUNTS: """
        WITH counted AS (
            SELECT audience_id, term AS lexeme_id, count(*) AS segments
            FROM kb_segmentwords CROSS JOIN LATERAL unnest(terms) AS term GROUP BY 1, 2
        )
        SELECT coalesce(k.lexeme_id, c.lexeme_id)
        FROM kb_lexemestats k FULL JOIN counted c USING (audience_id, lexeme_id)
        WHERE k.document_frequency IS DISTINCT FROM c.segments
    """,
    SEGMENT_COUNTS: """
        WITH counted AS (SELECT audience_id, count(*) AS segments FROM kb_segmentwords GROUP BY 1)
        SELECT coalesce(k.audience_id, c.audience_id)
        FROM kb_audiencewordtotals k FULL JOIN counted c USING (audience_id)
        WHERE coalesce(k.segments, 0) <> coalesce(c.segments, 0)
    """,
    WAITING: """
        SELECT i.id FROM kb_ingestitem i
        WHERE i.outcome = 'pending' AND i.asset_version_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM kb_ingeststep s
            WHERE s.asset_version_id = i.asset_version_id AND s.state IN ('ready', 'sent', 'running'))
        ORDER BY 1
    """,
}


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    count: int
    example: str


def check(objects: Storage) -> Iterator[Finding]:
    """Everything that is wrong; nothing when all agrees."""
    for what in STATEMENTS:
        found = ids(what)
        if found:
            yield Finding(what, len(found), str(found[0]))
    stored = set(objects.keys())
    # Objects are written before the rows that name them, so the rows are read second: what they name and was not
    # listed yet is asked for by name, and what was listed without a row may just have got its row.
    named = named_keys()
    missing = sorted(key for key in named - stored if not objects.exists(key))
    if missing:
        # Deleted together with its rows since they were read?
        missing = sorted(set(missing) & named_keys())
    if missing:
        yield Finding(MISSING_OBJECTS, len(missing), missing[0])
    old, young = orphans(objects, stored - named)
    if old:
        yield Finding(ORPHANS, len(old), old[0])
    if young:
        yield Finding(YOUNG_ORPHANS, len(young), young[0])


def ids(what: str) -> list[int]:
    """What the finding is about: segments, assets, items, lexemes or audiences, as its name says."""
    with connection.cursor() as cursor:
        cursor.execute(STATEMENTS[what])
        return [row[0] for row in cursor.fetchall()]


def orphans(
    objects: Storage, keys: set[str], older_than_s: float = ORPHAN_AGE_S
) -> tuple[list[str], list[str]]:
    """Of keys that no row names: those old enough to be left behind for good, and the others."""
    old: list[str] = []
    young: list[str] = []
    latest = time.time() - older_than_s
    for key in sorted(keys):
        try:
            (old if objects.modified_at(key) <= latest else young).append(key)
        except ObjectMissingError:
            continue  # Deleted together with its rows since it was listed.
    return old, young


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
