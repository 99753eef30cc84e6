"""How long did each request take, by view and status? (The request's id is kb.logging's.)"""

import time
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from kb.metrics import REQUESTS

# A method is free text to a client, and a label's values must be few.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Handler = Callable[[HttpRequest], HttpResponseBase]


class RequestTimeMiddleware:
    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        # The view's name, never the path.
        match = request.resolver_match
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(
            (match.view_name or "unnamed") if match else "none", method, response.status_code
        ).observe(time.perf_counter() - started)
        return response
