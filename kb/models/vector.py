"""Embeddings, partitioned by the encoder that made them and, below that, by audience."""

from django.db import models
from pgvector.django import HalfVectorField

from kb.models.audience import Audience
from kb.models.collection import Collection
from kb.models.segment import Segment


class SetState(models.TextChoices):
    BUILDING = "building"
    ACTIVE = "active"
    RETIRED = "retired"


class Modality(models.TextChoices):
    TEXT = "text"
    VISUAL = "visual"
    FUSED = "fused"
    LOOKALIKE = "lookalike"


class VectorSet(models.Model):
    """One encoder at one revision, for one modality: vectors that may be compared with each other."""

    encoder = models.CharField(max_length=200)
    revision = models.CharField(max_length=80)
    modality = models.CharField(max_length=12, choices=Modality.choices)
    dimensions = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=SetState.choices, default=SetState.BUILDING)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="vector_set_once", fields=["encoder", "revision", "modality"]),
            models.UniqueConstraint(
                name="one_active_set_a_modality",
                fields=["modality"],
                condition=models.Q(state=SetState.ACTIVE),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.encoder}@{self.revision} {self.modality}"


class Vector(models.Model):
    """One unit-length embedding of one segment, in the partition of its set and audience.

    The table is made in SQL (kb/migrations/0002): Django cannot declare partitions.
    """

    pk = models.CompositePrimaryKey("vector_set_id", "audience_id", "segment_id")
    vector_set = models.ForeignKey(VectorSet, on_delete=models.CASCADE, related_name="+")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="+")
    audience = models.ForeignKey(Audience, on_delete=models.PROTECT, related_name="+")
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8)
    embedding = HalfVectorField()

    class Meta:
        managed = False
        db_table = "kb_vector"

    def __str__(self) -> str:
        return f"vector of segment {self.segment_id}"


class StagedVector(models.Model):
    """An embedding of a segment that is not published yet. Publishing moves it to `Vector`."""

    vector_set = models.ForeignKey(VectorSet, on_delete=models.CASCADE, related_name="+")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="+")
    embedding = HalfVectorField()

    class Meta:
        constraints = [models.UniqueConstraint(name="staged_once", fields=["segment", "vector_set"])]

    def __str__(self) -> str:
        return f"staged vector of segment {self.segment_id}"
