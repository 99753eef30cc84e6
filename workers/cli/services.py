"""Who works off the steps while a command waits? A supervisor that runs already, or one of the command's own."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator

from django.conf import settings

from kb.children import die_with_parent
from kb.supervisor import environment, running


class Services:
    """Relay and worker, for as long as a command needs them."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._child: subprocess.Popen[bytes] | None = None

    def ensure(self) -> None:
        """Starts them unless they run. Call again while waiting: whoever ran them may have ended."""
        if not settings.KB_EMBEDDED or running(settings.KB_HOME) is not None:
            return
        if self._child is None or self._child.poll() is not None:
            self._child = subprocess.Popen(
                self._command(), env=_own_environment(), preexec_fn=die_with_parent(signal.SIGTERM)
            )

    def leave_running(self) -> None:
        """Starts them, where nothing runs, so that they outlive this command and end when the work is done."""
        if not settings.KB_EMBEDDED or running(settings.KB_HOME) is not None:
            return
        settings.KB_HOME.logs.mkdir(parents=True, exist_ok=True)
        with (settings.KB_HOME.logs / "detached.log").open("ab") as log:
            subprocess.Popen(
                [*self._command(), "--until-idle"],
                env=_own_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            ).returncode = 0  # Nobody will wait for it: silences the complaint of subprocess about that.

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
    from kb.supervisor import SUPERVISED

    return {name: value for name, value in environment(settings.KB_HOME).items() if name != SUPERVISED}
