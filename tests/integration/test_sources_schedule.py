"""Is a source scanned when it is due, once, whoever asks and whoever dies?"""

import io
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError

from kb import sources, uploads
from kb.models import Collection, IngestRun, Source, SourceState
from kb.source_settings import FolderSettings
from kb.sources import ScanUnderWayError
from workers import relay, tasks
from workers.connectors import schedule
from workers.connectors.schedule import LeaseLostError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder", "storage")]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    ids: list[int] = []
    monkeypatch.setattr(schedule.app, "send_task", lambda _, args, **__: ids.extend(args))
    return ids


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("mia")


@pytest.fixture
def source(tmp_path: Path, collection: Collection, user: User) -> Source:
    (tmp_path / "share").mkdir()
    return sources.make_source(
        user,
        collection,
        name="Share",
        kind="folder",
        settings=FolderSettings(path=str(tmp_path / "share")),
        schedule_minutes=30,
    )


def due_in_minutes(source: Source) -> int:
    source.refresh_from_db()
    assert source.next_scan_at is not None
    return round((source.next_scan_at - timezone.now()).total_seconds() / 60)


def test_a_new_source_with_a_schedule_is_due_at_once_and_then_every_interval(
    source: Source, sent: list[int]
) -> None:
    assert schedule.send_due() == 1
    assert schedule.send_due() == 0
    assert sent == [source.pk]
    tasks.scan_source(source.pk)
    assert due_in_minutes(source) == 30
    assert source.state == SourceState.IDLE
    assert schedule.send_due() == 0
    Source.objects.update(next_scan_at=timezone.now())
    assert schedule.send_due() == 1


def test_a_source_without_a_schedule_waits_to_be_asked(source: Source, sent: list[int], user: User) -> None:
    sources.change_source(user, source, {"schedule_minutes": None})
    assert schedule.send_due() == 0
    sources.request_scan(user, source)
    assert schedule.send_due() == 1
    tasks.scan_source(source.pk)
    source.refresh_from_db()
    assert (source.state, source.next_scan_at) == (SourceState.IDLE, None)


def test_a_failed_and_a_held_source_are_scanned_again_when_due(source: Source, sent: list[int]) -> None:
    for state in (SourceState.FAILED, SourceState.HELD):
        Source.objects.update(state=state, next_scan_at=timezone.now())
        assert schedule.send_due() == 1
        Source.objects.update(state=SourceState.IDLE)
    assert sent == [source.pk] * 2


def test_a_message_that_comes_twice_scans_once(source: Source, sent: list[int]) -> None:
    schedule.send_due()
    assert schedule.run(source.pk) is not None
    assert schedule.run(source.pk) is None
    assert schedule.run(source.pk + 1) is None


def test_a_lost_message_is_sent_again(source: Source, sent: list[int]) -> None:
    schedule.send_due()
    Source.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert schedule.send_due() == 1
    assert sent == [source.pk] * 2


def test_a_broker_that_is_away_costs_no_scan(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(schedule.app, "send_task", away)
    assert schedule.send_due() == 0
    monkeypatch.setattr(schedule.app, "send_task", lambda *_, **__: None)
    assert schedule.send_due() == 1


def test_the_scan_of_a_killed_worker_is_taken_over_and_its_run_ends(
    source: Source, sent: list[int], collection: Collection, user: User
) -> None:
    schedule.send_due()
    lease = schedule.take(source.pk)
    assert lease is not None
    run = uploads.start_run(collection, user, source="Share")
    uploads.receive(run, "share/a.txt", io.BytesIO(b"One."))
    Source.objects.update(last_run=run, lease_until=timezone.now() - timedelta(seconds=1))

    assert schedule.send_due() == 1
    tasks.scan_source(source.pk)
    run.refresh_from_db()
    assert run.sealed
    # Should the killed one be alive after all, it cannot end what is another's by now.
    with pytest.raises(LeaseLostError):
        schedule.end(lease, SourceState.FAILED, "late")
    source.refresh_from_db()
    assert (source.state, source.error) == (SourceState.IDLE, "")


def test_a_lost_lease_stops_the_scan(source: Source, sent: list[int]) -> None:
    path = Path(source.settings["path"])
    (path / "a.txt").write_text("One.")
    schedule.send_due()
    lease = schedule.take(source.pk)
    assert lease is not None
    lease.lost.set()
    with pytest.raises(LeaseLostError):
        schedule._run(lease)
    assert not IngestRun.objects.exists()


def test_nobody_asks_for_a_scan_in_the_middle_of_one(source: Source, sent: list[int], user: User) -> None:
    schedule.send_due()
    schedule.take(source.pk)
    with pytest.raises(ScanUnderWayError):
        sources.request_scan(user, source)


def test_an_unexpected_error_ends_the_scan_by_name(
    source: Source, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Source) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(schedule, "connect", broken)
    schedule.send_due()
    assert schedule.run(source.pk) is None
    assert due_in_minutes(source) == 30
    assert (source.state, "log" in source.error) == (SourceState.FAILED, True)


def test_the_relay_starts_due_scans(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(relay.app, "send_task", lambda name, **_: sent.append(name))
    relay.turn()
    assert sent == [schedule.TASK_NAME]


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_send_a_source_once(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    both = threading.Barrier(2)
    monkeypatch.setattr(schedule.app, "send_task", lambda _, args, **__: sent.extend(args))

    def beat() -> None:
        try:
            both.wait(timeout=10)
            schedule.send_due()
        finally:
            connection.close()

    threads = [threading.Thread(target=beat) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sent == [source.pk]
