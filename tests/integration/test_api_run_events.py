"""Does the stream of a run's events say how far it is, and end when it should?"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections

from kb.api import events
from kb.models import AudienceMember, IngestRun, IngestStep, RunState
from kb.storage import FolderStorage
from tests.security.world import World, make_world, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Looks at the run as often as it can; no stream of a test is left open for the next one."""
    monkeypatch.setattr(events, "POLL_S", 0.001)
    yield
    events._open.clear()


@pytest.fixture
def world(storage: FolderStorage) -> World:
    return make_world()


def stream(world: World, name: str = "editor") -> Any:
    return signed_in(world.users[name]).get(
        f"/api/runs/{world.run.pk}/events/", headers={"Accept": "text/event-stream"}
    )


def close(response: Any) -> None:
    """As the server does at the end, but for the database connection, which is the test's."""
    request_finished.disconnect(close_old_connections)
    response.close()
    request_finished.connect(close_old_connections)


def parsed(chunk: bytes) -> tuple[str, Any]:
    lines = dict(line.split(": ", 1) for line in chunk.decode().strip().splitlines())
    return lines["event"], json.loads(lines["data"])


def test_the_first_event_says_how_far_the_run_is(world: World) -> None:
    IngestStep.objects.update(state="done", timings_ms={"parse": 12.5, "segments": 2})
    response = stream(world)
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert response.headers["Cache-Control"] == "private, no-store"
    name, data = parsed(next(response.streaming_content))
    close(response)
    assert name == "progress"
    assert (data["state"], data["progress"]["counts"]["indexed"], data["progress"]["total"]) == (
        "running",
        2,
        3,
    )
    assert data["stages"] == [
        {"step": "extract", "stage": "parse", "median_ms": 12.5, "steps": 1},
        {"step": "extract", "stage": "segments", "median_ms": 2.0, "steps": 1},
    ]


def test_what_has_changed_is_an_event_and_what_has_not_is_a_comment(world: World) -> None:
    IngestRun.objects.update(sealed=False)  # Else the remaining time changes with each look.
    response = stream(world)
    parsed(next(response.streaming_content))
    world.run.items.all().update(outcome="failed", ended_at=None)
    assert parsed(next(response.streaming_content))[1]["progress"]["counts"]["failed"] == 3
    assert next(response.streaming_content).startswith(b":")
    close(response)


def test_the_stream_ends_with_the_run(world: World) -> None:
    response = stream(world)
    next(response.streaming_content)
    IngestRun.objects.update(state=RunState.DONE)
    rest = [parsed(chunk) for chunk in response.streaming_content if not chunk.startswith(b":")]
    assert [name for name, _ in rest] == ["progress", "end"]
    assert rest[0][1]["state"] == "done"


def test_a_paused_run_is_watched_on(world: World) -> None:
    IngestRun.objects.update(state=RunState.PAUSED)
    response = stream(world)
    assert parsed(next(response.streaming_content))[1]["state"] == "paused"
    next(response.streaming_content)
    close(response)


def test_the_stream_ends_by_itself_after_its_time(world: World, settings: Any) -> None:
    settings.KB_EVENT_STREAM_S = 0.05
    chunks = list(stream(world).streaming_content)
    assert len(chunks) >= 1
    assert b"event: end" not in b"".join(chunks)


def test_whoever_loses_the_right_to_see_the_run_sees_no_more_of_it(world: World) -> None:
    response = stream(world)
    next(response.streaming_content)
    AudienceMember.objects.filter(user=world.users["editor"]).delete()
    assert list(response.streaming_content) == []


def test_a_person_has_few_streams_and_gets_them_back(world: World) -> None:
    open_ = [stream(world) for _ in range(events.STREAMS_A_PERSON)]
    refused = stream(world)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "throttled")
    # Another person is not kept from watching.
    other = stream(world, "manager")
    assert other.status_code == 200
    # One that nobody began to read counts too, until it is closed.
    close(open_[0])
    assert stream(world).status_code == 200


def test_a_process_keeps_threads_for_other_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "STREAMS_A_PROCESS", 1)
    assert stream(world).status_code == 200
    assert stream(world, "manager").status_code == 429


def test_a_run_that_cannot_be_seen_is_not_found_in_json(world: World) -> None:
    response = stream(world, "viewer")
    assert (response.status_code, response.headers["Content-Type"]) == (404, "application/json")
