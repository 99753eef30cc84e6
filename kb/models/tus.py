"""Uploads under way that survive a broken connection."""

import uuid

from django.conf import settings
from django.db import models

from kb.models.collection import Collection
from kb.models.ingest import IngestItem, IngestRun


class TusUpload(models.Model):
    """One file on its way, piece by piece. Only `user` may go on with it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # The run it was announced for; null: it gets one of its own.
    run = models.ForeignKey(IngestRun, on_delete=models.CASCADE, null=True, related_name="+")
    path = models.CharField(max_length=1000)
    # As the client sent it, and gets it back.
    metadata = models.TextField(blank=True)
    length = models.BigIntegerField()
    # Bytes that are in storage, in the objects of its pieces.
    offset = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    # Until when somebody is handing the whole file over; past it, somebody else may.
    finishing_until = models.DateTimeField(null=True)
    # What became of it; null: not handed over yet.
    item = models.ForeignKey(IngestItem, on_delete=models.SET_NULL, null=True, related_name="+")
    handed_over_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tus_offset_within_length", condition=models.Q(offset__lte=models.F("length"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.path}: {self.offset} of {self.length}"


class TusPiece(models.Model):
    """Bytes of an upload that arrived together."""

    upload = models.ForeignKey(TusUpload, on_delete=models.CASCADE, related_name="pieces")
    start = models.BigIntegerField()
    object_key = models.CharField(max_length=200)

    class Meta:
        ordering = ["start"]
        constraints = [models.UniqueConstraint(name="tus_piece_once", fields=["upload", "start"])]

    def __str__(self) -> str:
        return self.object_key
