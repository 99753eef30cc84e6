"""What happens before and around the views? Probes are answered, and everything else is timed by view and status."""

import time
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from kb import health, metrics

# A method is free text to a client, and a label's values must be few.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Handler = Callable[[HttpRequest], HttpResponseBase]

PROBES = {"/livez": health.livez, "/readyz": health.readyz, "/metrics": metrics.metrics}


class ProbeMiddleware:
    """Answers probes before anything asks for the Host: Kubernetes and Prometheus call by an address."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = PROBES.get(request.path_info)
        return probe(request) if probe else self.get_response(request)


class RequestTimeMiddleware:
    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        # The view's name, never the path.
        match = request.resolver_match
        method = request.method if request.method in METHODS else "other"
        metrics.REQUESTS.labels(
            (match.view_name or "unnamed") if match else "none", method, response.status_code
        ).observe(time.perf_counter() - started)
        return response
