"""Named sets of assets."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from kb.models.audience import Audience
from kb.ranking import RankingSettings, RankingSettingsError


class Collection(models.Model):
    """A named set of assets with a default audience, language, retention and ranking settings."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    description = models.TextField(blank=True)
    audience = models.OneToOneField(
        Audience, on_delete=models.PROTECT, related_name="collection", editable=False
    )
    # ISO 639-1; empty: each asset's own, as detected.
    language = models.CharField(max_length=8, blank=True)
    retention_days = models.PositiveIntegerField(null=True, blank=True)
    # Overrides of kb.ranking.RankingSettings, field by field, for searches inside this collection alone.
    ranking = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Gives a new collection its own audience, which nobody is in yet: no grant means no access."""
        if self.audience_id is not None:
            super().save(*args, **kwargs)
            return
        with transaction.atomic():
            self.audience = Audience.objects.create()
            super().save(*args, **kwargs)

    def clean(self) -> None:
        """Called by forms: settings that make no sense are refused where they are typed."""
        try:
            RankingSettings().overridden(self.ranking)
        except RankingSettingsError as error:
            raise ValidationError({"ranking": str(error)}) from error
