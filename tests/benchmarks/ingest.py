"""`make bench-ingest`: how fast do bytes become searchable, and how much memory does each process take for it?

Brings the demo library in several times over (COPIES=3), kind by kind, or the folder that FOLDER names, into a scratch
installation with one worker process a core (WORKERS=2); clocked from the first file's upload to the last file's
outcome. ONLY=text_pdfs,images_without_ocr measures these kinds alone. markitdown then extracts the text of the same
files on as many processes (MARKITDOWN=0: not); it is installed into an environment of its own, var/bench-markitdown.
Prints one JSON object as its last line; with STRICT=1 exits 1, naming the target that was missed.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
WORKERS = int(os.environ.get("WORKERS", os.cpu_count() or 1))
COPIES = int(os.environ.get("COPIES", "3"))
TEXT_PDFS = 100
MARKITDOWN = "markitdown[docx,pptx,xlsx,pdf,outlook]>=0.1,<0.2"
# DESIGN's targets.
TEXT_PDFS_PER_S, IMAGES_PER_S_WITHOUT_OCR = 20.0, 15.0
# Of one group of files; far beyond what any takes.
DEADLINE_S = 3600


class Memory(threading.Thread):
    """The largest resident size of each kind of process below this one."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self._root = root
        self._over = threading.Event()
        self.peak_bytes: dict[str, int] = {}
        self.start()

    def run(self) -> None:
        while not self._over.wait(0.2):
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in psutil.Process(self._root).children(recursive=True):
                    self._note(process)

    def stop(self) -> dict[str, int]:
        self._over.set()
        self.join()
        return {role: round(size / 1e6) for role, size in sorted(self.peak_bytes.items())}

    def _note(self, process: psutil.Process) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            words = " ".join(process.cmdline())
            role = next((role for sign, role in _ROLES if sign in words), "")
            if role:
                self.peak_bytes[role] = max(self.peak_bytes.get(role, 0), process.memory_info().rss)


_ROLES = (
    ("workers.extract", "parser"),
    ("celery", "worker"),
    ("relay", "relay"),
    ("postgres", "postgres"),
    ("workers.cli up", "supervisor"),
)


