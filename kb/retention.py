"""Which assets have been kept for as long as their collection says, and go?

An asset's age is that of its newest bytes: a file that was brought in again is as young as it then was. A file inside
another goes with that one, whose age is its own.
"""

from datetime import timedelta

from django.db.models import Max
from django.utils import timezone

from kb import library
from kb.models import Asset, Collection


def sweep(limit: int) -> int:
    """Deletes up to `limit` expired assets, oldest first. How many; each is in the audit trail as asset.expired."""
    deleted = 0
    for collection in Collection.objects.filter(retention_days__isnull=False).order_by("pk"):
        before = timezone.now() - timedelta(days=collection.retention_days or 0)
        expired = (
            Asset.objects.filter(collection=collection, parent__isnull=True)
            .annotate(newest=Max("versions__created_at"))
            .filter(newest__lt=before)
            .order_by("newest", "pk")
        )
        for asset in expired[: limit - deleted]:
            deleted += library.delete_if_older(asset, before)
        if deleted >= limit:
            break
    return deleted
