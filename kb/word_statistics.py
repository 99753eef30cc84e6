"""In how many published segments of an audience does each word stand? Keeps the counts that ranking weighs by.

Called inside the transaction that changes what is published, as its last act: the row of an audience's totals is
the lock for all its counts, so it is held for the shortest time.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection

_LOCK = """
    INSERT INTO kb_audiencewordtotals (audience_id, segments) VALUES (%s, 0) ON CONFLICT DO NOTHING
"""
_ADD_TOTAL = "UPDATE kb_audiencewordtotals SET segments = segments + %s WHERE audience_id = %s"
# In order of lexeme: rows are locked in one order by everyone.
_ADD = """
    INSERT INTO kb_lexemestats (audience_id, lexeme_id, document_frequency)
    SELECT %(audience)s, change.lexeme, change.by
    FROM unnest(%(lexemes)s::int[], %(changes)s::int[]) AS change (lexeme, by)
    ORDER BY change.lexeme
    ON CONFLICT (audience_id, lexeme_id)
    DO UPDATE SET document_frequency = kb_lexemestats.document_frequency + excluded.document_frequency
"""
_DROP_UNUSED = """
    DELETE FROM kb_lexemestats
    WHERE audience_id = %s AND lexeme_id = ANY(%s) AND document_frequency <= 0
"""
_OF_ASSET = """
    SELECT words.audience_id, term, count(*)
    FROM kb_segmentwords words
    JOIN kb_segment segment ON segment.id = words.segment_id
    CROSS JOIN LATERAL unnest(words.terms) AS term
    WHERE segment.asset_id = ANY(%s)
    GROUP BY words.audience_id, term
"""
_SEGMENTS_OF_ASSET = """
    SELECT words.audience_id, count(*)
    FROM kb_segmentwords words
    JOIN kb_segment segment ON segment.id = words.segment_id
    WHERE segment.asset_id = ANY(%s)
    GROUP BY words.audience_id
"""


@dataclass(slots=True)
class StatisticsChange:
    """What to add to the counts, by audience; negative numbers take away."""

    segments: Counter[int] = field(default_factory=Counter)
    lexemes: dict[int, Counter[int]] = field(default_factory=dict)

    def add(self, audience_id: int, *, segments: int, lexemes: Counter[int]) -> None:
        self.segments[audience_id] += segments
        self.lexemes.setdefault(audience_id, Counter()).update(lexemes)

    def take_away(self, audience_id: int, *, segments: int, lexemes: Counter[int]) -> None:
        self.segments[audience_id] -= segments
        self.lexemes.setdefault(audience_id, Counter()).subtract(lexemes)


def published_words(asset_ids: Sequence[int]) -> dict[int, tuple[int, Counter[int]]]:
    """By audience: how many segments of the assets have words, and in how many each lexeme stands."""
    with connection.cursor() as cursor:
        cursor.execute(_SEGMENTS_OF_ASSET, [list(asset_ids)])
        found: dict[int, tuple[int, Counter[int]]] = {
            audience_id: (segments, Counter()) for audience_id, segments in cursor.fetchall()
        }
        cursor.execute(_OF_ASSET, [list(asset_ids)])
        for audience_id, lexeme_id, segments in cursor.fetchall():
            found[audience_id][1][lexeme_id] = segments
    return found


def apply(change: StatisticsChange) -> None:
    """Audience by audience in order of id, so that two movers between the same two never wait for one another."""
    with connection.cursor() as cursor:
        for audience_id in sorted(change.lexemes):
            lexemes = {lexeme: by for lexeme, by in change.lexemes[audience_id].items() if by}
            if not lexemes and not change.segments[audience_id]:
                continue
            cursor.execute(_LOCK, [audience_id])
            cursor.execute(_ADD_TOTAL, [change.segments[audience_id], audience_id])
            cursor.execute(
                _ADD,
                {"audience": audience_id, "lexemes": list(lexemes), "changes": list(lexemes.values())},
            )
            cursor.execute(_DROP_UNUSED, [audience_id, [lexeme for lexeme, by in lexemes.items() if by < 0]])
