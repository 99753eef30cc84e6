"""Uploads that survive a broken connection: the tus 1.0 protocol over HTTP (https://tus.io/protocols/resumable-upload).

Core, and the extensions creation, expiration, checksum and termination.
"""

import uuid
from typing import Any, cast

from django.conf import settings
from django.http import Http404
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, NotAuthenticated, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from kb import tus, uploads
from kb.api.base import ApiView, signed_in
from kb.api.collections import find_collection
from kb.api.runs import find_run
from kb.api.serializers import RunSerializer
from kb.models import IngestRun, Role, RunState, TusUpload

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,checksum,termination"
CONTENT_TYPE = "application/offset+octet-stream"

_RESUMABLE = OpenApiParameter(
    "Tus-Resumable", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True, description=f"`{VERSION}`"
)
_OFFSET = OpenApiParameter(
    "Upload-Offset", OpenApiTypes.INT, OpenApiParameter.HEADER, required=True, description="Where it goes on."
)
_LENGTH = OpenApiParameter(
    "Upload-Length",
    OpenApiTypes.INT,
    OpenApiParameter.HEADER,
    required=True,
    description="Bytes of the file.",
)
_METADATA = OpenApiParameter(
    "Upload-Metadata",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description="Names with base64 values: `filename` or `path`, and perhaps `run`, the id of a run opened for it.",
)
_CHECKSUM = OpenApiParameter(
    "Upload-Checksum",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=f"One of {', '.join(tus.CHECKSUMS)}, a space, and the digest of this body in base64.",
)