@contextlib.contextmanager
def services(**environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """`kb up` without the page, ended at the end."""
    from django.conf import settings

    from kb.supervisor import running

    command = [sys.executable, "-m", "workers.cli", "up", "--no-web", "--workers", str(WORKERS)]
    log = settings.KB_HOME.root / "up.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + 120
        while running(settings.KB_HOME) is None or not _answers():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield process
    finally:
        from django.db import connection

        connection.close()
        process.terminate()
        process.wait()


def _answers() -> bool:
    """Whether the database is there, with all its tables."""
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        connection.close()
        return False


def bring_in(collection: Any, files: list[Path], process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """The files in one run, clocked."""
    from django.db.models import Sum

    from kb import progress, uploads
    from kb.models import OPEN_RUN_STATES, Document, IngestItem, Outcome, Video

    memory = Memory(process.pid)
    started = time.perf_counter()
    run = uploads.start_run(collection, None)
    for number, path in enumerate(files):
        with path.open("rb") as stream:
            uploads.receive(run, f"{run.pk}/{number}/{path.name}", stream)
    uploads.seal(run)
    deadline = time.monotonic() + DEADLINE_S
    while run.state in OPEN_RUN_STATES and time.monotonic() < deadline:
        time.sleep(0.05)
        run.refresh_from_db()
    seconds = time.perf_counter() - started
    items = IngestItem.objects.filter(run=run)
    outcomes = Counter(items.values_list("outcome", flat=True))
    searchable = items.filter(outcome__in=(Outcome.INDEXED, Outcome.PARTIAL))
    assets = searchable.values("asset_version__asset")
    paged = Document.objects.filter(pk__in=assets).aggregate(pages=Sum("page_count"))["pages"] or 0
    unpaged = Document.objects.filter(pk__in=assets, page_count=None).count()
    images = searchable.filter(asset_version__media_type__startswith="image/").count()
    video_ms = Video.objects.filter(pk__in=assets).aggregate(ms=Sum("duration_ms"))["ms"] or 0
    figures: dict[str, Any] = {
        "files": len(files),
        "outcomes": dict(outcomes),
        "seconds": round(seconds, 2),
        "files_per_s": round(searchable.count() / seconds, 2),
        "peak_mb": memory.stop(),
        "stages_median_ms": {f"{s.step}.{s.stage}": s.median_ms for s in progress.stages_of_run(run)},
    }
    # A document without pages is one: what is counted is how much there is to read.
    for name, amount in (
        ("pages_per_s", paged + unpaged),
        ("images_per_s", images),
        ("video_s_per_s", video_ms / 1000),
    ):
        if amount:
            figures[name] = round(amount / seconds, 2)
    return figures


def markitdown(files: list[Path]) -> dict[str, Any]:
    """The same files' text by markitdown."""
    home = ROOT / "var" / "bench-markitdown"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", MARKITDOWN], check=True)
        (home / "ready").touch()
    result = subprocess.run(
        [python, ROOT / "tests" / "benchmarks" / "markitdown_side.py", str(WORKERS)],
        input="\0".join(map(str, files)),
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    figures: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    figures["files_per_s"] = round(figures["read"] / figures["seconds"], 2)
    return figures


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="kb-bench-") as work:
        os.environ["KB_HOME"] = str(Path(work, "home"))
        os.environ["DJANGO_SETTINGS_MODULE"] = "kb.settings.embedded"
        import django

        django.setup()
        figures = measure(Path(work))
    missed = _missed(figures)
    print(json.dumps(figures | {"missed": missed}))
    for name in missed:
        print(f"Missed: {name}", file=sys.stderr)
    return 1 if missed and os.environ.get("STRICT") == "1" else 0


def measure(work: Path) -> dict[str, Any]:
    from django.conf import settings
    from django.core.management import call_command

    from kb.models import Collection
    from tests.benchmarks import ingest_input as given

    settings.KB_HOME.root.mkdir(parents=True, exist_ok=True)
    call_command("prepare_models", stdout=sys.stderr)
    if folder := os.environ.get("FOLDER"):
        groups = {"folder": given.folder(Path(folder), work / "files")}
    else:
        groups = {"text_pdfs": given.text_pdfs(work / "files" / "text", TEXT_PDFS)}
        groups |= given.library(work / "files", COPIES)
        if only := os.environ.get("ONLY"):
            groups = {name: files for name, files in groups.items() if name in only.split(",")}
    figures: dict[str, Any] = {"workers": WORKERS, "load_before": round(os.getloadavg()[0], 1)}
    with services() as process:
        collection = Collection.objects.create(name="Bench", slug="bench")
        # Each process loads its models and parsers at its first file, which is no part of the rate.
        bring_in(collection, warming(work / "warm"), process)
        for name, files in groups.items():
            figures[name] = bring_in(collection, files, process)
            print(f"{name}: {json.dumps(figures[name])}", file=sys.stderr, flush=True)
    if "images" in groups or "images_without_ocr" in os.environ.get("ONLY", ""):
        with services(KB_OCR_THREADS="0") as process:
            plain = given.library(work / "plain", COPIES)["images"]
            for path in plain:
                path.write_bytes(given.varied(path.read_bytes(), path.suffix, "without reading"))
            bring_in(collection, warming(work / "warm again"), process)
            figures["images_without_ocr"] = bring_in(collection, plain, process)
    if os.environ.get("MARKITDOWN") != "0":
        # Of pictures it has nothing to say without a model that describes them.
        figures["markitdown"] = {
            name: markitdown(files) for name, files in groups.items() if name not in ("images", "videos")
        }
    figures["load_after"] = round(os.getloadavg()[0], 1)
    return figures


def warming(folder: Path) -> list[Path]:
    """Files of each kind, several for each process, that no other group has."""
    from tests.benchmarks import ingest_input as given

    files = given.text_pdfs(folder, 4 * WORKERS)
    groups = given.library(folder / "library", 1)
    files += groups["images"][: 2 * WORKERS] + groups["documents"][: 4 * WORKERS]
    for path in files:
        path.write_bytes(given.varied(path.read_bytes(), path.suffix, folder.name))
    return files


def _missed(figures: dict[str, Any]) -> list[str]:
    found = (
        ("text_pdfs", "files_per_s", TEXT_PDFS_PER_S),
        ("images_without_ocr", "images_per_s", IMAGES_PER_S_WITHOUT_OCR),
    )
    return [
        f"{group}: {figures[group].get(name, 0)} instead of {target} {name}"
        for group, name, target in found
        if group in figures and figures[group].get(name, 0) < target
    ]


if __name__ == "__main__":
    sys.exit(main())
