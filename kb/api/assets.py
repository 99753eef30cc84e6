"""Assets, their bytes and their segments, over HTTP."""

from pathlib import PurePosixPath

from django.db.models import QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from kb import audit, curation
from kb.api import files
from kb.api.base import ApiView, Pages, signed_in
from kb.api.collections import find_collection
from kb.api.serializers import (
    AssetSerializer,
    AudienceSerializer,
    ReadersRequestSerializer,
    SegmentSerializer,
)
from kb.models import Asset, AssetVersion, AudienceMember, Role, Segment, SegmentKind
from kb.permissions import AnyUser, visible_assets, visible_collections, visible_segments
from kb.recordings import with_side_cars

# A contents list longer than this is no help to a reader; the segments have their own, paged address.
MAX_OUTLINE_ENTRIES = 500

BYTES = OpenApiResponse(OpenApiTypes.BINARY)


def find_asset(user: AnyUser, pk: int) -> Asset:
    asset = (
        visible_assets(user).select_related("collection", "document", "image", "video").filter(pk=pk).first()
    )
    if asset is None:
        raise Http404
    return asset


def find_managed_asset(user: AnyUser, pk: int) -> Asset:
    """An asset that `user` sees, in a collection that they manage."""
    asset = find_asset(user, pk)
    find_collection(user, asset.collection_id, Role.MANAGER)
    return asset


def _outline(segments: QuerySet[Segment]) -> list[dict[str, object]]:
    """The first segment under each heading, in reading order."""
    entries: dict[tuple[str, ...], dict[str, object]] = {}
    rows = segments.filter(kind=SegmentKind.TEXT).exclude(heading_path=[]).order_by("part", "ordinal")
    for pk, page, heading_path in rows.values_list("pk", "page", "heading_path").iterator():
        if tuple(heading_path) not in entries:
            entries[tuple(heading_path)] = {"heading_path": heading_path, "page": page, "segment_id": pk}
            if len(entries) == MAX_OUTLINE_ENTRIES:
                break
    return list(entries.values())


