"""What people did and said: audit trail, API tokens, queries, feedback, and what managers tell the ranking."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from kb.models.asset import Asset
from kb.models.collection import Collection


class AuditEvent(models.Model):
    """Who did what to what. Rows are only ever added."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # Dotted, in the past tense: collection.created, grant.removed, asset.downloaded, token.created …
    action = models.CharField(max_length=60)
    # Table and id of what was acted on; no foreign key, since the trail outlives it.
    target = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"


class ApiToken(models.Model):
    """A bearer token. Only its sha256 is kept; the secret is shown once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    # First characters of the secret, to tell tokens apart.
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    # Of: search, read, write, manage.
    scopes = ArrayField(models.CharField(max_length=20), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class QueryLog(models.Model):
    """One search, for quality work. Seen by operators only."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    words = models.TextField(blank=True)
    has_picture = models.BooleanField(default=False)
    hits = models.PositiveIntegerField()
    total_ms = models.FloatField()

    def __str__(self) -> str:
        return self.words[:80]


class Feedback(models.Model):
    """A person's word on one hit of one search."""

    query = models.ForeignKey(QueryLog, on_delete=models.CASCADE, related_name="feedback")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="+")
    rank = models.PositiveIntegerField()
    helpful = models.BooleanField()
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{'+' if self.helpful else '-'} {self.asset_id}"


class Synonym(models.Model):
    """Words that mean the same in one collection, or everywhere when it names none."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, null=True, blank=True)
    words = ArrayField(models.CharField(max_length=100))

    def __str__(self) -> str:
        return " = ".join(self.words)


class PinnedResult(models.Model):
    """An asset that comes first for a query, among those who may see it."""

    query = models.CharField(max_length=300)
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="pins")
    position = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(name="pin_once", fields=["query", "asset"])]

    def __str__(self) -> str:
        return f"{self.query} -> {self.asset_id}"
