"""Who keeps the parts of an embedded installation running, and ends them all together?

Postgres, the relay, the Celery worker and the web server are children of one process. One that dies is started again,
later each time it dies at once; when the supervisor ends, by a signal or even by kill -9, all of them end.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from kb.children import die_with_parent
from kb.embedded import Home
from kb.exceptions import KbError
from kb.postgres import LOG_CAP_BYTES, EmbeddedPostgres, PostgresError

# Between two looks at the children.
POLL_S = 0.1
# A part that dies is started again after half a second, then twice that, up to half a minute. One that ran for a while
# did not die of how it starts, which is what waiting is for: it starts over.
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
SETTLED_S = 10.0
# A worker finishes its step when asked to end; a longer step is cut off, and its lease brings it back.
STOP_PATIENCE_S = 15.0

# One intra-op thread for each request thread and worker process: more threads than cores make all of them slow.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
)
# Tells our own commands that Postgres is somebody else's care.
SUPERVISED = "KB_SUPERVISED"


class AlreadyRunningError(KbError):
    """The parts run already, under another supervisor."""


@dataclass
class Part:
    """One child process that is kept running."""

    name: str
    command: Sequence[str]
    # What it gets when the supervisor is killed: the quickest way in which it ends its own children too.
    death_signal: signal.Signals = signal.SIGTERM
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    not_before: float = 0.0
    backoff_s: float = field(default=FIRST_BACKOFF_S)


def parts(*, workers: int, port: int | None) -> list[Part]:
    """Relay, worker with that many processes, and the web server unless `port` is None."""
    celery = [
        *("-m", "celery", "--app", "workers.celery", "worker", "--loglevel", "WARNING", "--queues"),
        "extract,embed,default",
        *("--concurrency", str(workers), "-O", "fair"),
        # The one worker there is has nobody to talk to.
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]
    found = [
        Part("relay", [sys.executable, str(_manage_py()), "relay"]),
        # SIGQUIT: a cold shutdown, which does not wait for running steps.
        Part("worker", [sys.executable, *celery], signal.SIGQUIT),
    ]
    if port is not None:
        gunicorn = [
            *("-m", "gunicorn", "kb.wsgi:application", "--bind", f"127.0.0.1:{port}"),
            # Encoders are loaded when a process starts, not by the first who searches.
            *("--config", "python:kb.serving"),
            # Two processes of eight threads: one loads its encoder or waits for a lock while the other answers.
            *("--worker-class", "gthread", "--workers", "2", "--threads", "8"),
            "--no-control-socket",
            # Who watches a run holds a thread for minutes; nobody else's request takes this long. Shorter than
            # STOP_PATIENCE_S, after which the server would be killed.
            *("--graceful-timeout", "8"),
        ]
        found.append(Part("web", [sys.executable, *gunicorn]))
    return found


class Supervisor:
    """Runs parts until told to stop. Lives in the main thread of its process: it takes the signals."""

    def __init__(self, home: Home, wanted: Sequence[Part], tell: Callable[[str], None]) -> None:
        self._home = home
        self._parts = wanted
        self._tell = tell
        self._stopping = False
        self._postgres_not_before = 0.0
        self._postgres_backoff_s = FIRST_BACKOFF_S

    def run(
        self,
        postgres: EmbeddedPostgres,
        *,
        facts: dict[str, Any],
        prepare: Callable[[], None] = lambda: None,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        """Returns after SIGTERM, SIGINT, or when `is_over` says so. Raises AlreadyRunningError.

        `prepare` runs once, when Postgres is there and before the parts start; `facts` are for `running()`.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        with _sole_supervisor(self._home, facts), postgres:
            prepare()
            try:
                while not self._stopping and not is_over():
                    self._keep_running(postgres)
                    time.sleep(POLL_S)
            finally:
                self._end_all()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _keep_running(self, postgres: EmbeddedPostgres) -> None:
        now = time.monotonic()
        if postgres.pid() is None and now >= self._postgres_not_before:
            self._restart(postgres)
            now = time.monotonic()
        for part in self._parts:
            if part.process is not None and (status := part.process.poll()) is not None:
                self._note_end(part, status, now)
            if part.process is None and now >= part.not_before:
                self._start(part, now)

    def _restart(self, postgres: EmbeddedPostgres) -> None:
        """One that does not come up, because it was killed again or the disk is full, is tried again later."""
        self._tell("PostgreSQL ended; it is started again.")
        try:
            postgres.start()
        except PostgresError as error:
            self._tell(f"{error}\nAgain in {self._postgres_backoff_s:g} s.")
            self._postgres_not_before = time.monotonic() + self._postgres_backoff_s
            self._postgres_backoff_s = min(self._postgres_backoff_s * 2, LONGEST_BACKOFF_S)
        else:
            self._postgres_backoff_s = FIRST_BACKOFF_S

    def _note_end(self, part: Part, status: int, now: float) -> None:
        if now - part.started_at > SETTLED_S:
            part.backoff_s = FIRST_BACKOFF_S
        _signal_group(part, signal.SIGKILL)  # What its own children still do, nobody waits for any more.
        part.process = None
        part.not_before = now + part.backoff_s
        how = f"signal {-status}" if status < 0 else f"status {status}"
        self._tell(
            f"The {part.name} ended ({how}); again in {part.backoff_s:g} s. See {self._log_path(part)}."
        )
        part.backoff_s = min(part.backoff_s * 2, LONGEST_BACKOFF_S)

    def _start(self, part: Part, now: float) -> None:
        path = self._log_path(part)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LOG_CAP_BYTES:
            path.unlink()
        with path.open("ab") as log:
            part.process = subprocess.Popen(
                part.command,
                cwd=_manage_py().parent,
                env=environment(self._home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A group of its own: Ctrl-C is for the supervisor, which ends the parts in order.
                start_new_session=True,
                preexec_fn=die_with_parent(part.death_signal),
            )
        part.started_at = now

    def _end_all(self) -> None:
        """Asks all at once, waits for them together, and kills whoever is left, with its children."""
        for part in self._parts:
            _signal_process(part, signal.SIGTERM)
        deadline = time.monotonic() + STOP_PATIENCE_S
        for part in self._parts:
            if part.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    part.process.wait(timeout=max(0.0, deadline - time.monotonic()))
                _signal_group(part, signal.SIGKILL)
                part.process.wait()
                part.process = None

    def _log_path(self, part: Part) -> Path:
        return self._home.logs / f"{part.name}.log"


def environment(home: Home) -> dict[str, str]:
    """Of the children: this home, whatever folder they run in, and a thread each."""
    return (
        ONE_THREAD
        | os.environ
        | {
            "KB_HOME": str(home.root.resolve()),
            "PYTHONUNBUFFERED": "1",
            SUPERVISED: "1",
        }
    )


def running(home: Home) -> dict[str, Any] | None:
    """What the supervisor of this home said of itself, or None when there is none."""
    try:
        with _lock_path(home).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                facts: dict[str, Any] = json.loads(file.read() or b"{}")
                return facts
    except FileNotFoundError:
        pass
    return None


@contextlib.contextmanager
def _sole_supervisor(home: Home, facts: dict[str, Any]) -> Iterator[IO[bytes]]:
    home.root.mkdir(parents=True, exist_ok=True)
    with _lock_path(home).open("a+b") as file:
        deadline = time.monotonic() + 1  # `running` holds the lock for an instant.
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    other = running(home) or {}
                    raise AlreadyRunningError(
                        f"The knowledge base in {home.root} runs already (process {other.get('pid', 'unknown')})."
                    ) from None
                time.sleep(0.02)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), **facts}).encode())
        file.flush()
        yield file


def _lock_path(home: Home) -> Path:
    return home.root / "supervisor.lock"


def _manage_py() -> Path:
    return Path(__file__).resolve().parent.parent / "manage.py"


def _signal_process(part: Part, number: signal.Signals) -> None:
    if part.process is not None and part.process.poll() is None:
        part.process.send_signal(number)


def _signal_group(part: Part, number: signal.Signals) -> None:
    if part.process is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(part.process.pid, number)
