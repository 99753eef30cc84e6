"""Did every process stay alive, and within its memory, while a command waited for its files? `kb ingest --check`."""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil
from django.db.models import Q

from kb.exceptions import FailureCode
from kb.models import IngestItem, IngestRun, IngestStep
from kb.runs import LIVE_STATES
from workers.extract import limits

# Between two looks. A process that comes and goes in between is a parser, which is short-lived by design, and whose
# limits the kernel holds it to.
LOOK_S = 0.5
_MIB = 1024**2
# Resident memory by what the command line says, the first that fits. Of parsers and converters the cap that is set on
# them; a worker holds an encoder, the words of one file and eight pictures: `make bench-ingest` saw 0.5 GB.
_CAPS_BYTES = (
    ("parser", "workers.extract", limits.ARCHIVE.memory_bytes),
    ("converter", "soffice", limits.CONVERSION.memory_bytes),
    ("worker", "celery", 1024 * _MIB),
    ("relay", "relay", 1024 * _MIB),
)
# A step that failed of these says nothing about its file.
_OUR_FAULTS = (FailureCode.WORKER_LOST, FailureCode.INTERNAL, FailureCode.STORAGE_UNAVAILABLE)


@dataclass
class Watch:
    """Looks at the processes below a supervisor, from a thread, until `stop`."""

    # The supervisor's process, once there is one.
    supervisor: Callable[[], int | None]
    # Largest resident size by kind of process.
    peak_bytes: dict[str, int] = field(default_factory=dict)
    died: list[str] = field(default_factory=list)
    _alive: dict[int, str] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Call before the processes are ended on purpose."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> None:
        """One look: who is there, how large, and who of the lasting ones is gone since the one before."""
        pid = self.supervisor()
        present: dict[int, str] = {}
        if pid is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                top = psutil.Process(pid)
                for part in top.children():
                    # Parts last, and so do the processes of a worker; what these start comes and goes.
                    self._note(part, present)
                    for child in part.children():
                        self._note(child, present)
                        for job in child.children(recursive=True):
                            self._note(job, {})
        gone = [name for known, name in self._alive.items() if known not in present]
        self.died += gone
        self._alive = present

    def beyond_caps(self) -> list[str]:
        return [
            f"a {kind} took {self.peak_bytes[kind] / _MIB:,.0f} MB of memory, more than {cap / _MIB:,.0f}"
            for kind, _, cap in _CAPS_BYTES
            if self.peak_bytes.get(kind, 0) > cap
        ]

    def _run(self) -> None:
        while not self._over.wait(LOOK_S):
            self.look()

    def _note(self, process: psutil.Process, present: dict[int, str]) -> None:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            command = " ".join(process.cmdline())
            found = next((kind for kind, sign, _ in _CAPS_BYTES if sign in command), "")
            if found:
                self.peak_bytes[found] = max(self.peak_bytes.get(found, 0), process.memory_info().rss)
            if found in ("worker", "relay"):
                present[process.pid] = f"{found} {process.pid}"


def faults_of_run(run: IngestRun) -> list[str]:
    """What went wrong with the run by no fault of its files: steps that are left, were lost, or broke."""
    steps = IngestStep.objects.filter(asset_version__items__run=run).distinct()
    found = []
    if left := steps.filter(state__in=LIVE_STATES).count():
        found.append(f"{left} steps have not ended")
    if without := IngestItem.objects.filter(run=run, outcome="pending").count():
        found.append(f"{without} files have no outcome")
    # A step whose file is at fault is dead at its first attempt, and one that went well has none.
    again = steps.filter(Q(attempts__gt=1) | Q(attempts=1, state="done"))
    if repeated := again.count():
        names = ", ".join(f"{step.name} of {step.asset_version.asset.source_uri}" for step in again[:5])
        found.append(f"{repeated} steps were begun again: {names}")
    for item in IngestItem.objects.filter(run=run, error_code__in=_OUR_FAULTS):
        found.append(f"{item.path}: {item.error_code}")
    return found
