"""How do ready steps reach the workers, and lost ones come back? A loop that survives a broker or a database away."""

import threading
from collections.abc import Sequence
from time import monotonic

import amqp.exceptions
import psycopg
import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connections
from kombu.exceptions import KombuError

from kb import retention
from kb.models import IngestStep
from kb.runs import STEPS_CHANNEL
from workers import metrics, outbox
from workers.celery import app
from workers.connectors import schedule

log = structlog.get_logger(__name__)

TASK_NAME = "workers.tasks.run_step"
TIDY_TASK_NAME = "workers.tasks.tidy_uploads"
# Without a notice: steps whose rest is over, expired leases, and whatever a lost notice was about.
POLL_S = 1.0
# Between two batches: a query and a connection for each of the hundred steps a second that end would take a tenth of a
# core, and no worker waits for them, since the broker holds more than one turn's work.
GATHER_S = 0.05
# Between two looks for assets whose time is over. Retention is counted in days.
RETENTION_S = 600.0
# Deleted in one go, which keeps the loop from sending for some tenths of a second. If there are more, the next turn
# goes on.
EXPIRED_AT_ONCE = 20
# Uploads that nobody goes on with lie about for a day; minutes more do not matter.
TIDY_S = 600.0
# What a broker that is away raises: kombu's own errors, the transport's, and the folder transport's plain ones.
_BROKER_ERRORS = (KombuError, amqp.exceptions.AMQPError, OSError)


def turn() -> int:
    """One whole round: take back, start due scans, measure, send. How many steps were sent."""
    outbox.reconcile()
    schedule.send_due()
    metrics.collect_outbox()
    return send(outbox.claim())


def send(steps: Sequence[IngestStep]) -> int:
    """Sends claimed steps; those that the broker does not take are ready again. How many it took."""
    if not steps:
        return 0
    sent = 0
    try:
        # A connection of its own for each batch: what it declares once, a broker that came back empty knows again.
        with app.connection_for_write() as broker, broker.Producer() as producer:
            for step in steps:
                app.send_task(
                    TASK_NAME, args=[step.pk], queue=outbox.QUEUES[step.name], producer=producer, retry=False
                )
                sent += 1
    except _BROKER_ERRORS as error:
        log.warning("broker.away", unsent=len(steps) - sent, error=str(error))
        outbox.unclaim(steps[sent:])
    return sent


def run(stop: threading.Event) -> None:
    """Turns until `stop` is set, woken by notices from Postgres."""
    listener: psycopg.Connection[tuple[object, ...]] | None = None
    whole_turn_at = retention_at = 0.0
    tidied_at = monotonic()
    while not stop.is_set():
        try:
            close_old_connections()
            # Listening first: what is inserted after the turn looked wakes the wait below.
            listener = listener or _listen()
            # Steps that end come in by the hundred a second; what is expired can wait for the interval.
            if monotonic() >= tidied_at + TIDY_S:
                tidied_at = monotonic()
                _tidy_uploads()
            if monotonic() >= whole_turn_at:
                turn()
                if monotonic() >= retention_at and retention.sweep(EXPIRED_AT_ONCE) < EXPIRED_AT_ONCE:
                    retention_at = monotonic() + RETENTION_S
                whole_turn_at = monotonic() + POLL_S
            else:
                send(outbox.claim())
            stop.wait(GATHER_S)
            _wait(listener, max(whole_turn_at - monotonic(), 0.0))
        except (DatabaseError, InterfaceError, psycopg.Error) as error:
            log.warning("database.away", error=str(error))
            if listener is not None:
                listener.close()
                listener = None
            connections["default"].close()
            stop.wait(POLL_S)
    if listener is not None:
        listener.close()


def _tidy_uploads() -> None:
    """As a task: handing a file over takes as long as reading it, and steps are waiting."""
    try:
        app.send_task(TIDY_TASK_NAME, queue="default", retry=False)
    except _BROKER_ERRORS as error:
        log.warning("broker.away", unsent=1, error=str(error))


def _listen() -> psycopg.Connection[tuple[object, ...]]:
    """A session of its own: notices arrive while the other one is inside a transaction or closed."""
    options = connections["default"].get_connection_params()
    names = ("host", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey")
    listener = psycopg.connect(**{name: options[name] for name in names if name in options}, autocommit=True)
    listener.execute(f"LISTEN {STEPS_CHANNEL}")
    return listener


def _wait(listener: psycopg.Connection[tuple[object, ...]], longest_s: float) -> None:
    """Returns after the notices that came together, or after that time."""
    for _ in listener.notifies(timeout=longest_s, stop_after=1):
        pass
