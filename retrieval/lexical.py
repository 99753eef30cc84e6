"""Which segments have the words of the query? BM25, exact, with statistics of the readable audiences only.

A segment's side of BM25 is stored as its `impacts` (Robertson & Zaragoza 2009, section 3.4: saturated,
length-normalised term frequency); the query's side is the IDF of each term over the audiences that the person may
read. One inner product is the score, so nothing that is hidden moves it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from kb.models.words import SPARSE_DIMENSIONS
from retrieval.rank import attainable
from retrieval.scope import Candidate, Candidates, Scope

# The best of a grid on Cranfield and cmrc-zh (`manage.py evaluate beir`), which is flat around them.
K1 = 1.5
B = 0.5
# The length, in terms, at which a segment's term frequencies count as they are. Fixed for each language: the mean
# length of the library would let hidden text move scores. Scripts without spaces give a pair and a single term for
# most characters.
PIVOT_TERMS = {"zh": 300, "ja": 300, "ko": 250}
PIVOT_TERMS_OTHERWISE = 120
# What a term contributes at the most, times its IDF.
IMPACT_BOUND = K1 + 1


def impacts(terms: Sequence[str], language: str) -> dict[str, float]:
    """BM25's segment side: for each distinct term its saturated, length-normalised frequency, below K1 + 1."""
    pivot = PIVOT_TERMS.get(language, PIVOT_TERMS_OTHERWISE)
    norm = K1 * (1 - B + B * len(terms) / pivot)
    return {term: n * (K1 + 1) / (n + norm) for term, n in Counter(terms).items()}


def idf(document_frequency: int, documents: int) -> float:
    """Robertson-Sparck Jones weight, kept positive as Lucene does: ln(1 + (N - n + 0.5) / (n + 0.5))."""
    return math.log1p((documents - document_frequency + 0.5) / (document_frequency + 0.5))


@dataclass(frozen=True, slots=True)
class WeightedTerm:
    text: str
    lexeme_id: int
    document_frequency: int
    weight: float  # IDF times the term's repeats in the query.
    documents: int  # Segments with words in the audiences, which the IDF is of.


def weigh(terms: Sequence[str], audiences: Sequence[int]) -> list[WeightedTerm]:
    """The query's terms that stand somewhere in `audiences`, rarest first."""
    if not terms or not audiences:
        return []
    with connection.cursor() as cursor:
        cursor.execute(TERM_STATISTICS, {"terms": sorted(set(terms)), "audiences": list(audiences)})
        rows = cursor.fetchall()
    repeats = Counter(terms)
    weighted = [
        WeightedTerm(text, lexeme_id, int(df), idf(int(df), int(documents)) * repeats[text], int(documents))
        for lexeme_id, text, df, documents in rows
        if df > 0
    ]
    return sorted(weighted, key=lambda term: (term.document_frequency, term.lexeme_id))


TERM_STATISTICS = """
SELECT l.id, l.text, sum(s.document_frequency),
       (SELECT sum(t.segments) FROM kb_audiencewordtotals t WHERE t.audience_id = ANY(%(audiences)s))
FROM kb_lexeme l
JOIN kb_lexemestats s ON s.lexeme_id = l.id
WHERE l.text = ANY(%(terms)s) AND s.audience_id = ANY(%(audiences)s)
GROUP BY l.id
"""

CANDIDATES = """
SELECT w.segment_id, -(w.impacts <#> %(query)s::sparsevec) AS score
FROM kb_segmentwords w
WHERE w.terms && %(essential)s::int[] AND NOT w.terms && %(seen)s::int[] AND {scope}
ORDER BY score DESC, w.segment_id
LIMIT %(limit)s
"""


def find(terms: Sequence[WeightedTerm], scope: Scope, limit: int, *, unknown: int = 0) -> Candidates:
    """The `limit` best segments for `terms` (from `weigh`), exactly.

    `unknown`: how many others were asked for, which nothing readable holds. They raise what is attainable: a text
    that has one word of eight is no full match where the other seven stand nowhere.

    MaxScore (Turtle & Flood 1995): candidates of the rare terms come first; the frequent ones are fetched only
    while a segment that has no rarer term could still enter the first `limit`.
    """
    if not terms or not scope.audiences:
        return Candidates("lexical")
    asked = [term.weight for term in terms] + unknown * [idf(0, terms[0].documents)]
    where, parameters = scope.where("w")
    statement = CANDIDATES.format(scope=where)
    query = sparse_literal({term.lexeme_id: term.weight for term in terms})
    best: list[Candidate] = []
    seen: list[int] = []
    is_capped = False
    remaining = list(terms)
    with connection.cursor() as cursor:
        while remaining:
            threshold = best[limit - 1].score if len(best) >= limit else 0.0
            if sum(term.weight for term in remaining) * IMPACT_BOUND <= threshold:
                break
            batch = _next_batch(remaining)
            remaining = remaining[len(batch) :]
            essential = [term.lexeme_id for term in batch]
            cursor.execute(
                statement,
                parameters | {"query": query, "essential": essential, "seen": seen, "limit": limit},
            )
            rows = cursor.fetchall()
            is_capped = is_capped or len(rows) >= limit
            best += [Candidate(segment_id, float(score)) for segment_id, score in rows]
            best.sort(key=lambda candidate: (-candidate.score, candidate.segment_id))
            del best[limit:]
            seen += essential
    return Candidates("lexical", tuple(best), bool(remaining) or is_capped, attainable(asked, IMPACT_BOUND))


# Terms that together stand in at most this many segments are fetched in one statement: scoring costs about a
# microsecond a candidate, a statement about half a millisecond.
BATCH_SEGMENTS = 5000


def _next_batch(terms: Sequence[WeightedTerm]) -> list[WeightedTerm]:
    """The rarest term and those after it that keep the batch cheap."""
    batch = [terms[0]]
    segments = terms[0].document_frequency
    for term in terms[1:]:
        segments += term.document_frequency
        if segments > BATCH_SEGMENTS:
            break
        batch.append(term)
    return batch


# The `+ 0` keeps the planner from walking the primary key, which is long where the words are rare.
WITH_ALL = """
SELECT w.segment_id
FROM kb_segmentwords w
WHERE w.terms @> %(all)s::int[] AND {scope}
ORDER BY w.segment_id + 0
LIMIT %(limit)s
"""


def segments_with_all(lexeme_ids: Sequence[int], scope: Scope, limit: int) -> list[int]:
    """Segments that have every one of `lexeme_ids`, the oldest `limit`: where a phrase may stand."""
    where, parameters = scope.where("w")
    with connection.cursor() as cursor:
        cursor.execute(WITH_ALL.format(scope=where), parameters | {"all": list(lexeme_ids), "limit": limit})
        return [segment_id for (segment_id,) in cursor.fetchall()]


def sparse_literal(weights: dict[int, float]) -> str:
    """pgvector's text form of a sparse vector: 1-based indices in ascending order."""
    entries = ",".join(f"{index}:{weight:.6g}" for index, weight in sorted(weights.items()))
    return f"{{{entries}}}/{SPARSE_DIMENSIONS}"
