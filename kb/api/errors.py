"""What does a client see when something goes wrong? One shape: {"error": {"code", "message", "field"?}}.

What does not exist and what the person may not see give the same answer, byte for byte.
"""

import re
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from kb.exceptions import FailureCode, IngestError, KbError, ObjectMissingError, StorageError

log = structlog.get_logger(__name__)


class BodyTooLarge(exceptions.APIException):
    """The request's body is larger than this address takes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = "The request is too large."


def handle_exception(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER."""
    set_rollback()
    if isinstance(error, (Http404, exceptions.NotFound)):
        return _answer(status.HTTP_404_NOT_FOUND, "not_found", "Not found.")
    if isinstance(error, exceptions.ValidationError):
        field, detail = _first(error.detail)
        return _answer(error.status_code, detail.code or "invalid", str(detail), field)
    if isinstance(error, exceptions.APIException):
        return _from_drf(error)
    if isinstance(error, PermissionDenied):
        return _answer(status.HTTP_403_FORBIDDEN, "permission_denied", str(error) or "You may not do this.")
    if isinstance(error, RequestDataTooBig):
        return _answer(BodyTooLarge.status_code, "too_large", BodyTooLarge.default_detail)
    if isinstance(error, SuspiciousOperation):
        # Django's messages name settings, which tells a client nothing.
        return _answer(
            status.HTTP_400_BAD_REQUEST, "bad_request", "The request is malformed or has too many parts."
        )
    if isinstance(error, KbError):
        return _from_kb(error)
    # Whatever else it is, it is a defect: the log has all of it, the client only the means to point at it.
    log.error("api.unexpected_error", view=type(context.get("view")).__name__, exc_info=error)
    return _answer(
        status.HTTP_500_INTERNAL_SERVER_ERROR,
        "internal",
        "An unexpected error. Tell the operators the request id, which is in the X-Request-ID header.",
    )


def _from_drf(error: exceptions.APIException) -> Response:
    _, detail = _first(error.detail)
    response = _answer(error.status_code, detail.code or "error", str(detail))
    if challenge := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        response["Retry-After"] = str(int(wait))
    return response


def _from_kb(error: KbError) -> Response:
    if isinstance(error, ObjectMissingError):
        log.error("api.object_missing", exc_info=error)
        return _answer(status.HTTP_404_NOT_FOUND, "not_found", "Not found.")
    if isinstance(error, StorageError):
        log.error("api.storage_failed", exc_info=error)
        code = FailureCode.STORAGE_UNAVAILABLE
        return _answer(status.HTTP_503_SERVICE_UNAVAILABLE, code.value, str(code.label))
    if isinstance(error, IngestError):
        too_large = error.code == FailureCode.TOO_LARGE
        return _answer(
            BodyTooLarge.status_code if too_large else status.HTTP_400_BAD_REQUEST,
            str(error.code),
            str(error),
        )
    # The class says what happened: QueryError is `query`, LastManagerError is `last_manager`.
    name = type(error).__name__.removesuffix("Error")
    code_from_name = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    return _answer(status.HTTP_400_BAD_REQUEST, code_from_name, str(error))


def _first(detail: Any, field: str = "") -> tuple[str, exceptions.ErrorDetail]:
    """The first complaint, and the dotted name of the field that it is about."""
    if isinstance(detail, dict):
        key, inner = next(iter(detail.items()))
        if key == "non_field_errors":
            return _first(inner, field)
        return _first(inner, f"{field}.{key}" if field else str(key))
    if isinstance(detail, list):
        # A list of a field that takes many holds an empty entry for each element that is right.
        return _first(next((entry for entry in detail if entry), ""), field)
    if isinstance(detail, exceptions.ErrorDetail):
        return field, detail
    return field, exceptions.ErrorDetail(str(detail), "invalid")


def _answer(status_code: int, code: str, message: str, field: str = "") -> Response:
    error = {"code": code, "message": message}
    if field:
        error["field"] = field
    return Response({"error": error}, status=status_code)
