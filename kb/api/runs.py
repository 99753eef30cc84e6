"""Uploads and the runs that they start, over HTTP."""

from typing import Any

from django.db import transaction
from django.db.models import Avg
from django.http import Http404
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from kb import audit, progress, runs, uploads
from kb.api import events
from kb.api.base import ApiView, Pages, max_upload_body_bytes, signed_in
from kb.api.collections import find_collection
from kb.api.serializers import (
    IngestItemSerializer,
    RetriedSerializer,
    RunDetailSerializer,
    RunSerializer,
    UploadAnswerSerializer,
    UploadRequestSerializer,
)
from kb.exceptions import KbError
from kb.models import OPEN_RUN_STATES, IngestItem, IngestRun, IngestStep, Outcome, Role
from kb.permissions import AnyUser, visible_assets, visible_runs


class NotRetriableError(KbError):
    """There is nothing to take up again for this file. Upload it once more."""


def find_run(user: AnyUser, pk: int) -> IngestRun:
    run = visible_runs(user).select_related("collection", "started_by").filter(pk=pk).first()
    if run is None:
        raise Http404
    return run


def _items(user: AnyUser, items: list[IngestItem]) -> list[dict[str, object]]:
    versions = [item.asset_version_id for item in items if item.asset_version_id is not None]
    assets = {item.asset_version.asset_id for item in items if item.asset_version is not None}
    shares = IngestStep.objects.filter(asset_version__in=versions).order_by().values_list("asset_version")
    context = {
        "visible_assets": set(visible_assets(user).filter(pk__in=assets).values_list("pk", flat=True)),
        "progress": dict(shares.annotate(Avg("progress"))),
    }
    return list(IngestItemSerializer(items, many=True, context=context).data)