class VersionNotSupported(APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "tus_version"
    default_detail = f"This needs the header Tus-Resumable: {VERSION}."


class WrongContentType(APIException):
    status_code = status.HTTP_415_UNSUPPORTED_MEDIA_TYPE
    default_code = "content_type"
    default_detail = f"The body must be {CONTENT_TYPE}."


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "wrong_offset"


class TooMuch(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class ChecksumMismatch(APIException):
    status_code = 460  # The protocol's own.
    default_code = "checksum"


class TusView(ApiView):
    rate_limit = "upload"

    def max_body_bytes(self) -> int:
        return int(settings.KB_MAX_UPLOAD_BYTES)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Tus-Resumable"] = VERSION
        if final.status_code == status.HTTP_412_PRECONDITION_FAILED:
            final["Tus-Version"] = VERSION
        return final

    @extend_schema(exclude=True)
    def options(  # type: ignore[override]  # DRF's own signature
        self,
        request: Request,  # noqa: ARG002
        *args: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> Response:
        """What this server can do; the one request that needs no version."""
        return Response(
            status=status.HTTP_204_NO_CONTENT,
            headers={
                "Tus-Version": VERSION,
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(settings.KB_MAX_UPLOAD_BYTES),
                "Tus-Checksum-Algorithm": ",".join(tus.CHECKSUMS),
            },
        )


class TusUploads(TusView):
    scopes = {"OPTIONS": "", "POST": "write"}

    @extend_schema(
        operation_id="tus_create",
        request=None,
        responses={201: None},
        parameters=[_RESUMABLE, _LENGTH, _METADATA],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Announces a file. `Location` is where its bytes go, by PATCH."""
        user = signed_in(request)
        collection = find_collection(user, pk, Role.EDITOR)
        _require_version(request)
        if "Upload-Defer-Length" in request.headers:
            raise ValidationError("The length must be known when the upload is announced.")
        metadata = request.headers.get("Upload-Metadata", "")
        upload = tus.create(
            user,
            collection,
            length=_number(request, "Upload-Length"),
            metadata=metadata,
            run=_open_run(request, tus.parse_metadata(metadata).get("run"), pk),
        )
        location = request.build_absolute_uri(reverse("api-tus-upload", [pk, upload.pk]))
        headers = {"Location": location, "Upload-Expires": http_date(upload.expires_at.timestamp())}
        return Response(status=status.HTTP_201_CREATED, headers=headers | _outcome(upload))


class TusUploadDetail(TusView):
    # Where an upload stands is part of making it.
    scopes = {"OPTIONS": "", "GET": "write", "POST": "write", "PATCH": "write", "DELETE": "write"}

    @extend_schema(operation_id="tus_offset", responses={200: None}, parameters=[_RESUMABLE])
    def head(self, request: Request, pk: int, upload_pk: uuid.UUID) -> Response:
        """How much has arrived."""
        upload = _find(request, pk, upload_pk)
        _require_version(request)
        if upload.offset == upload.length:
            tus.finish(
                upload
            )  # Of which the client may have missed the answer, or the server have died over.
        headers = {"Upload-Length": str(upload.length), "Cache-Control": "no-store"}
        if upload.metadata:
            headers["Upload-Metadata"] = upload.metadata
        return Response(headers=headers | _standing(upload))

    @extend_schema(
        operation_id="tus_append",
        request={CONTENT_TYPE: OpenApiTypes.BINARY},
        responses={204: None},
        parameters=[_RESUMABLE, _OFFSET, _CHECKSUM],
    )
    def patch(self, request: Request, pk: int, upload_pk: uuid.UUID) -> Response:
        """Adds bytes. With the last of them the file is taken in; `Kb-Run` is the address of its run."""
        upload = _find(request, pk, upload_pk)
        _require_version(request)
        if request.content_type != CONTENT_TYPE:
            raise WrongContentType
        offset = _number(request, "Upload-Offset")
        if offset != upload.offset:
            raise Conflict(str(tus.WrongOffsetError()))
        if int(request.META.get("CONTENT_LENGTH") or 0) > upload.length - offset:
            raise TooMuch(str(tus.TooMuchError()))
        try:
            said = request.headers.get("Upload-Checksum")
            checksum = tus.as_checksum(said) if said else None
        except tus.ChecksumError as error:
            raise ValidationError(str(error)) from error
        try:
            # The request as it arrives: DRF's own `data` would read all of it into memory.
            tus.append(upload, offset, cast(Any, request._request), checksum=checksum)
        except (tus.WrongOffsetError, TusUpload.DoesNotExist) as error:
            raise Conflict(str(tus.WrongOffsetError())) from error
        except tus.ChecksumError as error:
            raise ChecksumMismatch(str(error)) from error
        except tus.TooMuchError as error:
            raise TooMuch(str(error)) from error
        return Response(status=status.HTTP_204_NO_CONTENT, headers=_standing(upload))

    @extend_schema(operation_id="tus_delete", responses={204: None}, parameters=[_RESUMABLE])
    def delete(self, request: Request, pk: int, upload_pk: uuid.UUID) -> Response:
        """Ends the upload and removes what has arrived. A file that was taken in stays."""
        upload = _find(request, pk, upload_pk)
        _require_version(request)
        tus.remove(upload)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(exclude=True)
    def post(self, request: Request, pk: int, upload_pk: uuid.UUID) -> Response:
        """For networks that let only GET and POST through."""
        override = request.headers.get("X-HTTP-Method-Override", "").upper()
        if override == "PATCH":
            return self.patch(request, pk, upload_pk)
        if override == "DELETE":
            return self.delete(request, pk, upload_pk)
        return self.http_method_not_allowed(request)


class OpenRuns(ApiView):
    scopes = {"POST": "write"}
    rate_limit = "upload"

    @extend_schema(operation_id="collections_open_run", request=None, responses={201: RunSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """A run for many resumable uploads, which name it in their metadata. Seal it after the last of them."""
        user = signed_in(request)
        run = tus.open_run(user, find_collection(user, pk, Role.EDITOR))
        return Response(RunSerializer(find_run(user, run.pk)).data, status=status.HTTP_201_CREATED)


class RunSeal(ApiView):
    scopes = {"POST": "write"}

    @extend_schema(operation_id="runs_seal", request=None, responses=RunSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """No more files: the run ends when each of its files has an outcome."""
        run = find_run(request.user, pk)
        if run.source != tus.OPEN_RUN and not run.sealed:
            raise ValidationError("This run ends by itself.")
        uploads.seal(run)
        run.refresh_from_db()
        return Response(RunSerializer(run).data)


def _find(request: Request, pk: int, upload_pk: uuid.UUID) -> TusUpload:
    """One's own. Anybody else's is absent; so is one's own after losing the right to add to the collection."""
    user = request.user
    if not user.is_authenticated:
        raise NotAuthenticated
    upload = TusUpload.objects.filter(pk=upload_pk, collection=pk, user=user.pk).first()
    if upload is None:
        raise Http404
    find_collection(user, pk, Role.EDITOR)
    return upload


def _open_run(request: Request, said: str | None, collection_pk: int) -> IngestRun | None:
    if not said:
        return None
    user = signed_in(request)
    run = find_run(user, int(said)) if said.isdecimal() and len(said) < 19 else None
    if run is None or run.collection_id != collection_pk or run.started_by_id != user.pk:
        raise Http404
    if run.sealed or run.state != RunState.RUNNING or run.source != tus.OPEN_RUN:
        raise ValidationError("This run takes no more files.")
    return run


def _require_version(request: Request) -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise VersionNotSupported


def _number(request: Request, name: str) -> int:
    value = request.headers.get(name, "")
    if not (value.isascii() and value.isdecimal() and len(value) < 19):
        raise ValidationError(f"This needs the header {name}, a whole number.")
    return int(value)


def _standing(upload: TusUpload) -> dict[str, str]:
    return {
        "Upload-Offset": str(upload.offset),
        "Upload-Expires": http_date(upload.expires_at.timestamp()),
    } | _outcome(upload)


def _outcome(upload: TusUpload) -> dict[str, str]:
    if upload.item is None:
        return {}
    return {"Kb-Run": reverse("api-run", [upload.item.run_id])}
