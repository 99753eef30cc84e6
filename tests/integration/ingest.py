"""What the ingest tests share: an encoder that needs no model, a queue without a broker, and naive recounts."""

import hashlib
import io
from collections import Counter
from collections.abc import Sequence

import numpy as np
from django.db import connection
from PIL import Image

from kb import uploads
from kb.models import (
    AudienceWordTotals,
    Collection,
    IngestItem,
    IngestRun,
    IngestStep,
    Lexeme,
    LexemeStats,
    StepState,
)
from retrieval.analysis import analyse
from retrieval.encoders.base import EncoderSpec, Modality, Vectors, unit_rows
from workers import outbox, tasks

DIMENSIONS = 8


class HashEncoder:
    """Each input's vector is a function of its bytes alone: cheap, and a test can compute it itself."""

    def __init__(self, name: str = "hash", modalities: frozenset[Modality] = frozenset({"text"})) -> None:
        self.spec = EncoderSpec(name, "1", DIMENSIONS, modalities, 256)

    def encode_texts(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        return self._rows([text.encode() for text in texts])

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        return self._rows([image.tobytes() for image in images])

    def _rows(self, inputs: list[bytes]) -> Vectors:
        if not inputs:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        seeds = [int.from_bytes(hashlib.sha256(content).digest()[:8]) for content in inputs]
        return unit_rows(np.stack([np.random.default_rng(seed).normal(size=DIMENSIONS) for seed in seeds]))


def upload(collection: Collection, files: dict[str, bytes | str], **options: object) -> IngestRun:
    """A sealed run with these files."""
    run = uploads.start_run(collection, None)
    for path, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        uploads.receive(run, path, io.BytesIO(data), **options)  # type: ignore[arg-type]
    uploads.seal(run)
    return run


def work_off(limit: int = 1000) -> int:
    """Relay and worker in this thread, without a broker, until nothing is ready. How many steps ran."""
    ran = 0
    while claimed := outbox.claim():
        for step in claimed:
            tasks.run_step(step.pk)
            ran += 1
            assert ran < limit, "the steps do not end"
    outbox.reconcile()
    return ran


def bring_in(collection: Collection, files: dict[str, bytes | str], **options: object) -> IngestRun:
    """Uploads and works off; every file has an outcome then."""
    run = upload(collection, files, **options)
    work_off()
    run.refresh_from_db()
    return run


def outcomes(run: IngestRun) -> dict[str, str]:
    return dict(IngestItem.objects.filter(run=run).values_list("path", "outcome"))


def codes(run: IngestRun) -> dict[str, str]:
    return dict(IngestItem.objects.filter(run=run).values_list("path", "error_code"))


def live_steps() -> int:
    return IngestStep.objects.exclude(state__in=(StepState.DONE, StepState.DEAD, StepState.CANCELLED)).count()


def rows(statement: str, *values: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def found(word: str) -> set[str]:
    """source_uris of the assets whose segments have the word, by the index alone."""
    (term,) = analyse(word)
    lexeme = Lexeme.objects.filter(text=term).first()
    if lexeme is None:
        return set()
    return {
        str(row[0])
        for row in rows(
            "SELECT DISTINCT a.source_uri FROM kb_segmentwords w JOIN kb_segment s ON s.id = w.segment_id"
            " JOIN kb_asset a ON a.id = s.asset_id WHERE w.terms @> ARRAY[%s]",
            lexeme.pk,
        )
    }


def assert_statistics_are_right() -> None:
    """The kept counts equal a recount over every published segment's words."""
    expected: Counter[tuple[int, int]] = Counter()
    segments: Counter[int] = Counter()
    for audience_id, terms in rows("SELECT audience_id, terms FROM kb_segmentwords"):
        segments[audience_id] += 1  # type: ignore[index]
        assert len(set(terms)) == len(terms)  # type: ignore[arg-type, call-overload]
        expected.update((audience_id, term) for term in terms)  # type: ignore[misc, attr-defined]
    kept = LexemeStats.objects.values_list("audience_id", "lexeme_id", "document_frequency")
    assert {(audience, lexeme): count for audience, lexeme, count in kept} == dict(expected)
    totals = dict(AudienceWordTotals.objects.values_list("audience_id", "segments"))
    assert {audience: count for audience, count in totals.items() if count} == dict(segments)


def assert_parts_agree() -> None:
    """Words, vectors and segments name the same readers, and nothing belongs to a segment that is not published."""
    assert not rows(
        "SELECT 1 FROM kb_segmentwords w JOIN kb_segment s ON s.id = w.segment_id"
        " WHERE s.audience_id IS DISTINCT FROM w.audience_id"
    )
    assert not rows(
        "SELECT 1 FROM kb_vector v LEFT JOIN kb_segment s ON s.id = v.segment_id"
        " WHERE s.audience_id IS DISTINCT FROM v.audience_id"
    )
    assert not rows(
        "SELECT 1 FROM kb_segment s JOIN kb_asset a ON a.id = s.asset_id"
        " WHERE s.audience_id IS NOT NULL AND (s.audience_id <> a.audience_id OR s.version <> a.version)"
    )
