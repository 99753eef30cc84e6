"""Where does a page find the pixels and bytes that it shows? The API serves them, and decides each time."""

from django.urls import get_script_prefix


def thumbnail(segment_id: int) -> str:
    return f"{get_script_prefix()}api/segments/{segment_id}/thumbnail"


def picture(segment_id: int) -> str:
    return f"{get_script_prefix()}api/segments/{segment_id}/picture"


def content(asset_id: int) -> str:
    return f"{get_script_prefix()}api/assets/{asset_id}/content"


def uploads(collection_id: int) -> str:
    return f"{get_script_prefix()}api/collections/{collection_id}/uploads/"


def retry_failures(run_id: int) -> str:
    return f"{get_script_prefix()}api/runs/{run_id}/retry-failures/"
