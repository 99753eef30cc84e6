"""What do all API views have in common? Bounded bodies, uncached answers, pages of results."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from rest_framework.exceptions import NotAuthenticated
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kb.api.errors import BodyTooLarge

# Of everything that carries no file. A grant or a token is a few hundred bytes.
MAX_BODY_BYTES = 256 * 1024
# What multipart borders, headers and the other fields may add to a file.
MULTIPART_OVERHEAD_BYTES = 1024**2


class Pages(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class ApiView(APIView):
    # Method -> the scope that a token needs; an empty one: any token. Methods left out take no token.
    scopes: dict[str, str] = {}
    # Key of settings.KB_RATE_LIMITS.
    rate_limit = "api"

    def max_body_bytes(self) -> int:
        return MAX_BODY_BYTES

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # First of all: checking a session's CSRF token already reads the whole body. A body without a stated
        # length counts as empty in WSGI, so it cannot get around this.
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > self.max_body_bytes():
            raise BodyTooLarge(f"The request is larger than {_mebibytes(self.max_body_bytes())}.")
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        # What someone may see can change at any moment, so no answer outlives its request.
        final.headers.setdefault("Cache-Control", "private, no-store")
        return final


def signed_in(request: Request) -> User:
    """The caller, whom IsAuthenticated has let in; the type says so too."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def max_upload_body_bytes() -> int:
    return int(settings.KB_MAX_UPLOAD_BYTES) + MULTIPART_OVERHEAD_BYTES


def _mebibytes(size_bytes: int) -> str:
    return f"{size_bytes / 1024**2:g} MiB"
