"""Where does a page find the pixels and bytes that it shows? The API serves them, and decides each time."""

from django.urls import reverse


def thumbnail(segment_id: int) -> str:
    return reverse("api-segment-thumbnail", args=[segment_id])


def picture(segment_id: int) -> str:
    return reverse("api-segment-picture", args=[segment_id])


def content(asset_id: int) -> str:
    return reverse("api-asset-content", args=[asset_id])


def stream(asset_id: int) -> str:
    return reverse("api-asset-stream", args=[asset_id])


def preview(asset_id: int) -> str:
    return reverse("api-asset-preview", args=[asset_id])


def uploads(collection_id: int) -> str:
    return reverse("api-uploads", args=[collection_id])


def run_events(run_id: int) -> str:
    return reverse("api-run-events", args=[run_id])


def run_action(run_id: int, action: str) -> str:
    """`pause`, `resume` or `cancel`."""
    return reverse(f"api-run-{action}", args=[run_id])


def retry(run_id: int, item_id: int) -> str:
    return reverse("api-item-retry", args=[run_id, item_id])


def retry_failures(run_id: int) -> str:
    return reverse("api-run-retry-failures", args=[run_id])
