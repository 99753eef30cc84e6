"""Who works off the steps while a command waits? A supervisor that runs already, or one of the command's own."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

from django.conf import settings

from kb.children import die_with_parent
from kb.exceptions import KbError
from kb.supervisor import SUPERVISED, environment, running

# It imports everything; that took ten seconds on a machine busy with other things.
START_DEADLINE_S = 60
POLL_S = 0.1


class NotStartedError(KbError):
    """The relay and the worker could not be started."""


# A supervisor that ends by itself this often will not work the next time either.
STARTS = 3


class ServicesError(KbError):
    """Relay and worker do not stay up: run `kb up` to see why."""


class Services:
    """Relay and worker, for as long as a command needs them."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._starts = 0
        self._child: subprocess.Popen[bytes] | None = None

    def ensure(self) -> None:
        """Starts them unless they run. Call again while waiting: whoever ran them may have ended.

        Raises ServicesError when they end again and again.
        """
        if not settings.KB_EMBEDDED or running(settings.KB_HOME) is not None:
            return
        if self._child is None or self._child.poll() is not None:
            if self._starts >= STARTS:
                raise ServicesError
            self._starts += 1
            self._child = subprocess.Popen(
                self._command(), env=_own_environment(), preexec_fn=die_with_parent(signal.SIGTERM)
            )

    def supervisor(self) -> int | None:
        """The process that keeps relay and worker running; None while there is none."""
        facts = running(settings.KB_HOME) if settings.KB_EMBEDDED else None
        return int(facts["pid"]) if facts and "pid" in facts else None

    def leave_running(self) -> None:
        """Starts them, where nothing runs, so that they outlive this command and end when the work is done."""
        home = settings.KB_HOME
        if not settings.KB_EMBEDDED or running(home) is not None:
            return
        home.logs.mkdir(parents=True, exist_ok=True)
        path = home.logs / "detached.log"
        with path.open("ab") as log:
            child = subprocess.Popen(
                [*self._command(), "--until-idle"],
                env=_own_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_DEADLINE_S
        while running(home) is None:
            if child.poll() is not None or time.monotonic() > deadline:
                raise NotStartedError(
                    f"The files are in, but nothing works on them: see {path}, then run `kb up`."
                )
            time.sleep(POLL_S)
        child.returncode = 0  # Nobody will wait for it: silences the complaint of subprocess about that.

    def stop(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            self._child.wait()

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "workers.cli", "up", "--no-web", "--workers", str(self._workers)]


@contextlib.contextmanager
def services(workers: int) -> Iterator[Services]:
    found = Services(workers)
    try:
        yield found
    finally:
        found.stop()


def _own_environment() -> dict[str, str]:
    """A supervisor is not supervised itself."""
    return {name: value for name, value in environment(settings.KB_HOME).items() if name != SUPERVISED}
