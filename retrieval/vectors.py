"""Which segments are nearest to the query's vector? Only inside the readable audiences, exactly or by HNSW."""

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from kb.models import VectorSet
from retrieval.encoders.base import EncoderSpec
from retrieval.planner import Plan
from retrieval.planner import plan as make_plan
from retrieval.scope import Candidate, Candidates, Scope

# The `+ 0` keeps the planner from the HNSW index, which would lose rows that the condition filters out.
EXACT = """
SELECT v.segment_id, 1 - (v.embedding::halfvec({dimensions}) <=> %(query)s::halfvec({dimensions}))
FROM kb_vector v
WHERE v.vector_set_id = {vector_set} AND {scope}
ORDER BY (v.embedding::halfvec({dimensions}) <=> %(query)s::halfvec({dimensions})) + 0, v.segment_id
LIMIT %(limit)s
"""

# Nothing but the bare distance may stand in ORDER BY: a tie-break would lose the index. Ties are broken after.
NEAREST = """
SELECT v.segment_id, 1 - (v.embedding::halfvec({dimensions}) <=> %(query)s::halfvec({dimensions}))
FROM kb_vector v
WHERE v.vector_set_id = {vector_set} AND {scope}
ORDER BY v.embedding::halfvec({dimensions}) <=> %(query)s::halfvec({dimensions})
LIMIT %(limit)s
"""

VISIBLE = """
SELECT coalesce(sum(segments) FILTER (WHERE audience_id = ANY(%(audiences)s)), 0), coalesce(sum(segments), 0)
FROM kb_audiencewordtotals
"""


STORED = """
SELECT v.segment_id, v.embedding::text FROM kb_vector v
WHERE v.vector_set_id = {vector_set} AND v.audience_id = ANY(%(audiences)s) AND v.segment_id = ANY(%(segments)s)
"""


def set_of(modality: str, spec: EncoderSpec) -> VectorSet | None:
    """The set whose vectors may be compared with those of this encoder, or None while there is none.

    By encoder and not by state: until the last process has the new encoder, old and new ones each ask their own set.
    """
    return VectorSet.objects.filter(
        modality=modality, encoder=spec.name, revision=spec.revision, dimensions=spec.dimensions
    ).first()


def find(
    channel: str, vector_set: VectorSet, query: npt.NDArray[np.float32], scope: Scope, limit: int
) -> Candidates:
    """The `limit` segments of `vector_set` nearest to `query` (D,), a unit vector. Never fewer than exist."""
    if not scope.audiences:
        return Candidates(channel)
    plan = _plan(scope, limit)
    found = _run(vector_set, query, scope, limit, plan)
    if plan.method == "hnsw" and len(found) < limit:
        # The index gives up after a number of rows that the scope leaves out; what is there is then found without it.
        found = _run(vector_set, query, scope, limit, Plan("exact"))
    items = sorted(found, key=lambda candidate: (-candidate.score, candidate.segment_id))
    return Candidates(channel, tuple(items), len(items) >= limit)


def stored(
    vector_set: VectorSet, segment_ids: Sequence[int], scope: Scope
) -> tuple[list[int], npt.NDArray[np.float32]]:
    """The vectors (N, D) of these segments, as far as they are still readable, and whose they are."""
    with connection.cursor() as cursor:
        cursor.execute(
            STORED.format(vector_set=int(vector_set.pk)),
            {"audiences": list(scope.audiences), "segments": list(segment_ids)},
        )
        found = sorted(cursor.fetchall())
    rows = np.array([json.loads(row) for _, row in found], dtype=np.float32)
    return [segment for segment, _ in found], rows.reshape(len(found), vector_set.dimensions)


def _plan(scope: Scope, limit: int) -> Plan:
    with connection.cursor() as cursor:
        cursor.execute(VISIBLE, {"audiences": list(scope.audiences)})
        visible, total = cursor.fetchone()
    return make_plan(visible=int(visible), total=int(total), filtered=scope.is_filtered, limit=limit)


def _run(
    vector_set: VectorSet, query: npt.NDArray[np.float32], scope: Scope, limit: int, plan: Plan
) -> list[Candidate]:
    where, parameters = scope.where("v")
    statement = (NEAREST if plan.method == "hnsw" else EXACT).format(
        dimensions=vector_set.dimensions, vector_set=vector_set.pk, scope=where
    )
    parameters |= {"query": halfvec_literal(query), "limit": limit}
    with transaction.atomic(), connection.cursor() as cursor:
        if plan.method == "hnsw":
            cursor.execute("SET LOCAL hnsw.iterative_scan = relaxed_order")
            cursor.execute("SELECT set_config('hnsw.ef_search', %s, true)", [str(plan.ef_search)])
        cursor.execute(statement, parameters)
        return [Candidate(segment_id, float(score)) for segment_id, score in cursor.fetchall()]


def halfvec_literal(vector: npt.NDArray[np.float32]) -> str:
    """pgvector's text form of a dense vector."""
    return "[" + ",".join(f"{value:.6g}" for value in vector.tolist()) + "]"
