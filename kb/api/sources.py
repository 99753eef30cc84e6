"""Sources: the folders, buckets and websites that a collection follows, over HTTP. For its managers."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from kb import source_settings, sources
from kb.api.base import ApiView, Pages, signed_in
from kb.api.collections import find_collection
from kb.api.serializers import CollectionReferenceSerializer, PrincipalSerializer, ReaderSerializer
from kb.models import AudienceMember, Role, Source, SourceKind
from kb.permissions import AnyUser, visible_sources
from kb.sources import FolderReaders

# A year: what is looked at more seldom is looked at by hand.
LONGEST_INTERVAL_MINUTES = 525_600


class FolderRequestSerializer(serializers.Serializer[Any]):
    folder = serializers.CharField(
        max_length=1000, allow_blank=True, help_text="As the source names it; empty: the whole source."
    )
    readers = serializers.ListField(child=PrincipalSerializer(), allow_empty=False, max_length=1000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        readers = tuple(reader["principal"] for reader in attrs["readers"])
        attrs["value"] = FolderReaders(attrs["folder"], readers)
        return attrs


class SourceChangeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100)
    settings = serializers.DictField(
        help_text="Of a folder: path. Of S3: endpoint, bucket, prefix, secure, region, access_key_env, "
        "secret_key_env. Of a website: url, sitemap, path_prefix, max_depth, max_pages, delay_s."
    )
    schedule_minutes = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=LONGEST_INTERVAL_MINUTES
    )
    folders = serializers.ListField(
        child=FolderRequestSerializer(),
        required=False,
        max_length=1000,
        help_text="Readers of what lies below a folder, in place of the collection's; the deepest folder counts.",
    )


class SourceRequestSerializer(SourceChangeSerializer):
    collection = serializers.IntegerField(min_value=1)
    kind = serializers.ChoiceField(choices=SourceKind.choices)
    prefix = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Folder of the collection in which its files stand; the name, where it is left out.",
    )


class FolderSerializer(serializers.Serializer[Any]):
    folder = serializers.CharField()
    readers = ReaderSerializer(many=True)


class SourceSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    url = serializers.SerializerMethodField()
    collection = CollectionReferenceSerializer()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=SourceKind.choices)
    settings = serializers.JSONField()
    prefix = serializers.CharField()
    schedule_minutes = serializers.IntegerField(allow_null=True)
    folders = serializers.SerializerMethodField()
    state = serializers.CharField()
    error = serializers.CharField()
    report = serializers.JSONField()
    last_scan_at = serializers.DateTimeField(allow_null=True)
    next_scan_at = serializers.DateTimeField(allow_null=True)
    last_run_url = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_url(self, source: Source) -> str:
        return reverse("api-source", [source.pk])

    @extend_schema_field(FolderSerializer(many=True))
    def get_folders(self, source: Source) -> object:
        members: dict[int, list[AudienceMember]] = {}
        audiences = [folder.audience_id for folder in source.folders.all()]
        for member in AudienceMember.objects.filter(audience__in=audiences).select_related("user", "group"):
            members.setdefault(member.audience_id, []).append(member)
        found = [
            {"folder": folder.folder, "readers": members.get(folder.audience_id, [])}
            for folder in source.folders.order_by("folder")
        ]
        return FolderSerializer(found, many=True).data

    def get_last_run_url(self, source: Source) -> str:
        return reverse("api-run", [source.last_run_id]) if source.last_run_id else ""


class ScanRequestSerializer(serializers.Serializer[Any]):
    may_delete_most = serializers.BooleanField(
        default=False, help_text="Confirms that whatever is gone may be deleted, however much it is."
    )


class SourceList(ApiView, generics.GenericAPIView[Source]):
    scopes = {"GET": "manage", "POST": "manage"}
    serializer_class = SourceSerializer
    pagination_class = Pages

    @extend_schema(operation_id="sources_list", responses=SourceSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The sources of the collections that you manage."""
        found = visible_sources(request.user).select_related("collection").order_by("pk")
        page = self.paginate_queryset(found)
        return self.get_paginated_response(SourceSerializer(page or [], many=True).data)

    @extend_schema(
        operation_id="sources_create", request=SourceRequestSerializer, responses={201: SourceSerializer}
    )
    def post(self, request: Request) -> Response:
        """Has a collection that you manage follow a website; a folder or bucket, with the right to connect them."""
        user = signed_in(request)
        form = SourceRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values = form.validated_data
        collection = find_collection(user, values["collection"], Role.MANAGER)
        _require_connect(request, values["kind"])
        settings = source_settings.parse(values["kind"], values["settings"])
        sources.require_allowed_folder(settings)
        source = sources.make_source(
            user,
            collection,
            name=values["name"],
            kind=values["kind"],
            settings=settings,
            prefix=values.get("prefix"),
            schedule_minutes=values.get("schedule_minutes"),
            folders=[folder["value"] for folder in values.get("folders", [])],
        )
        return Response(SourceSerializer(source).data, status=status.HTTP_201_CREATED)


class SourceDetail(ApiView):
    scopes = {"GET": "manage", "PATCH": "manage", "DELETE": "manage"}

    @extend_schema(operation_id="sources_read", responses=SourceSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Where it stands, and what the last scan found."""
        return Response(SourceSerializer(find_source(request.user, pk)).data)

    @extend_schema(
        operation_id="sources_change",
        request=SourceChangeSerializer(partial=True),
        responses=SourceSerializer,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Takes effect at the next scan."""
        user = signed_in(request)
        source = find_source(user, pk)
        form = SourceChangeSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        values = form.validated_data
        changes = {name: values[name] for name in ("name", "schedule_minutes") if name in values}
        if "settings" in values or "folders" in values:
            # Where it looks and who reads it: whoever may not connect such a source may not turn one either.
            _require_connect(request, source.kind)
        if "settings" in values:
            changes["settings"] = source_settings.parse(source.kind, values["settings"])
            sources.require_allowed_folder(changes["settings"])
        folders = [folder["value"] for folder in values["folders"]] if "folders" in values else None
        sources.change_source(user, source, changes, folders)
        return Response(SourceSerializer(find_source(user, pk)).data)

    @extend_schema(operation_id="sources_delete", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """The collection stops following it. What came from it stays."""
        user = signed_in(request)
        sources.delete_source(user, find_source(user, pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


class SourceScan(ApiView):
    scopes = {"POST": "manage"}

    @extend_schema(
        operation_id="sources_scan", request=ScanRequestSerializer, responses={202: SourceSerializer}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Has it scanned as soon as a worker is free."""
        user = signed_in(request)
        source = find_source(user, pk)
        form = ScanRequestSerializer(data=request.data or {})
        form.is_valid(raise_exception=True)
        sources.request_scan(user, source, may_delete_most=form.validated_data["may_delete_most"])
        return Response(SourceSerializer(source).data, status=status.HTTP_202_ACCEPTED)


def find_source(user: AnyUser, pk: int) -> Source:
    source = visible_sources(user).select_related("collection").filter(pk=pk).first()
    if source is None:
        raise Http404
    return source


def _require_connect(request: Request, kind: str) -> None:
    if not sources.may_connect(signed_in(request), kind):
        raise PermissionDenied(
            "Folders and buckets of the server need the permission kb.connect_storage. Ask the operators."
        )