class AssetDetail(ApiView):
    scopes = {"GET": "read", "DELETE": "manage"}

    @extend_schema(operation_id="assets_read", responses=AssetSerializer)
    def get(self, request: Request, pk: int) -> Response:
        asset = find_asset(request.user, pk)
        context = {
            "collection_is_visible": visible_collections(request.user)
            .filter(pk=asset.collection_id)
            .exists(),
            "outline": _outline(visible_segments(request.user).filter(asset=asset)),
        }
        return Response(AssetSerializer(asset, context=context).data)

    @extend_schema(operation_id="assets_delete", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Deletes the asset with everything made from it. For managers."""
        user = signed_in(request)
        curation.delete_asset(user, find_managed_asset(user, pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


class AssetSegments(ApiView, generics.GenericAPIView[Segment]):
    scopes = {"GET": "read"}
    serializer_class = SegmentSerializer
    pagination_class = Pages

    @extend_schema(operation_id="assets_segments", responses=SegmentSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """What of the asset can be found, in reading order; of a recording also what subtitle files beside it say."""
        asset = find_asset(request.user, pk)
        segments = with_side_cars(request.user, asset).order_by("asset_id", "part", "ordinal")
        page = self.paginate_queryset(segments)
        return self.get_paginated_response(SegmentSerializer(page or [], many=True).data)


class AssetContent(ApiView):
    scopes = {"GET": "read"}

    @extend_schema(operation_id="assets_content", responses={(200, "application/octet-stream"): BYTES})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """The file as it was uploaded, always as a download. Takes one byte range."""
        asset = find_asset(request.user, pk)
        if not asset.version:
            raise Http404  # Nothing of it is published yet.
        name = PurePosixPath(asset.source_uri).name or asset.title
        response = files.download(request._request, asset.object_key, name=name, media_type=asset.media_type)
        if response.status_code in (200, 206) and request.method == "GET":
            audit.record(
                request.user,
                "asset.downloaded",
                asset,
                version=asset.version,
                range=response.headers.get("Content-Range", ""),
            )
        return response


class AssetStream(ApiView):
    scopes = {"GET": "read"}

    @extend_schema(operation_id="assets_stream", responses={(200, "video/*"): BYTES})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """A video or sound file for a player. Takes one byte range; 404 for what no browser plays."""
        asset = find_asset(request.user, pk)
        if not asset.version:
            raise Http404
        response = files.play(request._request, asset.object_key, media_type=asset.media_type)
        # A player asks for hundreds of ranges: what it starts with stands for all.
        starts = response.headers.get("Content-Range", "bytes 0-").startswith("bytes 0-")
        if response.status_code in (200, 206) and request.method == "GET" and starts:
            audit.record(request.user, "asset.played", asset, version=asset.version)
        return response


class AssetPreview(ApiView):
    scopes = {"GET": "read"}

    @extend_schema(operation_id="assets_preview", responses={(200, "image/*"): BYTES})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Ten frames of a video, evenly spaced in time, side by side."""
        asset = find_asset(request.user, pk)
        version = AssetVersion.objects.filter(asset=asset, number=asset.version).first()
        if version is None or not version.preview_key:
            raise Http404
        return files.picture(request._request, version.preview_key)


class AssetAudience(ApiView):
    scopes = {"GET": "manage", "PUT": "manage", "DELETE": "manage"}

    @extend_schema(operation_id="assets_audience_read", responses=AudienceSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(_audience(find_managed_asset(request.user, pk)))

    @extend_schema(
        operation_id="assets_audience_set", request=ReadersRequestSerializer, responses=AudienceSerializer
    )
    def put(self, request: Request, pk: int) -> Response:
        """Gives the asset readers of its own, in place of its collection's. You must be one of them."""
        user = signed_in(request)
        asset = find_managed_asset(user, pk)
        form = ReadersRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        curation.set_readers(user, asset, [reader["principal"] for reader in form.validated_data["readers"]])
        return Response(_audience(find_asset(user, pk)))

    @extend_schema(operation_id="assets_audience_reset", responses=AudienceSerializer)
    def delete(self, request: Request, pk: int) -> Response:
        """Puts the asset back under its collection's readers."""
        user = signed_in(request)
        curation.reset_readers(user, find_managed_asset(user, pk))
        return Response(_audience(find_asset(user, pk)))


def _audience(asset: Asset) -> dict[str, object]:
    members = AudienceMember.objects.filter(audience=asset.audience_id).select_related("user", "group")
    return dict(
        AudienceSerializer({"own": asset.own_audience_id is not None, "readers": members.order_by("pk")}).data
    )


class SegmentPicture(ApiView):
    scopes = {"GET": "read"}

    @extend_schema(operation_id="segments_picture", responses={(200, "image/*"): BYTES})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """The segment's pixels: the rendered page, the figure, the picture."""
        return files.picture(request._request, _pictured(request.user, pk).picture_key)


class SegmentThumbnail(ApiView):
    scopes = {"GET": "read"}

    @extend_schema(operation_id="segments_thumbnail", responses={(200, "image/*"): BYTES})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        segment = _pictured(request.user, pk)
        return files.picture(request._request, segment.thumbnail_key or segment.picture_key)


def _pictured(user: AnyUser, pk: int) -> Segment:
    """The segment itself, or the picture that it links to where `user` may see that one too."""
    segment = visible_segments(user).filter(pk=pk).first()
    if segment is None:
        raise Http404
    if segment.picture_key:
        return segment
    linked = None
    if segment.picture_uri:
        linked = (
            visible_segments(user)
            .filter(
                asset__in=visible_assets(user).filter(
                    collection=segment.collection_id, source_uri=segment.picture_uri
                ),
                kind=SegmentKind.IMAGE,
            )
            .exclude(picture_key="")
            .first()
        )
    if linked is None:
        raise Http404
    return linked
