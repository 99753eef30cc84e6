"""What is done around every request? It gets an id that all its log lines carry, and its time is measured."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from kb.metrics import REQUESTS

# What a proxy in front may hand on; anything else could forge log lines.
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Handler = Callable[[HttpRequest], HttpResponseBase]


class RequestIdMiddleware:
    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class RequestTimeMiddleware:
    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        # The view's name and a known method, never the path or what was sent: a label's values must be few.
        match = request.resolver_match
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(
            (match.view_name or "unnamed") if match else "none", method, response.status_code
        ).observe(time.perf_counter() - started)
        return response
