"""Does the supervisor keep its parts running, and leave nothing behind however it ends?"""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from kb.embedded import Home
from kb.postgres import EmbeddedPostgres
from kb.supervisor import running

DEADLINE_S = 60

# A part that notes its process id and then waits, with a child of its own that does the same.
PART = """
import os, sys, time, subprocess
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
if len(sys.argv) == 2:
    subprocess.Popen([sys.executable, __file__, sys.argv[1], "child"]).wait()
time.sleep(600)
"""


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.02)  # Between two looks at the state, not instead of one.


class Supervised:
    """A supervisor in a process of its own, with Postgres and one part."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home = home
        self._pids_path = folder / "pids"
        script = folder / "part.py"
        script.write_text(PART)
        code = f"""
            import sys
            from pathlib import Path
            from kb.embedded import Home
            from kb.postgres import EmbeddedPostgres
            from kb.supervisor import AlreadyRunningError, Part, Supervisor
            home = Home(Path({str(home.root)!r}))
            part = Part("part", [sys.executable, {str(script)!r}, {str(self._pids_path)!r}])
            try:
                Supervisor(home, [part], lambda line: print(line, flush=True)).run(
                    EmbeddedPostgres(home, throwaway=True), facts={{"port": 1234}}
                )
            except AlreadyRunningError as error:
                sys.exit(str(error))
        """
        self._command = [sys.executable, "-c", textwrap.dedent(code)]
        self.process = self.start()

    def start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def pids(self) -> list[int]:
        """Of the part and its child, each time they were started."""
        return [int(line) for line in self._pids_path.read_text().split()] if self._pids_path.exists() else []

    def alive(self) -> list[int]:
        return [pid for pid in self.pids() if _is_alive(pid)]

    def wait_for_starts(self, count: int) -> None:
        _wait_until(lambda: len(self.pids()) == 2 * count)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=DEADLINE_S)
        for pid in self.alive():
            os.kill(pid, signal.SIGKILL)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def supervised(home: Home, tmp_path: Path) -> Iterator[Supervised]:
    made = Supervised(home, tmp_path)
    made.wait_for_starts(1)
    yield made
    made.end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_every_part_its_children_and_postgres(
    supervised: Supervised, number: signal.Signals
) -> None:
    assert EmbeddedPostgres(supervised.home).pid() is not None
    supervised.process.send_signal(number)
    supervised.process.communicate(timeout=DEADLINE_S)
    assert supervised.process.returncode == 0
    assert supervised.alive() == []
    assert EmbeddedPostgres(supervised.home).pid() is None
    assert running(supervised.home) is None


def test_a_kill_of_the_supervisor_leaves_no_part_and_no_postgres(supervised: Supervised) -> None:
    part = supervised.pids()[0]
    supervised.process.kill()
    _wait_until(lambda: not _is_alive(part))
    _wait_until(lambda: EmbeddedPostgres(supervised.home).pid() is None)
    assert running(supervised.home) is None


def test_a_part_that_dies_is_started_again_and_what_it_left_is_ended(supervised: Supervised) -> None:
    part, child = supervised.pids()
    os.kill(part, signal.SIGKILL)
    supervised.wait_for_starts(2)
    assert not _is_alive(child)
    assert len(supervised.alive()) == 2


def test_postgres_is_started_again_when_it_was_killed(supervised: Supervised) -> None:
    server = EmbeddedPostgres(supervised.home)
    pid = server.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _wait_until(lambda: server.pid() not in (None, pid) and server.answers())
    assert len(supervised.alive()) == 2


def test_postgres_that_does_not_come_up_is_tried_again_and_the_parts_go_on(supervised: Supervised) -> None:
    server = EmbeddedPostgres(supervised.home)
    pid = server.pid()
    assert pid is not None
    control = supervised.home.postgres / "global" / "pg_control"
    hidden = control.with_name("pg_control.hidden")
    control.rename(hidden)
    os.kill(pid, signal.SIGKILL)
    assert supervised.process.stdout is not None
    # The supervisor's own word that it failed, and that it stays.
    while not (line := supervised.process.stdout.readline()).startswith("Again in"):
        assert line
    hidden.rename(control)
    _wait_until(lambda: server.pid() not in (None, pid) and server.answers())
    assert len(supervised.alive()) == 2


def test_a_second_supervisor_of_the_home_is_refused_and_the_first_goes_on(supervised: Supervised) -> None:
    second = supervised.start()
    _, complaint = second.communicate(timeout=DEADLINE_S)
    assert second.returncode == 1
    assert f"process {supervised.process.pid}" in complaint
    assert len(supervised.alive()) == 2


def test_others_can_see_what_runs(supervised: Supervised, tmp_path: Path) -> None:
    assert running(supervised.home) == {"pid": supervised.process.pid, "port": 1234}
    assert running(Home(tmp_path / "another")) is None
