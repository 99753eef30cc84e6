"""`kb up`: everything on this machine, until Ctrl-C."""

import argparse
import socket
import sys
import threading
import time

from django.conf import settings
from django.db import DatabaseError, connection

from kb.exceptions import KbError
from kb.models import OPEN_RUN_STATES, IngestRun, IngestStep, StepState
from kb.postgres import EmbeddedPostgres
from kb.startup import migrate
from kb.supervisor import AlreadyRunningError, Supervisor, parts, running

# A slow machine imports everything and loads the page's encoder in less.
WEB_DEADLINE_S = 60
_UNFINISHED = (StepState.READY, StepState.SENT, StepState.RUNNING)


class NotEmbeddedError(KbError):
    """`kb up` is for the embedded mode; in production each part is run by the platform."""


def run(arguments: argparse.Namespace) -> int:
    if not settings.KB_EMBEDDED:
        raise NotEmbeddedError
    port = None if arguments.no_web else arguments.port
    if (other := running(settings.KB_HOME)) is not None:
        raise AlreadyRunningError(
            f"The knowledge base runs already (process {other.get('pid')}): see `kb status`."
        )
    if port is not None:
        _require_free(port)

    def prepare() -> None:
        migrate()
        connection.close()
        if port is not None:
            # A thread that only announces: the supervisor goes on watching meanwhile.
            threading.Thread(target=_announce, args=(port,), daemon=True).start()

    supervisor = Supervisor(settings.KB_HOME, parts(workers=arguments.workers, port=port), _tell)
    supervisor.run(
        EmbeddedPostgres(settings.KB_HOME),
        facts={"port": port, "workers": arguments.workers},
        prepare=prepare,
        is_over=Idleness().reached if arguments.until_idle else lambda: False,
    )
    return 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Idleness:
    """Whether no run waits for anything. One that is not sealed is still being filled by somebody."""

    def __init__(self) -> None:
        self._asked_at = time.monotonic()

    def reached(self) -> bool:
        if (
            time.monotonic() - self._asked_at < 1
        ):  # Seconds between two looks: the supervisor asks all the time.
            return False
        self._asked_at = time.monotonic()
        try:
            return not (
                IngestRun.objects.filter(state__in=OPEN_RUN_STATES).exists()
                or IngestStep.objects.filter(state__in=_UNFINISHED).exists()
            )
        except DatabaseError:
            connection.close()  # Postgres died; the supervisor, which asks us, starts it again.
            return False


class PortTakenError(KbError):
    """Another program uses the port."""


def _require_free(port: int) -> None:
    try:
        # create_server sets SO_REUSEADDR, as gunicorn does: only a listening program is in the way.
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise PortTakenError(f"Port {port} is in use or not allowed. Choose another with --port.") from error


def _announce(port: int) -> None:
    deadline = threading.Event()
    for _ in range(WEB_DEADLINE_S * 5):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            deadline.wait(0.2)
        else:
            print(f"The knowledge base is at http://127.0.0.1:{port}/ - Ctrl-C ends it.", flush=True)
            return
