"""What does this process measure, and who may read it? (/metrics, in Prometheus' text format)"""

import ipaddress
import os
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

# Around the targets: 25 and 60 ms for words, 60 and 120 ms for a picture.
BUCKETS_S = (0.005, 0.01, 0.025, 0.04, 0.06, 0.08, 0.12, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

REQUESTS = Histogram(
    "kb_http_request_seconds",
    "Time from a request's arrival to its answer, by view and status.",
    ["view", "method", "status"],
    buckets=BUCKETS_S,
)
READY = Gauge(
    "kb_ready",
    "Whether each part passed when /readyz was last asked, 1 or 0.",
    ["part"],
    # Of several processes that share a port, the one that was asked last knows.
    multiprocess_mode="mostrecent",
)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not _may_read(request):
        return HttpResponse(status=404)
    return HttpResponse(generate_latest(registry()), content_type=CONTENT_TYPE_LATEST)


def registry() -> CollectorRegistry:
    """Of this process; where processes share a folder, of all of them: gunicorn's, or a worker's children."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # the library ships this one untyped
    return shared


def _may_read(request: HttpRequest) -> bool:
    token = settings.KB_METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and secrets.compare_digest(given.encode(), token.encode()):
        return True
    # A proxy on this machine also calls from loopback, but says that it passes on someone else's request.
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False  # A Unix socket has no address: the server in front of it is a proxy.
