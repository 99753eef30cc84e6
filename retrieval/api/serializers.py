"""How is a search asked, and how is its result written? Field by field what retrieval.results holds."""

import math
from typing import Any

from django.conf import settings
from rest_framework import serializers

from retrieval.results import ChannelScore, Facet, Hit, SearchResult, SnippetPart

MAX_PAGE_SIZE = 50
# Deeper pages are a list that nobody reads, and each costs all the pages before it.
MAX_PAGE = 100


class SearchRequestSerializer(serializers.Serializer[Any]):
    q = serializers.CharField(required=False, allow_blank=True, default="")
    page = serializers.IntegerField(required=False, default=1, min_value=1, max_value=MAX_PAGE)
    page_size = serializers.IntegerField(required=False, default=10, min_value=1, max_value=MAX_PAGE_SIZE)
    w = serializers.FloatField(
        required=False,
        default=0.5,
        min_value=0,
        max_value=1,
        help_text="Weight of the words against the picture when both are given.",
    )

    def validate_q(self, value: str) -> str:
        if len(value) > settings.KB_MAX_QUERY_CHARACTERS:
            raise serializers.ValidationError(
                f"The question is longer than {settings.KB_MAX_QUERY_CHARACTERS} characters. "
                "Shorten it to the words that matter.",
                code="query_too_long",
            )
        return value

    def validate_w(self, value: float) -> float:
        # "nan" is a float to the parser, and neither below nor above any limit.
        if not math.isfinite(value):
            raise serializers.ValidationError("This must be a number from 0 to 1.")
        return value


class PictureSearchRequestSerializer(SearchRequestSerializer):
    picture = serializers.FileField(
        required=False,
        allow_empty_file=True,
        help_text="A PNG, JPEG, WebP, GIF, BMP or TIFF image to find the like of.",
    )


class SnippetPartSerializer(serializers.Serializer[SnippetPart]):
    text = serializers.CharField()
    highlighted = serializers.BooleanField()


class ChannelScoreSerializer(serializers.Serializer[ChannelScore]):
    channel = serializers.CharField()
    rank = serializers.IntegerField()
    score = serializers.FloatField()
    share = serializers.FloatField()


class FurtherSegmentSerializer(serializers.Serializer[Any]):
    segment_id = serializers.IntegerField()
    page = serializers.IntegerField(allow_null=True)
    start_ms = serializers.IntegerField(allow_null=True)

    def to_representation(self, instance: tuple[int, int | None, int | None]) -> dict[str, Any]:
        segment_id, page, start_ms = instance
        return {"segment_id": segment_id, "page": page, "start_ms": start_ms}


class HitSerializer(serializers.Serializer[Hit]):
    asset_id = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    media_type = serializers.CharField()
    language = serializers.CharField()
    collection_id = serializers.IntegerField()
    collection_name = serializers.CharField()
    source_uri = serializers.CharField()
    updated_at = serializers.CharField(help_text="ISO 8601.")
    segment_id = serializers.IntegerField()
    segment_kind = serializers.CharField()
    page = serializers.IntegerField(allow_null=True)
    start_ms = serializers.IntegerField(allow_null=True)
    heading_path = serializers.ListField(child=serializers.CharField())
    box = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    snippet = SnippetPartSerializer(many=True)
    thumbnail_url = serializers.CharField()
    content_url = serializers.CharField()
    preview_url = serializers.CharField(
        help_text="A strip of ten frames of a video; empty for everything else."
    )
    score = serializers.FloatField()
    channels = ChannelScoreSerializer(many=True)
    more = FurtherSegmentSerializer(many=True)


class FacetSerializer(serializers.Serializer[Facet]):
    # `field` and `label` as class attributes would hide what the base class calls by those names.
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            "field": serializers.CharField(),
            "value": serializers.CharField(),
            "label": serializers.CharField(),
            "count": serializers.IntegerField(),
        }


class SearchResultSerializer(serializers.Serializer[SearchResult]):
    hits = HitSerializer(many=True)
    total = serializers.IntegerField()
    total_is_capped = serializers.BooleanField()
    facets = FacetSerializer(many=True)
    timings_ms = serializers.DictField(child=serializers.FloatField())
    description = serializers.CharField()
    understood = serializers.DictField()
    notices = serializers.ListField(child=serializers.CharField())
