"""What is there? The newest first, for a question of filters alone; and which files stand at given places."""

from collections.abc import Collection as Members

from django.db import connection

from retrieval.scope import Candidate, Candidates, Scope

CHANNEL = "newest"

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
    return Candidates(CHANNEL, items, len(items) >= limit, attainable=1.0)


AT = """
SELECT a.collection_id, a.source_uri, a.id
FROM unnest(%(places)s::bigint[], %(uris)s::text[]) AS link (collection_id, source_uri)
JOIN kb_asset a ON a.collection_id = link.collection_id AND a.source_uri = link.source_uri
WHERE a.version > 0 AND {scope}
"""


def assets_at(links: Members[tuple[int, str]], scope: Scope) -> dict[tuple[int, str], int]:
    """The searchable assets in `scope` at these places: collection and source_uri."""
    wanted = sorted(links)
    if not wanted:
        return {}
    where, parameters = scope.where_asset()
    parameters |= {"places": [place for place, _ in wanted], "uris": [uri for _, uri in wanted]}
    with connection.cursor() as cursor:
        cursor.execute(AT.format(scope=where), parameters)
        return {(collection_id, uri): asset_id for collection_id, uri, asset_id in cursor.fetchall()}
