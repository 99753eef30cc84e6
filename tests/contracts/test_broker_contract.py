"""Do messages reach a worker in another process, on every broker, also after the broker lost everything?"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery

from kb.embedded import Home
from workers.celery import QUEUES

DEADLINE_S = 60


@dataclass
class Broker:
    """One to test, and how to make it forget everything, as a crash would."""

    configuration: dict[str, Any]
    lose_everything: Callable[[], None]
    home: Path
    trace: Path
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def publisher(self) -> Celery:
        app = Celery("publisher", set_as_current=False)
        app.config_from_object("django.conf:settings", namespace="CELERY")
        app.conf.update(self.configuration)
        return app

    def start_worker(self, *queues: str) -> "subprocess.Popen[bytes]":
        command = ["-m", "celery", "-A", "tests.contracts.recording_worker", "worker", "--pool=solo"]
        quiet = [
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "-Q",
            ",".join(queues or QUEUES),
        ]
        environment = os.environ | {
            "TEST_BROKER": json.dumps(self.configuration),
            "KB_HOME": str(self.home),
            "DJANGO_SETTINGS_MODULE": "kb.settings.test",
            "C_FORCE_ROOT": "1",
        }
        log = (self.home / f"worker-{len(self.workers)}.log").open("wb")
        with log:
            worker = subprocess.Popen(
                [sys.executable, *command, *quiet], env=environment, stdout=log, stderr=log
            )
        self.workers.append(worker)
        return worker

    def lines(self) -> list[str]:
        with suppress(FileNotFoundError):
            return self.trace.read_text().splitlines()
        return []

    def wait_for(self, count: int) -> list[str]:
        deadline = time.monotonic() + DEADLINE_S
        while len(self.lines()) < count:
            assert all(worker.poll() is None for worker in self.workers), self._logs()
            assert time.monotonic() < deadline, self._logs()
            time.sleep(0.05)  # Between two looks.
        return self.lines()

    def _logs(self) -> str:
        return "\n".join(path.read_text() for path in self.home.glob("worker-*.log"))


def _send(app: Celery, broker: Broker, line: str, queue: str = "default") -> None:
    app.send_task("tests.record", args=[str(broker.trace), line], queue=queue)


@contextmanager
def _folder(home: Path) -> Iterator[tuple[dict[str, Any], Callable[[], None]]]:
    options = Home(home).broker_options()
    configuration = {
        "broker_url": "filesystem://",
        "broker_transport": "kb.broker:FolderTransport",
        "broker_transport_options": options,
    }
    yield configuration, lambda: shutil.rmtree(Home(home).broker)


@contextmanager
def _redis(home: Path) -> Iterator[tuple[dict[str, Any], Callable[[], None]]]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(home)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port) as client:
            deadline = time.monotonic() + DEADLINE_S
            while True:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
            configuration = {
                "broker_url": f"redis://127.0.0.1:{port}/0",
                "broker_transport": None,
                "broker_transport_options": {"visibility_timeout": 3600},
            }
            yield configuration, lambda: client.flushall() and None
    finally:
        server.terminate()
        server.wait(timeout=DEADLINE_S)


_NEEDS_REDIS = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed"
)


@pytest.fixture(
    params=[pytest.param(_folder, id="folder"), pytest.param(_redis, id="redis", marks=_NEEDS_REDIS)]
)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    home = tmp_path / "home"
    home.mkdir()
    with request.param(home) as (configuration, lose_everything):
        made = Broker(configuration, lose_everything, home, tmp_path / "trace")
        try:
            yield made
        finally:
            for worker in made.workers:
                worker.kill()  # A worker that is asked politely ends its current wait of seconds first.
                worker.wait(timeout=DEADLINE_S)


def test_what_one_process_sends_another_runs(broker: Broker) -> None:
    app = broker.publisher()
    for queue in QUEUES:
        _send(app, broker, queue, queue)
    broker.start_worker()
    assert sorted(broker.wait_for(3)) == sorted(QUEUES)


def test_a_worker_takes_from_its_own_queues_only(broker: Broker) -> None:
    app = broker.publisher()
    _send(app, broker, "for another", "extract")
    _send(app, broker, "for us", "embed")
    broker.start_worker("embed")
    assert broker.wait_for(1) == ["for us"]
    _send(app, broker, "for us again", "embed")
    assert broker.wait_for(2) == ["for us", "for us again"]


def test_messages_of_a_queue_come_in_the_order_in_which_they_were_sent(broker: Broker) -> None:
    app = broker.publisher()
    for number in range(20):
        _send(app, broker, str(number))
    broker.start_worker()
    assert broker.wait_for(20) == [str(number) for number in range(20)]


def test_of_two_workers_exactly_one_runs_each_message(broker: Broker) -> None:
    app = broker.publisher()
    broker.start_worker()
    broker.start_worker()
    for number in range(40):
        _send(app, broker, str(number))
    assert sorted(broker.wait_for(40), key=int) == [str(number) for number in range(40)]


def test_after_the_broker_lost_everything_publisher_and_worker_go_on(broker: Broker) -> None:
    app = broker.publisher()
    broker.start_worker()
    _send(app, broker, "before")
    assert broker.wait_for(1) == ["before"]
    broker.lose_everything()
    _send(app, broker, "after")
    assert broker.wait_for(2) == ["before", "after"]


def test_a_loss_with_no_worker_running_loses_only_what_was_waiting(broker: Broker) -> None:
    app = broker.publisher()
    _send(app, broker, "lost")
    broker.lose_everything()
    _send(app, broker, "kept")
    broker.start_worker()
    assert broker.wait_for(1) == ["kept"]


def test_a_worker_that_waits_outlives_the_loss_of_its_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with _folder(home) as (configuration, lose_everything):
        broker = Broker(configuration, lose_everything, home, tmp_path / "trace")
        worker = broker.start_worker()
        try:
            app = broker.publisher()
            _send(app, broker, "first")
            broker.wait_for(1)
            for round_number in range(5):
                broker.lose_everything()
                # The worker itself makes the folder again: it looked, found none, and did not end.
                deadline = time.monotonic() + DEADLINE_S
                while not Home(home).broker.exists():
                    assert worker.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
                _send(app, broker, f"after loss {round_number}")
                broker.wait_for(2 + round_number)
        finally:
            worker.kill()
            worker.wait(timeout=DEADLINE_S)
