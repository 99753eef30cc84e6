"""Files the company keeps, and the versions of their bytes."""

from django.conf import settings
from django.db import models

from kb.models.audience import Audience
from kb.models.collection import Collection


class AssetState(models.TextChoices):
    PROCESSING = "processing"  # No version is searchable yet.
    READY = "ready"
    PARTIAL = "partial"  # Searchable, but something could not be read; the ingest item says what.
    FAILED = "failed"


class Asset(models.Model):
    """One file of a collection. Its bytes' facts are those of the version that is searchable now."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="assets")
    # Replaces the collection's audience when set.
    own_audience = models.ForeignKey(
        Audience, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # The audience in force: own_audience or the collection's. Copied to segments, words and vectors.
    audience = models.ForeignKey(Audience, on_delete=models.PROTECT, related_name="assets")
    title = models.CharField(max_length=500)
    # Where it came from, unique in its collection: a path below the ingested folder, or an URL.
    source_uri = models.CharField(max_length=1000)
    # The archive, mailbox or message that this file is inside of. It has the readers of its parent, and goes with it.
    # Whoever deletes goes through kb.library, which takes words, vectors, statistics and objects along.
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="members"
    )
    # The newest version of the parent in which this file was found.
    parent_version = models.PositiveIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64)
    media_type = models.CharField(max_length=120)
    size_bytes = models.BigIntegerField()
    object_key = models.CharField(max_length=200)
    # ISO 639-1, empty when unknown.
    language = models.CharField(max_length=8, blank=True)
    # Number of the searchable AssetVersion; 0 while there is none.
    version = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=12, choices=AssetState.choices, default=AssetState.PROCESSING)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # Author, capture time and the like, as the file gives them.
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["title", "id"]
        constraints = [
            models.UniqueConstraint(name="asset_source_once", fields=["collection", "source_uri"]),
        ]
        indexes = [
            models.Index(name="asset_bytes", fields=["collection", "sha256"]),
            models.Index(name="asset_audience", fields=["audience"]),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def kind(self) -> str:
        """`document`, `image` or `video`: which of the three child tables holds the rest."""
        return (
            "image"
            if self.media_type.startswith("image/")
            else ("video" if self.media_type.startswith("video/") else "document")
        )


class Document(Asset):
    page_count = models.PositiveIntegerField(null=True)


class Image(Asset):
    width_px = models.PositiveIntegerField(null=True)
    height_px = models.PositiveIntegerField(null=True)
    captured_at = models.DateTimeField(null=True)


class Video(Asset):
    width_px = models.PositiveIntegerField(null=True)
    height_px = models.PositiveIntegerField(null=True)
    duration_ms = models.PositiveBigIntegerField(null=True)
    frames_per_s = models.FloatField(null=True)


class AssetVersion(models.Model):
    """Bytes that arrived for an asset. It is built hidden and replaces the one before it in one transaction."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    media_type = models.CharField(max_length=120)
    size_bytes = models.BigIntegerField()
    object_key = models.CharField(max_length=200)
    # What extraction found, until the version is published: title, language, page count, warnings …
    facts = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="version_once", fields=["asset", "number"])]

    def __str__(self) -> str:
        return f"{self.asset_id} v{self.number}"

    @property
    def preview_key(self) -> str:
        """Of the strip of frames that shows a video at a glance; empty when there is none."""
        return str(self.facts.get("preview_key", ""))
