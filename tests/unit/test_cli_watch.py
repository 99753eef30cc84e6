"""Does a check notice that a worker died, and one that grew too large?"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from workers.cli import watch
from workers.cli.watch import Watch

# A "supervisor" with one part, which has one process of its own, as Celery's worker has; all wait to be killed.
_TREE = """
import subprocess, sys
depth = int(sys.argv[1])
child = depth and subprocess.Popen([sys.executable, __file__, str(depth - 1), "celery"], stdout=subprocess.PIPE)
if child:
    child.stdout.readline()
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def tree(tmp_path: Path) -> "Iterator[psutil.Process]":
    script = tmp_path / "tree.py"
    script.write_text(_TREE)
    top = subprocess.Popen([sys.executable, script, "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert top.stdout is not None
    assert top.stdin is not None
    top.stdout.readline()
    processes = psutil.Process(top.pid).children(recursive=True)
    yield psutil.Process(top.pid)
    for process in processes:
        if process.is_running():
            process.kill()
    top.stdin.close()
    top.stdout.close()
    top.wait()


def test_processes_that_live_are_measured_and_nothing_is_said(tree: psutil.Process) -> None:
    seen = Watch(lambda: tree.pid)
    seen.look()
    seen.look()
    assert seen.died == []
    assert seen.peak_bytes["worker"] > 1024**2
    assert seen.beyond_caps() == []


def test_a_worker_process_that_is_killed_is_named(tree: psutil.Process) -> None:
    seen = Watch(lambda: tree.pid)
    seen.look()
    (part,) = tree.children()
    (process,) = part.children()
    process.kill()
    psutil.wait_procs([process], timeout=10)
    seen.look()
    assert seen.died == [f"worker {process.pid}"]


def test_processes_that_are_gone_with_their_supervisor_are_named(tree: psutil.Process) -> None:
    there = True
    seen = Watch(lambda: tree.pid if there else None)
    seen.look()
    there = False
    seen.look()
    assert len(seen.died) == 2


def test_a_process_above_its_cap_is_named(tree: psutil.Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_CAPS_BYTES", (("worker", "celery", 1024**2),))
    seen = Watch(lambda: tree.pid)
    seen.look()
    assert [said.startswith("a worker took ") for said in seen.beyond_caps()] == [True]
