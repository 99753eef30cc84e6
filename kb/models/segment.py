"""What a hit points at: a passage, a page, a figure, a picture, a shot, a spoken line."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from kb.models.asset import Asset
from kb.models.audience import Audience
from kb.models.collection import Collection


class SegmentKind(models.TextChoices):
    TEXT = "text"  # A passage: page, heading path, character span.
    PAGE = "page"  # A rendered page.
    FIGURE = (
        "figure"  # A picture inside a document: page and box, or a link to another asset of the collection.
    )
    IMAGE = "image"  # The picture that an Image asset is.
    SHOT = "shot"  # A keyframe, start_ms to end_ms.
    SPEECH = "speech"  # Spoken or subtitled words, start_ms to end_ms.


class Segment(models.Model):
    """A searchable piece of one version of an asset.

    `audience` is null until the version is published, and a null audience is visible to nobody.
    """

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="segments")
    version = models.PositiveIntegerField()
    audience = models.ForeignKey(Audience, on_delete=models.PROTECT, null=True, related_name="+")
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=SegmentKind.choices)
    # Reading order inside the asset; with `part` it makes a repeated extraction replace its own rows.
    part = models.PositiveIntegerField(default=0)
    ordinal = models.PositiveIntegerField()

    page = models.PositiveIntegerField(null=True)
    heading_path = ArrayField(models.CharField(max_length=300), default=list)
    char_start = models.PositiveIntegerField(null=True)
    char_end = models.PositiveIntegerField(null=True)
    start_ms = models.PositiveBigIntegerField(null=True)
    end_ms = models.PositiveBigIntegerField(null=True)
    # [left, top, right, bottom] as shares of the page or picture, 0 to 1, from the top left corner.
    box = ArrayField(models.FloatField(), size=4, null=True)

    text = models.TextField(blank=True)
    caption = models.TextField(blank=True)
    alt_text = models.TextField(blank=True)
    ocr_text = models.TextField(blank=True)
    # One [left, top, right, bottom, text] a line, shares as in `box`.
    ocr_lines = models.JSONField(default=list)
    language = models.CharField(max_length=8, blank=True)

    # The segment's own pixels; empty: none, or those of the asset at `picture_uri`.
    picture_key = models.CharField(max_length=200, blank=True)
    thumbnail_key = models.CharField(max_length=200, blank=True)
    width_px = models.PositiveIntegerField(null=True)
    height_px = models.PositiveIntegerField(null=True)
    # A figure that a document links to: the source_uri of an asset of the same collection. Whether it may be
    # shown is that asset's own audience's word, asked at query time.
    picture_uri = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["asset_id", "part", "ordinal"]
        constraints = [
            models.UniqueConstraint(name="segment_once", fields=["asset", "version", "part", "ordinal"]),
        ]
        indexes = [
            models.Index(name="segment_audience", fields=["audience", "kind"]),
            models.Index(
                name="segment_picture_uri",
                fields=["collection", "picture_uri"],
                condition=~models.Q(picture_uri=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} of {self.asset_id}"

    @property
    def searchable_text(self) -> str:
        """All the words of the segment, in the order in which a reader would meet them."""
        return "\n".join(part for part in (self.text, self.caption, self.alt_text, self.ocr_text) if part)
