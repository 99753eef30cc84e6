"""What can operators watch about ingest? Counters of the workers, and the outbox's depth as the relay sees it."""

from django.db.models import Count
from prometheus_client import Counter, Gauge, Histogram, start_http_server

from kb.metrics import registry
from kb.models import IngestStep, StepState

STEPS = Counter("kb_ingest_steps_total", "Ingest steps that ended, by how.", ["step", "outcome"])
STEP_SECONDS = Histogram(
    "kb_ingest_step_seconds",
    "Time a worker held a step.",
    ["step"],
    # From a text file's milliseconds to the minutes that a lease with heartbeats allows.
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300),
)
OUTBOX_STEPS = Gauge(
    "kb_outbox_steps",
    "Steps in the outbox, by state; `dead` ones failed for good and wait for a person.",
    ["state"],
    multiprocess_mode="mostrecent",
)
# What is done stays in the table for the record: counting it each second would grow with the library.
_WATCHED = (StepState.READY, StepState.SENT, StepState.RUNNING, StepState.DEAD)


def collect_outbox() -> None:
    """Reads the depth of the outbox into its gauge."""
    rows = IngestStep.objects.filter(state__in=_WATCHED).values("state").annotate(steps=Count("pk"))
    depth = {row["state"]: row["steps"] for row in rows.order_by()}
    for state in _WATCHED:
        OUTBOX_STEPS.labels(state=state).set(depth.get(state, 0))


def serve(port: int, address: str = "127.0.0.1") -> None:
    """Answers Prometheus from a thread of this process, for all processes that share its metrics folder."""
    start_http_server(port, addr=address, registry=registry())