class Uploads(ApiView):
    scopes = {"POST": "write"}
    rate_limit = "upload"
    parser_classes = [MultiPartParser]

    def max_body_bytes(self) -> int:
        return max_upload_body_bytes()

    @extend_schema(
        operation_id="collections_upload",
        request=UploadRequestSerializer,
        responses={202: UploadAnswerSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Brings files in. Each has an item of its own; a refused one says why and does not stop the others."""
        user = signed_in(request)
        # Before the body is looked at, which is what costs.
        collection = find_collection(user, pk, Role.EDITOR)
        form = UploadRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        received = form.validated_data["files"]
        paths = form.validated_data.get("paths") or [file.name for file in received]
        run = uploads.start_run(collection, user)
        try:
            items = [uploads.receive(run, path, file) for path, file in zip(paths, received, strict=True)]
        finally:
            # Also when the store fails half-way: a run that is not sealed never ends.
            uploads.seal(run)
        location = reverse("api-run", [run.pk])
        answer = {"run": RunSerializer(find_run(user, run.pk)).data, "items": _items(user, items)}
        return Response(answer, status=status.HTTP_202_ACCEPTED, headers={"Location": location})


class RunFilter(serializers.Serializer[dict[str, int]]):
    collection = serializers.IntegerField(required=False, min_value=1)


class RunList(ApiView, generics.GenericAPIView[IngestRun]):
    scopes = {"GET": "read"}
    serializer_class = RunSerializer
    pagination_class = Pages

    @extend_schema(operation_id="runs_list", parameters=[RunFilter], responses=RunSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Runs of the collections that you may add to, newest first."""
        wanted = RunFilter(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        found = (
            visible_runs(request.user)
            .select_related("collection", "started_by")
            .filter(**wanted.validated_data)
        )
        page = self.paginate_queryset(found.order_by("-pk"))
        return self.get_paginated_response(RunSerializer(page or [], many=True).data)


class RunDetail(ApiView):
    scopes = {"GET": "read"}

    @extend_schema(operation_id="runs_read", responses=RunDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """How far the run is."""
        run = find_run(request.user, pk)
        return Response(RunDetailSerializer(run, context={"progress_of_run": progress.of_run(run)}).data)


class ItemFilter(serializers.Serializer[dict[str, str]]):
    outcome = serializers.ChoiceField(choices=Outcome.choices, required=False)


class RunItems(ApiView, generics.GenericAPIView[IngestItem]):
    scopes = {"GET": "read"}
    serializer_class = IngestItemSerializer
    pagination_class = Pages

    @extend_schema(
        operation_id="runs_items", parameters=[ItemFilter], responses=IngestItemSerializer(many=True)
    )
    def get(self, request: Request, pk: int) -> Response:
        """The run's files, in the order in which they arrived."""
        run = find_run(request.user, pk)
        wanted = ItemFilter(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        found = run.items.select_related("asset_version").filter(**wanted.validated_data).order_by("pk")
        page = self.paginate_queryset(found)
        return self.get_paginated_response(_items(request.user, list(page or [])))


class RunEvents(ApiView):
    scopes = {"GET": "read"}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: ARG002
        """Browsers accept nothing but text/event-stream here; errors are JSON all the same."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(operation_id="runs_events", responses={(200, "text/event-stream"): OpenApiTypes.STR})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Server-sent events: `progress` whenever something has changed, and `end` when the run has.

        The data of `progress` is a JSON object: state, sealed, progress (counts by outcome, files_per_s,
        remaining_s) and stages (the median milliseconds of each stage of the steps). Streams end after five minutes
        too, and a person has at most two: 429 means that the run's own address has to do.
        """
        return events.stream(request.user, find_run(request.user, pk))


class RunPause(ApiView):
    scopes = {"POST": "write"}

    @extend_schema(operation_id="runs_pause", request=None, responses=RunDetailSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Lets nothing more of the run start, until it is resumed. What a worker has begun goes on to its end."""
        run = find_run(request.user, pk)
        with transaction.atomic():
            if runs.pause(run):
                audit.record(request.user, "run.paused", run)
        return _detail(run)


class RunResume(ApiView):
    scopes = {"POST": "write"}

    @extend_schema(operation_id="runs_resume", request=None, responses=RunDetailSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Goes on with a paused run."""
        run = find_run(request.user, pk)
        with transaction.atomic():
            if runs.resume(run):
                audit.record(request.user, "run.resumed", run)
        return _detail(run)


def _detail(run: IngestRun) -> Response:
    run.refresh_from_db()
    context = {"progress_of_run": progress.of_run(run)}
    return Response(RunDetailSerializer(run, context=context).data)


class RunCancel(ApiView):
    scopes = {"POST": "write"}

    @extend_schema(operation_id="runs_cancel", request=None, responses=RunDetailSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Stops what has not ended, but for what another run waits for too. What is searchable already stays."""
        run = find_run(request.user, pk)
        if run.state in OPEN_RUN_STATES:
            with transaction.atomic():
                audit.record(request.user, "run.cancelled", run, files=runs.cancel(run))
        return _detail(run)


class RunRetryFailures(ApiView):
    scopes = {"POST": "write"}

    @extend_schema(operation_id="runs_retry_failures", request=None, responses={202: RetriedSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Starts every failed file again that can be."""
        run = find_run(request.user, pk)
        with transaction.atomic():
            retried = runs.retry_failures(run)
            audit.record(request.user, "run.retried", run, files=retried)
        return Response(RetriedSerializer({"retried": retried}).data, status=status.HTTP_202_ACCEPTED)


class ItemRetry(ApiView):
    scopes = {"POST": "write"}

    @extend_schema(
        operation_id="runs_retry_item",
        request=None,
        responses={202: RetriedSerializer},
        parameters=[OpenApiParameter("item_pk", OpenApiTypes.INT, OpenApiParameter.PATH)],
    )
    def post(self, request: Request, pk: int, item_pk: int) -> Response:
        """Starts one failed or cancelled file again."""
        item = find_run(request.user, pk).items.filter(pk=item_pk).first()
        if item is None:
            raise Http404
        with transaction.atomic():
            if not runs.retry(item):
                raise NotRetriableError
            audit.record(request.user, "item.retried", item, run=item.run_id)
        return Response(RetriedSerializer({"retried": 1}).data, status=status.HTTP_202_ACCEPTED)
