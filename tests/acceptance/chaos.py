"""Is every file indexed exactly once, though processes are killed at random all the while?

Starts the real thing in a folder of its own (the supervisor with Postgres, the relay, a worker of two processes, the
web server, and Redis as the broker where redis-server is installed), uploads generated files through HTTP, kills -9
processes at random, throws the broker's messages away once, and compares what is in the library then with what was
uploaded. Prints one JSON object as its last line; exits 1 unless nothing is lost, doubled or stuck.

    python -m tests.acceptance.chaos --files 2000 --kills 40
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import redis
import urllib3

from tests.acceptance.chaos_input import File, make

ROOT = Path(__file__).resolve().parent.parent.parent
WORKERS = 2
BATCH_FILES = 20
# Between two kills: long enough that some work is done in between, short enough that processes die while they start.
PAUSE_S = (0.5, 4.0)
# A killed Postgres replays its log and a worker imports everything again; on a busy machine that takes its time.
UP_AGAIN_S = 90
# After the last kill, for each file and for the leases and rests that are still to run out.
SETTLE_S = 120
SETTLE_S_A_FILE = 1.0
KINDS = ("worker", "worker child", "relay", "web", "web child", "postgres", "postgres backend", "redis")


@dataclass
class Tally:
    kills: Counter[str] = field(default_factory=Counter)
    flushes: int = 0
    requests: int = 0
    failed_requests: int = 0


class Site:
    """The supervisor in a process of its own, and who is who among its descendants."""

    def __init__(self, home: Path, *, with_redis: bool) -> None:
        self.home = home
        self.port = _free_port()
        self.redis_port = _free_port() if with_redis else 0
        self.log = home / "site.log"
        os.environ["KB_HOME"] = str(home)
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.acceptance.chaos_settings"
        if with_redis:
            os.environ["KB_CHAOS_BROKER"] = f"redis://127.0.0.1:{self.redis_port}/0"
        numbers = (str(self.port), str(WORKERS), str(self.redis_port))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.acceptance.chaos_site", *numbers],
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )

    @property
    def kinds(self) -> list[str]:
        return [kind for kind in KINDS if kind != "redis" or self.redis_port]

    def wait_until_ready(self) -> None:
        http = urllib3.PoolManager(retries=False, timeout=5)
        deadline = time.monotonic() + UP_AGAIN_S
        while True:
            try:
                if http.request("GET", f"{self.address}/readyz").status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"The site does not come up; its folder is {self.home}.")
            time.sleep(0.1)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self, kind: str, chance: random.Random) -> bool:
        """Kills one process of that kind as soon as there is one. False when none came in time."""
        deadline = time.monotonic() + UP_AGAIN_S
        while time.monotonic() < deadline:
            found = self._processes(kind)
            if found:
                try:
                    os.kill(chance.choice(found), signal.SIGKILL)
                except ProcessLookupError:
                    continue
                return True
            if self._process.poll() is not None:
                raise AssertionError(f"The supervisor ended; its folder is {self.home}.")
            time.sleep(0.05)
        return False

    def flush_broker(self) -> None:
        if not self.redis_port:
            shutil.rmtree(self.home / "broker", ignore_errors=True)
            return
        deadline = time.monotonic() + UP_AGAIN_S
        while True:
            try:
                redis.Redis(port=self.redis_port).flushall()
            except redis.exceptions.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(timeout=UP_AGAIN_S)

    def _processes(self, kind: str) -> list[int]:
        """Those of the kind that run. A part is a child of the supervisor; its own children are theirs."""
        wanted, _, is_child = kind.partition(" ")
        found = []
        for part in _children(self._process.pid):
            if _name_of(part) == wanted:
                if not is_child:
                    found.append(part.pid)
                else:
                    found += [child.pid for child in _children(part.pid) if _is_meant(kind, child)]
        return found


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


def _words(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def _name_of(part: psutil.Process) -> str:
    words = _words(part)
    if "redis-server" in words:
        return "redis"
    if "bin/postgres" in words:
        return "postgres"
    return next(
        (n for n, sign in (("worker", "celery"), ("web", "gunicorn"), ("relay", "relay")) if sign in words),
        "",
    )


def _is_meant(kind: str, child: psutil.Process) -> bool:
    words = _words(child)
    # Postgres has other children, which write and vacuum; and a worker's parsers may die of their files.
    return " kb " in words if kind == "postgres backend" else "workers.extract" not in words and bool(words)


class Uploader(threading.Thread):
    """Sends the files batch by batch, again and again until the site has taken each batch."""

    def __init__(self, site: Site, token: str, collection_id: int, files: list[File], tally: Tally) -> None:
        super().__init__(name="uploader", daemon=True)
        self._address = f"{site.address}/api/collections/{collection_id}/uploads/"
        self._http = urllib3.PoolManager(
            retries=False, timeout=60, headers={"Authorization": f"Bearer {token}"}
        )
        self._batches = [files[at : at + BATCH_FILES] for at in range(0, len(files), BATCH_FILES)]
        self._tally = tally
        self.sent = 0
        self.batches = len(self._batches)
        # How many batches may be in by now: with it the uploads last as long as the killing does.
        self.allowed = threading.Semaphore(1)
        self.error: str = ""

    def run(self) -> None:
        for batch in self._batches:
            self.allowed.acquire()
            if not self._send(batch):
                return
            self.sent += 1

    def _send(self, batch: list[File]) -> bool:
        left = batch
        while left:
            fields = [("files", (Path(file.path).name, file.content)) for file in left]
            fields += [("paths", file.path) for file in left]  # type: ignore[misc]
            self._tally.requests += 1
            try:
                answer = self._http.request("POST", self._address, fields=fields)
            except urllib3.exceptions.HTTPError:
                self._tally.failed_requests += 1
                time.sleep(0.3)
                continue
            if answer.status == 202:
                # As the sentence with this code says.
                again = {
                    item["path"]
                    for item in answer.json()["items"]
                    if item["error_code"] == "storage_unavailable"
                }
                left = [file for file in left if file.path in again]
            elif answer.status in (429, 500, 502, 503):
                self._tally.failed_requests += 1
                time.sleep(0.3)
            else:
                self.error = f"An upload was answered {answer.status}: {answer.data[:300]!r}"
                return False
        return True


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _kinds(site: Site, chance: random.Random) -> Iterator[str]:
    """Each kind once before any comes again."""
    while True:
        kinds = site.kinds
        chance.shuffle(kinds)
        yield from kinds


def wreak(site: Site, uploader: Uploader, kills: int, chance: random.Random, tally: Tally) -> None:
    """Kills until the number is reached, flushes the broker in the middle, and lets the uploads keep step."""
    kinds = _kinds(site, chance)
    allowed = 1
    for number in range(kills):
        kind = next(kinds)
        if not site.kill(kind, chance):
            raise AssertionError(f"No {kind} came back in {UP_AGAIN_S} s; the site's folder is {site.home}.")
        tally.kills[kind] += 1
        if number == kills // 2:
            site.flush_broker()
            tally.flushes += 1
        share = uploader.batches * (number + 1) // kills
        for _ in range(allowed, share):
            uploader.allowed.release()
        allowed = max(allowed, share)
        time.sleep(chance.uniform(*PAUSE_S))
    uploader.allowed.release(uploader.batches)  # However many are left.


def settle(files: int) -> tuple[int, int]:
    """Waits until nothing is left to do. How many steps and how many runs are stuck."""
    from django.db import DatabaseError, connection

    from kb.models import OPEN_RUN_STATES, IngestRun, IngestStep
    from kb.runs import LIVE_STATES

    deadline = time.monotonic() + SETTLE_S + SETTLE_S_A_FILE * files
    while True:
        try:
            steps = IngestStep.objects.filter(state__in=LIVE_STATES).count()
            runs = IngestRun.objects.filter(state__in=OPEN_RUN_STATES).count()
        except DatabaseError:
            connection.close()  # It may be coming up again after the last kill.
            steps = runs = -1
        if steps == runs == 0 or time.monotonic() > deadline:
            return steps, runs
        time.sleep(0.3)


@dataclass
class Comparison:
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    # What is there and should not be, or is not what was uploaded.
    wrong: list[str] = field(default_factory=list)


def compare(collection_id: int, files: list[File]) -> Comparison:
    """Each file with its rows, its vectors and its object."""
    from kb.models import Asset, AssetVersion, IngestItem, Outcome, Segment
    from kb.storage import storage

    result = Comparison()
    assets: dict[str, Any] = {a.source_uri: a for a in Asset.objects.filter(collection=collection_id)}
    segments: dict[int, list[Segment]] = {}
    for segment in Segment.objects.filter(collection=collection_id, audience__isnull=False):
        segments.setdefault(segment.asset_id, []).append(segment)
    vectors = _vectors()
    versions = Counter(AssetVersion.objects.values_list("asset", flat=True))
    for file in files:
        asset = assets.pop(file.path, None)
        if file.failure:
            if asset is not None and (asset.version or asset.pk in segments):
                result.wrong.append(f"{file.path}: broken, and searchable")
            codes = set(IngestItem.objects.filter(path=file.path).values_list("error_code", flat=True))
            if file.failure not in codes:
                result.lost.append(f"{file.path}: {sorted(codes)} instead of {file.failure}")
            continue
        if asset is None or asset.version == 0:
            states = IngestItem.objects.filter(path=file.path).values_list("outcome", "error_code")
            result.lost.append(f"{file.path}: not searchable; its items: {sorted(states)}")
            continue
        if asset.version != 1 or versions[asset.pk] != 1:
            result.doubled.append(
                f"{file.path}: {versions[asset.pk]} versions, of which {asset.version} is searchable"
            )
        own = segments.get(asset.pk, [])
        _compare_segments(file, own, vectors, result)
        key = asset.object_key
        with storage().open(key) as stream:
            if hashlib.sha256(stream.read()).hexdigest() != hashlib.sha256(file.content).hexdigest():
                result.wrong.append(f"{file.path}: its object has other bytes")
    result.wrong += [f"{path}: never uploaded" for path in assets]
    waiting = IngestItem.objects.filter(outcome__in=(Outcome.PENDING, Outcome.CANCELLED))
    result.lost += [f"{item.path}: {item.outcome}" for item in waiting]
    return result


def _vectors() -> Counter[tuple[str, int]]:
    """How many vectors each segment has, by modality of the active sets."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.modality, v.segment_id, count(*) FROM kb_vector v JOIN kb_vectorset s"
            " ON s.id = v.vector_set_id WHERE s.state = 'active' GROUP BY 1, 2"
        )
        return Counter({(modality, segment): count for modality, segment, count in cursor.fetchall()})


