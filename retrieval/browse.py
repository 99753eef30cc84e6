"""What is there, newest first? For a question of filters alone."""

from django.db import connection

from retrieval.scope import Candidate, Candidates, Scope

NEWEST = """
SELECT first.id
FROM kb_asset a
CROSS JOIN LATERAL (
    SELECT s.id FROM kb_segment s
    WHERE s.asset_id = a.id AND s.audience_id = ANY(%(audiences)s)
    ORDER BY s.part, s.ordinal
    LIMIT 1
) first
WHERE {scope}
ORDER BY a.updated_at DESC, a.id
LIMIT %(limit)s
"""


def newest(scope: Scope, limit: int) -> Candidates:
    """The first segment of each asset in `scope`, at most `limit`; a score of 1 for the newest, falling with rank."""
    where, parameters = scope.where_asset()
    with connection.cursor() as cursor:
        cursor.execute(NEWEST.format(scope=where), parameters | {"limit": limit})
        found = [segment_id for (segment_id,) in cursor.fetchall()]
    items = tuple(Candidate(segment_id, 1 / rank) for rank, segment_id in enumerate(found, start=1))
    return Candidates("newest", items, len(items) >= limit, attainable=1.0)
