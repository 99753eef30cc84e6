"""Search over HTTP."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from kb.api.base import MULTIPART_OVERHEAD_BYTES, ApiView
from retrieval import search
from retrieval.api.serializers import (
    PictureSearchRequestSerializer,
    SearchRequestSerializer,
    SearchResultSerializer,
)
from retrieval.picture import received


class Search(ApiView):
    scopes = {"GET": "search", "POST": "search"}
    rate_limit = "search"
    parser_classes = [JSONParser, MultiPartParser, FormParser]

    def max_body_bytes(self) -> int:
        # Twice the picture's limit, so that a picture somewhat above it gets the answer that names the limit.
        return 2 * int(settings.KB_MAX_QUERY_PICTURE_BYTES) + MULTIPART_OVERHEAD_BYTES

    @extend_schema(
        operation_id="search", parameters=[SearchRequestSerializer], responses=SearchResultSerializer
    )
    def get(self, request: Request) -> Response:
        """Searches by words, with filters inline: kind: in: lang: type: before: after:"""
        form = SearchRequestSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        return self._answer(request, form.validated_data, picture=None)

    @extend_schema(
        operation_id="search_by_picture",
        request={
            "application/json": SearchRequestSerializer,
            "multipart/form-data": PictureSearchRequestSerializer,
        },
        responses=SearchResultSerializer,
    )
    def post(self, request: Request) -> Response:
        """Searches by words, by a picture, or by both."""
        form = PictureSearchRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        upload = form.validated_data.get("picture")
        picture = received(upload) if upload is not None else None
        return self._answer(request, form.validated_data, picture)

    def _answer(self, request: Request, asked: dict[str, Any], picture: bytes | None) -> Response:
        result = search.search(
            request.user,
            search.SearchRequest(
                words=asked["q"],
                picture=picture,
                page=asked["page"],
                page_size=asked["page_size"],
                text_weight=asked["w"],
            ),
        )
        return Response(SearchResultSerializer(result).data)
