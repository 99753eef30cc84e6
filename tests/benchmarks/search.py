"""`make bench-search`: how fast is a search, and does it find what an exact scan finds, at every share of visibility?

Builds a synthetic library in a scratch database: audiences of skewed sizes, each with topics of its own, words drawn
by Zipf's law. Prints one JSON object as its last line; with STRICT=1 exits 1, naming the target that was missed.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import django
import numpy as np
import numpy.typing as npt

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kb.settings.embedded")
django.setup()

from django.db import connection  # noqa: E402 - needs Django set up
from tqdm import tqdm  # noqa: E402

from kb.models import Collection  # noqa: E402
from kb.models.words import SPARSE_DIMENSIONS  # noqa: E402
from kb.startup import postgres_running  # noqa: E402
from retrieval import lexical, spaces, vectors  # noqa: E402
from retrieval.scope import Scope  # noqa: E402
from workers.evaluate.scratch import scratch_library  # noqa: E402
from workers.index import ensure_vector_set  # noqa: E402

SEGMENTS = int(os.environ.get("SEGMENTS", "100000"))
AUDIENCES = 60
WORDS = 30_000
WORDS_A_SEGMENT = 90
QUERIES = 60
# Shares of the library that a person sees, in percent; sums of audiences come as near as they can.
SHARES = (100, 30, 10, 3, 1, 0.1)
# DESIGN's targets, in milliseconds and as recall@10.
LEXICAL_P95_MS, RECALL = 30.0, 0.99


@dataclass(frozen=True, slots=True)
class Library:
    audience_ids: npt.NDArray[np.int64]  # By segment.
    vectors: npt.NDArray[np.float32]  # (N, D), unit rows.
    word_order: list[int]  # Lexeme ids, the commonest first.


def build(collection: Collection, generator: np.random.Generator) -> Library:
    """Rows as ingest leaves them, written by COPY; no file stands behind them."""
    dimensions = spaces.text_encoder().spec.dimensions
    weights = 1 / np.arange(1, AUDIENCES + 1) ** 1.3
    own = generator.choice(AUDIENCES, size=SEGMENTS, p=weights / weights.sum())
    topics = generator.normal(size=(AUDIENCES, 4, dimensions)).astype(np.float32)
    rows = topics[own, generator.integers(0, 4, SEGMENTS)] + 1.2 * generator.normal(
        size=(SEGMENTS, dimensions)
    ).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    vector_set = ensure_vector_set(spaces.text_encoder().spec, "text")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kb_audience (created_at) SELECT now() FROM generate_series(1, %s) RETURNING id",
            [AUDIENCES],
        )
        audiences = np.array([row[0] for row in cursor.fetchall()])
        cursor.execute(
            "INSERT INTO kb_asset (collection_id, audience_id, title, source_uri, sha256, media_type, size_bytes,"
            " object_key, language, version, state, metadata, created_at, updated_at)"
            " SELECT %s, a, 'Asset', 'asset-' || a, '', 'text/plain', 1, '', 'en', 1, 'ready', '{}', now(), now()"
            " FROM unnest(%s::bigint[]) a RETURNING id, audience_id",
            [collection.pk, audiences.tolist()],
        )
        asset_of = {audience: asset for asset, audience in cursor.fetchall()}
        cursor.execute(
            "INSERT INTO kb_lexeme (text) SELECT 'w' || i FROM generate_series(1, %s) i RETURNING id", [WORDS]
        )
        lexemes = [row[0] for row in cursor.fetchall()]
        with cursor.copy(
            "COPY kb_segment (asset_id, version, audience_id, collection_id, kind, part, ordinal, heading_path, text,"
            " caption, alt_text, ocr_text, ocr_lines, language, picture_key, thumbnail_key, picture_uri) FROM STDIN"
        ) as copy:
            for ordinal, number in enumerate(own):
                audience = int(audiences[number])
                empty = ("", "", "", "", "[]", "en", "", "", "")
                copy.write_row(
                    (asset_of[audience], 1, audience, collection.pk, "text", 0, ordinal, "{}", *empty)
                )
        cursor.execute("SELECT id FROM kb_segment ORDER BY ordinal")
        segment_ids = [row[0] for row in cursor.fetchall()]
        _copy_words(cursor, collection, segment_ids, audiences[own], lexemes, generator)
        with cursor.copy(
            "COPY kb_vector (vector_set_id, audience_id, segment_id, collection_id, kind, embedding) FROM STDIN"
        ) as copy:
            for number in tqdm(np.argsort(own, kind="stable"), desc="vectors", disable=None):
                literal = vectors.halfvec_literal(rows[number])
                copy.write_row(
                    (
                        vector_set.pk,
                        int(audiences[own[number]]),
                        segment_ids[number],
                        collection.pk,
                        "text",
                        literal,
                    )
                )
        cursor.execute(
            "INSERT INTO kb_lexemestats (audience_id, lexeme_id, document_frequency)"
            " SELECT audience_id, unnest(terms), count(*) FROM kb_segmentwords GROUP BY 1, 2"
        )
        cursor.execute(
            "INSERT INTO kb_audiencewordtotals (audience_id, segments)"
            " SELECT audience_id, count(*) FROM kb_segmentwords GROUP BY 1"
        )
        cursor.execute("VACUUM ANALYZE")
    return Library(audiences[own], rows, lexemes)


def _copy_words(
    cursor: object,
    collection: Collection,
    segment_ids: Sequence[int],
    audiences: npt.NDArray[np.int64],
    lexemes: Sequence[int],
    generator: np.random.Generator,
) -> None:
    zipf = 1 / np.arange(1, WORDS + 1)
    drawn = generator.choice(WORDS, size=(len(segment_ids), WORDS_A_SEGMENT), p=zipf / zipf.sum())
    with cursor.copy(  # type: ignore[attr-defined]
        "COPY kb_segmentwords (segment_id, audience_id, collection_id, kind, terms, impacts) FROM STDIN"
    ) as copy:
        for position, segment_id in enumerate(tqdm(segment_ids, desc="words", disable=None)):
            weighed = lexical.impacts([str(lexemes[word]) for word in drawn[position]], "en")
            by_id = {int(lexeme): weight for lexeme, weight in weighed.items()}
            sparse = ",".join(f"{lexeme}:{by_id[lexeme]:.6g}" for lexeme in sorted(by_id))
            copy.write_row(
                (
                    segment_id,
                    int(audiences[position]),
                    collection.pk,
                    "text",
                    sorted(by_id),
                    f"{{{sparse}}}/{SPARSE_DIMENSIONS}",
                )
            )


def scope_of(share: float, library: Library) -> Scope:
    """Whole audiences, the smallest ones last added, that make up about `share` percent of the library."""
    ids, counts = np.unique(library.audience_ids, return_counts=True)
    wanted = share / 100 * len(library.audience_ids)
    chosen: list[int] = []
    held = 0
    for audience, count in sorted(zip(ids.tolist(), counts.tolist(), strict=True), key=lambda item: -item[1]):
        if held + count <= wanted * 1.1 or (not chosen and audience == ids[np.argmin(counts)]):
            chosen.append(audience)
            held += count
    return Scope(tuple(sorted(chosen or [int(ids[np.argmin(counts)])])))


def measure_vectors(library: Library, generator: np.random.Generator) -> list[dict[str, float]]:
    vector_set = vectors.set_of("text", spaces.text_encoder().spec)
    assert vector_set is not None
    results = []
    for share in SHARES:
        scope = scope_of(share, library)
        visible = np.flatnonzero(np.isin(library.audience_ids, scope.audiences))
        found, times = 0, []
        for _ in range(QUERIES):
            # Half of the queries are near something visible, half near anything: other people's topics.
            near = generator.choice(visible) if generator.random() < 0.5 else generator.integers(SEGMENTS)
            query = (
                library.vectors[near]
                + 0.7 * generator.normal(size=library.vectors.shape[1]).astype(np.float32) / 14
            )
            query = (query / np.linalg.norm(query)).astype(np.float32)
            began = time.perf_counter()
            answer = vectors.find("text", vector_set, query, scope, 10)
            times.append((time.perf_counter() - began) * 1000)
            exact = np.sort(library.vectors[visible] @ query)[::-1][:10]
            # By score, with the rounding of halfvec: equal neighbours are interchangeable.
            found += sum(item.score >= exact[min(9, len(exact) - 1)] - 1e-3 for item in answer.items)
        results.append(
            {
                "share_percent": share,
                "visible": len(visible),
                "recall@10": round(found / (QUERIES * min(10, len(visible))), 4),
                "p50_ms": round(float(np.percentile(times, 50)), 2),
                "p95_ms": round(float(np.percentile(times, 95)), 2),
            }
        )
    return results


def measure_words(library: Library, generator: np.random.Generator) -> dict[str, dict[str, float]]:
    """The worst common word alone, and four words of falling frequency."""
    scope = scope_of(100, library)
    results = {}
    for name, ranks in {
        "commonest word": (0,),
        "word in 1 %": (60,),
        "four words": (3, 60, 600, 6000),
    }.items():
        times = []
        for _ in range(QUERIES):
            terms = [f"w{rank + 1 + int(generator.integers(0, max(1, rank // 10 + 1)))}" for rank in ranks]
            began = time.perf_counter()
            lexical.find(lexical.weigh(terms, scope.audiences), scope, 200)
            times.append((time.perf_counter() - began) * 1000)
        results[name] = {
            "p50_ms": round(float(np.percentile(times, 50)), 2),
            "p95_ms": round(float(np.percentile(times, 95)), 2),
        }
    return results


def main() -> int:
    generator = np.random.default_rng(20260101)
    with postgres_running(), scratch_library() as scratch:
        library = build(scratch.collection, generator)
        by_share = measure_vectors(library, generator)
        words = measure_words(library, generator)
    missed = [f"recall at {row['share_percent']} %" for row in by_share if row["recall@10"] < RECALL]
    missed += [f"p95 of {name}" for name, row in words.items() if row["p95_ms"] > LEXICAL_P95_MS]
    print(json.dumps({"segments": SEGMENTS, "vectors": by_share, "words": words, "missed": missed}))
    return 1 if missed and os.environ.get("STRICT") == "1" else 0


if __name__ == "__main__":
    sys.exit(main())