def _compare_segments(
    file: File, own: list[Any], vectors: Counter[tuple[str, int]], result: Comparison
) -> None:
    if file.is_picture:
        if len(own) != 1:
            (result.lost if not own else result.doubled).append(
                f"{file.path}: {len(own)} segments of a picture"
            )
        expected = "lookalike"
    else:
        found = sum(file.marker in segment.text for segment in own)
        if found != 1:
            (result.lost if not found else result.doubled).append(
                f"{file.path}: its word stands in {found} segments"
            )
        expected = "text"
    for segment in own:
        count = vectors[expected, segment.pk]
        if count != 1:
            (result.doubled if count else result.lost).append(
                f"{file.path}: {count} {expected} vectors of a segment"
            )


def check_library() -> tuple[list[str], int]:
    """What the checker finds, and how many objects the killed uploads and steps left behind, which it removes."""
    from kb.storage import storage
    from workers import checks, repairs

    objects = storage()
    orphans = sum(f.count for f in checks.check(objects) if f.what in (checks.ORPHANS, checks.YOUNG_ORPHANS))
    repairs.remove_orphans(objects, older_than_s=0)
    return [f"{f.count} {f.what}; for example {f.example}" for f in checks.check(objects)], orphans


def run(*, files: int, kills: int, seed: int, with_redis: bool, home: Path) -> dict[str, object]:
    """Everything from an empty folder to the verdict."""
    started = time.monotonic()
    chance = random.Random(seed)
    tally = Tally()
    site = Site(home, with_redis=with_redis)
    try:
        site.wait_until_ready()
        token, collection_id = _prepare()
        made = [make(number, seed) for number in range(files)]
        uploader = Uploader(site, token, collection_id, made, tally)
        uploader.start()
        wreak(site, uploader, kills, chance, tally)
        uploader.join(timeout=SETTLE_S + SETTLE_S_A_FILE * files)
        site.wait_until_ready()
        stuck_steps, stuck_runs = settle(files)
        comparison = compare(collection_id, made)
        disagreements, orphans = check_library()
    finally:
        from django.db import connection

        connection.close()
        site.stop()
    errors = [uploader.error] if uploader.error else []
    if uploader.is_alive():
        errors.append("The uploads did not end.")
    if disagreements:
        comparison.wrong += disagreements
    seconds = time.monotonic() - started
    return {
        "files": files,
        "kills": sum(tally.kills.values()),
        "kills_by_kind": dict(sorted(tally.kills.items())),
        "flushes": tally.flushes,
        "broker": "redis" if with_redis else "folder",
        "seed": seed,
        "requests": tally.requests,
        "failed_requests": tally.failed_requests,
        "lost": len(comparison.lost),
        "doubled": len(comparison.doubled),
        "stuck": stuck_steps + stuck_runs,
        "wrong": len(comparison.wrong),
        "orphaned_objects": orphans,
        "seconds": round(seconds, 1),
        "files_per_s": round(files / seconds, 2),
        "examples": (comparison.lost + comparison.doubled + comparison.wrong + errors)[:10],
        "passed": not (
            comparison.lost or comparison.doubled or comparison.wrong or errors or stuck_steps or stuck_runs
        ),
    }


def _prepare() -> tuple[str, int]:
    """A person with a token and a collection. What the models are exported for here, no worker spends its lease on."""
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.db import connection

    from kb import curation, tokens
    from retrieval import spaces

    user = User.objects.create_user("chaos", password=None)
    _, secret = tokens.issue(user, "chaos", ["read", "write"])
    collection = curation.create_collection(user, "Chaos")
    spaces.text_encoder()
    spaces.lookalike_encoder()
    connection.close()
    return secret, collection.pk


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder-broker", action="store_true", help="even where redis-server is installed")
    parser.add_argument(
        "--keep", action="store_true", help="the site's folder, with its logs, also after success"
    )
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="kb-chaos-"))
    with_redis = not arguments.folder_broker and shutil.which("redis-server") is not None
    print(f"The site is in {home}.", file=sys.stderr, flush=True)
    verdict = run(
        files=arguments.files, kills=arguments.kills, seed=arguments.seed, with_redis=with_redis, home=home
    )
    if verdict["passed"] and not arguments.keep:
        shutil.rmtree(home)
    print(json.dumps(verdict, ensure_ascii=False))
    return 0 if verdict["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
