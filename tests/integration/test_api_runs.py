"""Can files be brought in over HTTP, and can their run be watched and steered?"""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from kb import progress
from kb.models import AuditEvent, IngestItem, IngestRun, IngestStep, Outcome, RunState, StepState
from kb.storage import FolderStorage
from tests.security.world import World, make_world, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(storage: FolderStorage) -> World:
    return make_world()


def file(content: bytes, name: str) -> io.BytesIO:
    stream = io.BytesIO(content)
    stream.name = name
    return stream


def upload(world: World, **body: Any) -> Any:
    return signed_in(world.users["editor"]).post(f"/api/collections/{world.collection.pk}/uploads/", body)


def test_files_are_accepted_with_their_paths_and_the_address_of_their_run(world: World) -> None:
    response = upload(
        world,
        files=[file(b"Pumps move water.", "a.txt"), file(b"Seals leak.", "a.txt")],
        paths=["x/a.txt", "y/a.txt"],
    )
    answer = response.json()
    assert response.status_code == 202
    assert response.headers["Location"] == answer["run"]["url"]
    assert answer["run"]["sealed"] is True
    assert [(item["path"], item["outcome"]) for item in answer["items"]] == [
        ("x/a.txt", "pending"),
        ("y/a.txt", "pending"),
    ]
    watched = signed_in(world.users["editor"]).get(answer["run"]["url"]).json()["progress"]
    assert (watched["total"], watched["ended"], watched["remaining_s"]) == (2, 0, None)


def test_one_bad_file_is_named_and_stops_no_other(world: World, settings: Any) -> None:
    settings.KB_MAX_UPLOAD_BYTES = 1000
    answer = upload(
        world,
        files=[
            file(b"", "empty.txt"),
            file(b"Pumps move water.", "good.txt"),
            file(b"w" * 1001, "large.txt"),
            file(b"Seals leak.", "bad.txt"),
        ],
        paths=["empty.txt", "good.txt", "large.txt", "../bad.txt"],
    ).json()
    assert [(item["path"], item["outcome"], item["error_code"]) for item in answer["items"]] == [
        ("empty.txt", "failed", "empty_file"),
        ("good.txt", "pending", ""),
        ("large.txt", "failed", "too_large"),
        ("../bad.txt", "failed", "unsafe_path"),
    ]


@pytest.mark.parametrize(
    ("body", "field"), [({}, "files"), ({"files": [file(b"x", "a.txt")], "paths": ["a", "b"]}, "paths")]
)
def test_an_upload_that_makes_no_sense_starts_no_run(body: dict[str, Any], field: str, world: World) -> None:
    response = upload(world, **body)
    assert response.status_code == 400
    assert response.json()["error"]["field"] == field
    assert IngestRun.objects.count() == 1


def test_too_many_files_at_once_are_a_bad_request(world: World, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    response = upload(world, files=[file(b"x", f"{number}.txt") for number in range(3)])
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "bad_request"


def test_a_failed_file_is_taken_up_again(world: World) -> None:
    client = signed_in(world.users["editor"])
    address = f"/api/runs/{world.run.pk}/items/{world.failed_item.pk}/retry/"
    assert client.post(address).json() == {"retried": 1}
    assert IngestStep.objects.get().state == StepState.READY
    assert IngestItem.objects.get(pk=world.failed_item.pk).outcome == Outcome.PENDING
    again = client.post(address)
    assert (again.status_code, again.json()["error"]["code"]) == (400, "not_retriable")


def test_the_failures_of_a_run_are_taken_up_together(world: World) -> None:
    client = signed_in(world.users["editor"])
    assert client.post(f"/api/runs/{world.run.pk}/retry-failures/").json() == {"retried": 1}
    assert client.post(f"/api/runs/{world.run.pk}/retry-failures/").json() == {"retried": 0}


def test_a_cancelled_run_keeps_what_it_has_brought_in(world: World) -> None:
    client = signed_in(world.users["editor"])
    client.post(f"/api/runs/{world.run.pk}/retry-failures/")
    answer = client.post(f"/api/runs/{world.run.pk}/cancel/").json()
    assert answer["state"] == "cancelled"
    assert answer["progress"]["counts"]["cancelled"] == 1
    assert answer["progress"]["counts"]["indexed"] == 2
    assert IngestStep.objects.get().state == StepState.CANCELLED


def test_a_run_is_paused_and_resumed_and_the_trail_says_who_did(world: World) -> None:
    client = signed_in(world.users["editor"])
    for act, state in (("pause", "paused"), ("pause", "paused"), ("resume", "running")):
        assert client.post(f"/api/runs/{world.run.pk}/{act}/").json()["state"] == state
    acts = AuditEvent.objects.filter(action__startswith="run.").order_by("pk")
    # The second pause did nothing.
    assert [(event.action, event.actor) for event in acts] == [
        ("run.paused", world.users["editor"]),
        ("run.resumed", world.users["editor"]),
    ]


def test_a_run_that_has_ended_is_not_cancelled(world: World) -> None:
    IngestRun.objects.update(state=RunState.DONE, ended_at=timezone.now())
    client = signed_in(world.users["editor"])
    assert client.post(f"/api/runs/{world.run.pk}/cancel/").json()["state"] == "done"


def test_items_can_be_filtered_by_outcome_and_come_in_pages(world: World) -> None:
    client = signed_in(world.users["editor"])
    address = f"/api/runs/{world.run.pk}/items/"
    failed = client.get(address, {"outcome": "failed"}).json()
    assert [item["path"] for item in failed["results"]] == ["unpublished.txt"]
    assert client.get(address, {"outcome": "lost"}).status_code == 400
    first = client.get(address, {"page_size": 2}).json()
    assert (first["count"], len(first["results"])) == (3, 2)
    assert client.get(first["next"]).json()["results"][0]["path"] == "unpublished.txt"
    assert client.get(address, {"page": 9}).json() == {
        "error": {"code": "not_found", "message": "Not found."}
    }


def test_rate_and_remaining_time_follow_the_last_minute(world: World) -> None:
    now = timezone.now()
    run = world.run
    IngestRun.objects.filter(pk=run.pk).update(created_at=now - timedelta(hours=1), ended_at=now)
    run.refresh_from_db()
    run.items.all().delete()
    for age_s in (10, 20, 50, 70):
        IngestItem.objects.create(
            run=run, path=str(age_s), outcome=Outcome.INDEXED, ended_at=now - timedelta(seconds=age_s)
        )
    IngestItem.objects.create(run=run, path="next")
    # Three ended within the last 60 s: 0.05/s, so the one that is left takes 20 s.
    watched = progress.of_run(run)
    assert (watched.total, watched.ended) == (5, 4)
    assert watched.files_per_s == pytest.approx(0.05)
    assert watched.remaining_s == pytest.approx(20)
    run.sealed = False
    assert progress.of_run(run).remaining_s is None
