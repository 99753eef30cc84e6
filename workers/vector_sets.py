"""Where do the vectors of one encoder live? In a partition of kb_vector, made when its first vector comes."""

from django.db import connection, transaction

from kb.models import SetState, VectorSet
from retrieval.encoders.base import EncoderSpec

# Small tables first, as workers.index takes them, so that making a partition waits instead of dead-locking.
# `rest` holds every audience that is not large enough for a partition of its own.
_MAKE = """
    LOCK TABLE kb_segment IN SHARE ROW EXCLUSIVE MODE;
    CREATE TABLE IF NOT EXISTS kb_vector_s{id} PARTITION OF kb_vector FOR VALUES IN ({id})
        PARTITION BY LIST (audience_id);
    CREATE TABLE IF NOT EXISTS kb_vector_s{id}_rest PARTITION OF kb_vector_s{id} DEFAULT;
    CREATE INDEX IF NOT EXISTS kb_vector_s{id}_rest_hnsw ON kb_vector_s{id}_rest
        USING hnsw ((embedding::halfvec({dimensions})) halfvec_cosine_ops);
    CREATE INDEX IF NOT EXISTS kb_vector_s{id}_rest_audience ON kb_vector_s{id}_rest (audience_id);
"""


def hold() -> None:
    """One transaction at a time makes, switches or drops sets."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('kb vector sets', 0))")


def ensure_vector_set(spec: EncoderSpec, modality: str) -> VectorSet:
    """The set of this encoder for this modality, made with its partition if it is new.

    The first set of a modality is active at once: there is none whose place it would take.
    """
    existing = VectorSet.objects.filter(encoder=spec.name, revision=spec.revision, modality=modality).first()
    if existing is not None:
        return existing
    with transaction.atomic():
        hold()
        active = VectorSet.objects.filter(modality=modality, state=SetState.ACTIVE).exists()
        made, is_new = VectorSet.objects.get_or_create(
            encoder=spec.name,
            revision=spec.revision,
            modality=modality,
            defaults={
                "dimensions": spec.dimensions,
                "state": SetState.BUILDING if active else SetState.ACTIVE,
            },
        )
        if is_new:
            with connection.cursor() as cursor:
                cursor.execute(_MAKE.format(id=int(made.pk), dimensions=int(spec.dimensions)))
    return made
