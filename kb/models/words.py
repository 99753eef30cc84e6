"""Words and their statistics by audience: BM25 without an extension, blind to what a reader cannot see."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from pgvector.django import SparseVectorField

from kb.models.audience import Audience
from kb.models.segment import Segment

# pgvector's largest: the id of a lexeme is its dimension, so the vocabulary may grow without a migration.
SPARSE_DIMENSIONS = 1_000_000_000


class Lexeme(models.Model):
    id = models.AutoField(primary_key=True)
    text = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return self.text


class LexemeStats(models.Model):
    """In how many published segments of an audience a lexeme stands."""

    pk = models.CompositePrimaryKey("audience_id", "lexeme_id")
    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="+")
    lexeme = models.ForeignKey(Lexeme, on_delete=models.CASCADE, related_name="+")
    document_frequency = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.lexeme_id} in {self.audience_id}: {self.document_frequency}"


class AudienceWordTotals(models.Model):
    """How many published segments with words an audience has. Its row is the lock for that audience's statistics."""

    audience = models.OneToOneField(Audience, on_delete=models.CASCADE, primary_key=True, related_name="+")
    segments = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.audience_id}: {self.segments}"


class SegmentWords(models.Model):
    """A published segment's lexeme ids and BM25 impacts: each term's saturated, length-normalised frequency."""

    segment = models.OneToOneField(Segment, on_delete=models.CASCADE, primary_key=True, related_name="words")
    audience = models.ForeignKey(Audience, on_delete=models.PROTECT, related_name="+")
    collection_id = models.BigIntegerField()
    kind = models.CharField(max_length=8)
    terms = ArrayField(models.IntegerField())
    impacts = SparseVectorField(dimensions=SPARSE_DIMENSIONS)

    class Meta:
        indexes = [
            GinIndex(name="segment_words_terms", fields=["terms"]),
            models.Index(name="segment_words_audience", fields=["audience"]),
        ]

    def __str__(self) -> str:
        return f"words of segment {self.segment_id}"
