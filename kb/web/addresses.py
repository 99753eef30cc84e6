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


def retry_failures(run_id: int) -> str:
    return reverse("api-run-retry-failures", args=[run_id])
