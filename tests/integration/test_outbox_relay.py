"""Does the relay wake up at once, and go on after the database cut it off?"""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from kb.models import Collection, IngestStep
from kb.runs import wake_relay
from tests.integration.ingest import rows, upload
from workers import relay

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hash_encoder", "storage")]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Ids of the steps that a running relay has sent."""
    ids: list[int] = []
    monkeypatch.setattr(relay.app, "send_task", lambda _, args, **__: ids.extend(args))
    stop = threading.Event()

    def run() -> None:
        try:
            relay.run(stop)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield ids
    stop.set()
    wake_relay()
    thread.join(timeout=30)
    assert not thread.is_alive()


def wait_until(happened: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.005)


def listeners() -> int:
    (count,) = rows("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'")[0]
    return int(str(count))


def test_a_new_step_wakes_the_relay_without_waiting_for_its_interval(
    sent: list[int], collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "POLL_S", 60.0)
    wait_until(lambda: listeners() == 1, within_s=10)
    upload(collection, {"a.txt": "One."})
    # The interval that was under way when it was set to a minute may end first; the second has only its notice.
    wait_until(lambda: len(sent) == 1, within_s=10)
    upload(collection, {"b.txt": "Two."})
    wait_until(lambda: len(sent) == 2, within_s=10)
    assert sent == sorted(IngestStep.objects.values_list("pk", flat=True))


def test_the_relay_goes_on_after_the_database_cut_all_its_sessions(
    sent: list[int], collection: Collection
) -> None:
    wait_until(lambda: listeners() == 1, within_s=10)
    rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    upload(collection, {"a.txt": "One."})
    wait_until(lambda: len(sent) == 1, within_s=20)
    wait_until(lambda: listeners() == 1, within_s=20)
