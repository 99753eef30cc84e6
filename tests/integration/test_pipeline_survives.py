"""Is everything indexed exactly once, though workers are killed in the middle of steps and the broker is deleted?"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from django.db import connection

from kb.models import (
    Asset,
    Collection,
    IngestItem,
    IngestRun,
    IngestStep,
    Outcome,
    Segment,
    StagedVector,
    StepState,
)
from kb.storage import FolderStorage
from retrieval.analysis import analyse
from retrieval.spaces import text_encoder
from tests.integration.ingest import assert_parts_agree, assert_statistics_are_right, rows, upload
from workers.segments import own_words

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = 40
DEADLINE_S = 120

pytestmark = pytest.mark.django_db(transaction=True)


class Site:
    """Real worker and relay processes on the test's database, a folder broker and a folder of objects."""

    def __init__(self, folder: Path) -> None:
        self.broker = folder / "broker"
        self.log = folder / "processes.log"
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.process_settings",
            "KB_TEST_PROCESS": json.dumps(
                {
                    "database": connection.settings_dict["NAME"],
                    "objects": str(folder / "objects"),
                    "messages": str(self.broker / "messages"),
                    "control": str(self.broker / "control"),
                }
            ),
        }
        self.workers: list[subprocess.Popen[bytes]] = []
        self.relays: list[subprocess.Popen[bytes]] = []

    def start_workers(self, count: int = 2) -> None:
        for _ in range(count):
            # Solo: the process that is killed is the one that does the work.
            self.workers.append(
                self._start(
                    *("-m", "celery", "-A", "workers.celery", "worker", "--pool", "solo"),
                    *("-Q", "extract,embed,default", "--without-gossip", "--without-mingle"),
                    *("-n", f"worker{len(self.workers)}-{time.time_ns()}@test"),
                )
            )

    def start_relay(self) -> None:
        self.relays.append(self._start("manage.py", "relay"))

    def kill(self, processes: list[subprocess.Popen[bytes]]) -> None:
        for process in processes:
            process.send_signal(signal.SIGKILL)
        for process in processes:
            process.wait(timeout=30)
        processes.clear()

    def kill_workers_in_the_middle_of_steps(self) -> int:
        """Stops all workers, looks whether steps are theirs, and kills them if so. How many steps were lost."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            if not IngestStep.objects.filter(state=StepState.RUNNING).exists():
                continue
            for worker in self.workers:
                worker.send_signal(signal.SIGSTOP)
            # A transaction that was committed as the signal came is over; what runs now can end no more.
            running = IngestStep.objects.filter(state=StepState.RUNNING).count()
            if running:
                self.kill(self.workers)
                return running
            for worker in self.workers:
                worker.send_signal(signal.SIGCONT)
        raise AssertionError(f"no step was seen running\n{self.log.read_text()}")

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )


@pytest.fixture
def site(tmp_path: Path, storage: FolderStorage) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.kill(site.workers + site.relays)


def wait_until(happened: Callable[[], bool], site: Site) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not happened():
        if time.monotonic() > deadline:
            steps = list(
                IngestStep.objects.exclude(state=StepState.DONE).values_list("name", "state", "attempts")
            )
            raise AssertionError(f"not in time; open steps: {steps}\n{site.log.read_text()[-4000:]}")
        time.sleep(0.01)


def content(number: int) -> str:
    """Distinct words in each file, and two passages in some."""
    paragraphs = [f"Machine m{number} pumps water into basin b{number}." for _ in range(1 + number % 3)]
    return "\n\n".join(
        f"{text} Paragraph {index}. {'Filler words. ' * 60}" for index, text in enumerate(paragraphs)
    )


def test_killed_workers_a_killed_relay_and_a_deleted_broker_lose_and_double_nothing(
    site: Site, collection: Collection
) -> None:
    # Exported once here, so that no worker spends its first lease on it.
    encoder = text_encoder()
    files = {f"{number:02}.txt": content(number) for number in range(FILES)}
    run = upload(collection, dict(files))
    site.start_relay()
    site.start_workers()

    lost = site.kill_workers_in_the_middle_of_steps()
    assert lost >= 1
    site.start_workers()
    wait_until(lambda: IngestItem.objects.filter(outcome=Outcome.INDEXED).count() >= FILES // 4, site)
    # Workers take messages out of the folder while it goes.
    shutil.rmtree(site.broker, ignore_errors=True)
    site.kill(site.relays)
    site.start_relay()
    site.kill_workers_in_the_middle_of_steps()
    shutil.rmtree(site.broker, ignore_errors=True)
    site.start_workers()
    wait_until(lambda: IngestRun.objects.get(pk=run.pk).state == "done", site)

    assert set(IngestItem.objects.values_list("outcome", flat=True)) == {Outcome.INDEXED}
    assert set(Asset.objects.values_list("source_uri", "version")) == {(path, 1) for path in files}
    assert not IngestStep.objects.exclude(state=StepState.DONE).exists()
    assert IngestStep.objects.filter(name="extract").count() == FILES
    _assert_segments_hold_each_files_words_once(files)
    _assert_vectors_are_the_encoders(encoder)
    assert not StagedVector.objects.exists()
    assert_statistics_are_right()
    assert_parts_agree()


def _assert_segments_hold_each_files_words_once(files: dict[str, str]) -> None:
    for path, text in files.items():
        segments = Segment.objects.filter(asset__source_uri=path).order_by("part", "ordinal")
        told = " ".join(" ".join(segment.text for segment in segments).split())
        assert told == " ".join(text.split())
        (term,) = analyse(f"b{int(path[:2])}")[:1]
        assert rows(
            "SELECT DISTINCT a.source_uri FROM kb_segmentwords w JOIN kb_segment s ON s.id = w.segment_id"
            " JOIN kb_asset a ON a.id = s.asset_id JOIN kb_lexeme l ON w.terms @> ARRAY[l.id] WHERE l.text = %s",
            term,
        ) == [(path,)]


def _assert_vectors_are_the_encoders(encoder: object) -> None:
    kept = rows("SELECT segment_id, embedding::text FROM kb_vector")
    segments = {segment.pk: segment for segment in Segment.objects.all()}
    assert sorted(int(str(segment_id)) for segment_id, _ in kept) == sorted(segments)
    for segment_id, text in kept:
        vector = np.array([float(x) for x in str(text).strip("[]").split(",")])
        expected = encoder.encode_texts([own_words(segments[segment_id])])[0]  # type: ignore[attr-defined, index]
        # Not equal: quantised arithmetic depends a little on what else is in the batch.
        assert float(vector @ expected) > 0.99
