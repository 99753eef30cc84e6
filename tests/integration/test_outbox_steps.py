"""Does every step end once, in a named outcome, whatever happens to the message, the worker and the broker?"""

from datetime import timedelta

import kombu.exceptions
import pytest
from django.db import OperationalError
from django.utils import timezone

from kb import runs
from kb.exceptions import FailureCode, StorageError
from kb.models import (
    Asset,
    AssetState,
    Collection,
    IngestItem,
    IngestRun,
    IngestStep,
    Outcome,
    RunState,
    Segment,
    StepName,
    StepState,
)
from kb.storage import FolderStorage
from tests.integration.ingest import bring_in, codes, live_steps, outcomes, upload, work_off
from workers import metrics, outbox, pipeline, relay, tasks
from workers.outbox import FollowUp

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder", "storage")]


@pytest.fixture
def run(collection: Collection) -> IngestRun:
    return upload(collection, {"pump.txt": "The pump drains the cellar."})


@pytest.fixture
def step(run: IngestRun) -> IngestStep:
    return IngestStep.objects.get(asset_version__items__run=run)


def state_of(step: IngestStep) -> str:
    return IngestStep.objects.values_list("state", flat=True).get(pk=step.pk)


def expire(step: IngestStep) -> None:
    IngestStep.objects.filter(pk=step.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def rest_is_over(step: IngestStep) -> None:
    IngestStep.objects.filter(pk=step.pk).update(ready_at=timezone.now() - timedelta(seconds=1))


def taken(step: IngestStep) -> outbox.Lease:
    lease = outbox.take(step.pk)
    assert lease is not None
    return lease


def test_a_claimed_step_is_claimed_once(step: IngestStep) -> None:
    assert [claimed.pk for claimed in outbox.claim()] == [step.pk]
    assert outbox.claim() == []
    assert state_of(step) == StepState.SENT


def test_no_queue_holds_more_messages_than_its_share(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SENT_PER_QUEUE", 2)
    upload(collection, {f"{number}.txt": f"Text {number}" for number in range(5)})
    assert len(outbox.claim()) == 2
    assert outbox.claim() == []


def test_a_step_is_taken_by_one_worker(step: IngestStep) -> None:
    outbox.claim()
    assert outbox.take(step.pk) is not None
    assert outbox.take(step.pk) is None


def test_a_message_for_a_step_that_is_gone_does_nothing(step: IngestStep) -> None:
    tasks.run_step(step.pk + 1000)
    assert state_of(step) == StepState.READY


def test_a_message_that_nobody_took_is_sent_again_and_counts_as_no_attempt(step: IngestStep) -> None:
    outbox.claim()
    expire(step)
    outbox.reconcile()
    step.refresh_from_db()
    assert (step.state, step.attempts) == (StepState.READY, 0)
    assert len(outbox.claim()) == 1


def test_a_worker_that_vanished_costs_an_attempt_and_a_rest(step: IngestStep) -> None:
    taken(step)
    expire(step)
    outbox.reconcile()
    step.refresh_from_db()
    assert (step.state, step.attempts, step.error_code) == (StepState.READY, 1, FailureCode.WORKER_LOST)
    assert step.ready_at > timezone.now()
    assert outbox.claim() == []


def test_a_lease_that_still_holds_is_left_alone(step: IngestStep) -> None:
    taken(step)
    outbox.reconcile()
    assert state_of(step) == StepState.RUNNING


def test_a_step_that_kills_its_worker_again_and_again_is_dead_by_name(
    run: IngestRun, step: IngestStep
) -> None:
    limit = outbox.ATTEMPTS[FailureCode.WORKER_LOST]
    for _ in range(limit):
        rest_is_over(step)
        taken(step)
        expire(step)
        outbox.reconcile()
    step.refresh_from_db()
    assert (step.state, step.attempts) == (StepState.DEAD, limit)
    item = IngestItem.objects.get(run=run)
    assert (item.outcome, item.error_code) == (Outcome.FAILED, FailureCode.WORKER_LOST)
    assert item.error_message == FailureCode.WORKER_LOST.label
    run.refresh_from_db()
    assert run.state == RunState.DONE
    assert Asset.objects.get().state == AssetState.FAILED


def test_a_heartbeat_extends_the_lease_until_it_is_lost(step: IngestStep) -> None:
    lease = taken(step)
    expire(step)
    assert outbox.extend(lease)
    outbox.reconcile()
    assert state_of(step) == StepState.RUNNING
    expire(step)
    outbox.reconcile()
    assert not outbox.extend(lease)


def test_a_worker_whose_lease_is_lost_writes_nothing(step: IngestStep) -> None:
    late = taken(step)
    expire(step)
    outbox.reconcile()
    rest_is_over(step)
    other = taken(step)
    with pytest.raises(outbox.LeaseLostError):
        pipeline.extract(late)
    assert not Segment.objects.exists()
    assert state_of(step) == StepState.RUNNING
    pipeline.extract(other)
    assert Segment.objects.count() == 1
    assert state_of(step) == StepState.DONE
    with pytest.raises(outbox.LeaseLostError):
        pipeline.extract(late)
    assert Segment.objects.count() == 1


def test_a_failure_of_a_lost_lease_is_not_recorded(step: IngestStep) -> None:
    late = taken(step)
    expire(step)
    outbox.reconcile()
    with pytest.raises(outbox.LeaseLostError):
        outbox.fail(late, FailureCode.INTERNAL)
    step.refresh_from_db()
    assert step.attempts == 1


def test_what_fails_inside_the_finish_leaves_the_step_running_and_nothing_written(step: IngestStep) -> None:
    lease = taken(step)

    def break_off(finish: outbox.Finish) -> None:
        finish.follow_ups.append(FollowUp(StepName.INDEX))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), outbox.finishing(lease) as finish:
        break_off(finish)
    assert state_of(step) == StepState.RUNNING
    assert IngestStep.objects.count() == 1


def test_a_follow_up_that_is_there_already_stays_as_it_is(step: IngestStep) -> None:
    version = step.asset_version
    there = IngestStep.objects.create(asset_version=version, name="index", state=StepState.DONE)
    outbox.finish(taken(step), [FollowUp(StepName.INDEX)])
    assert IngestStep.objects.filter(asset_version=version, name="index").count() == 1
    assert state_of(there) == StepState.DONE


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StorageError("The store is away."), FailureCode.STORAGE_UNAVAILABLE),
        (OperationalError("deadlock detected"), FailureCode.WORKER_LOST),
        (RuntimeError("A defect."), FailureCode.INTERNAL),
    ],
)
def test_an_error_that_may_pass_is_tried_again_and_then_dead(
    run: IngestRun, step: IngestStep, error: Exception, code: FailureCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(pipeline.sandbox, "extract", fail)
    for attempt in range(1, outbox.ATTEMPTS[code]):
        rest_is_over(step)
        tasks.run_step(step.pk)
        step.refresh_from_db()
        assert (step.state, step.attempts) == (StepState.READY, attempt)
    rest_is_over(step)
    tasks.run_step(step.pk)
    assert state_of(step) == StepState.DEAD
    assert codes(run) == {"pump.txt": code}


def test_an_error_that_passed_leaves_no_trace_in_the_outcome(
    run: IngestRun, step: IngestStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(FolderStorage, "open", _raise_storage_error)
        tasks.run_step(step.pk)
    assert state_of(step) == StepState.READY
    rest_is_over(step)
    work_off()
    assert outcomes(run) == {"pump.txt": "indexed"}
    step.refresh_from_db()
    assert (step.state, step.error_code) == (StepState.DONE, "")


def _raise_storage_error(*args: object) -> None:
    raise StorageError


def test_rests_double_up_to_five_minutes() -> None:
    assert [outbox.backoff_s(attempts) for attempts in (1, 2, 3, 10)] == [2, 4, 8, 300]


def test_a_broker_that_is_away_leaves_the_steps_ready(
    step: IngestStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object, **options: object) -> None:
        raise kombu.exceptions.OperationalError("no route to the broker")

    with monkeypatch.context() as broker:
        broker.setattr(relay.app, "send_task", away)
        assert relay.turn() == 0
        assert state_of(step) == StepState.READY
    sent: list[int] = []
    monkeypatch.setattr(relay.app, "send_task", lambda _, args, **__: sent.extend(args))
    assert relay.turn() == 1
    assert sent == [step.pk]


def test_each_step_goes_to_the_queue_of_its_kind(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, str]] = []
    monkeypatch.setattr(relay.app, "send_task", lambda _, args, queue, **__: sent.append((args[0], queue)))
    upload(collection, {"pump.txt": "The pump."})
    while relay.turn():
        tasks.run_step(sent[-1][0])
    assert [queue for _, queue in sent] == ["extract", "embed", "default"]


def test_the_relay_reports_how_many_steps_wait(step: IngestStep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay.app, "send_task", lambda *_, **__: None)
    relay.turn()
    relay.turn()  # Measures before it sends.
    assert metrics.OUTBOX_STEPS.labels(state="sent")._value.get() == 1
    assert metrics.OUTBOX_STEPS.labels(state="dead")._value.get() == 0


def test_a_failed_file_is_retried_from_where_it_stopped(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(pipeline.embedding, "encode", _raise_storage_error)
        broken.setitem(outbox.ATTEMPTS, FailureCode.STORAGE_UNAVAILABLE, 1)
        run = bring_in(collection, {"pump.txt": "The pump."})
    assert outcomes(run) == {"pump.txt": "failed"}
    assert run.state == RunState.DONE
    assert runs.retry_failures(run) == 1
    run.refresh_from_db()
    assert run.state == RunState.RUNNING
    work_off()
    run.refresh_from_db()
    assert outcomes(run) == {"pump.txt": "indexed"}
    assert codes(run) == {"pump.txt": ""}
    assert run.state == RunState.DONE
    assert IngestStep.objects.filter(name="extract").count() == 1


def test_what_was_refused_at_the_door_cannot_be_retried(collection: Collection) -> None:
    run = bring_in(collection, {"empty.txt": ""})
    assert not runs.retry(IngestItem.objects.get(run=run))


def test_a_cancelled_run_ends_at_once_and_its_workers_write_nothing(run: IngestRun, step: IngestStep) -> None:
    lease = taken(step)
    assert runs.cancel(run) == 1
    with pytest.raises(outbox.LeaseLostError):
        pipeline.extract(lease)
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert outcomes(run) == {"pump.txt": "cancelled"}
    assert live_steps() == 0
    assert not Segment.objects.exists()


def test_a_cancelled_file_can_be_taken_up_again(run: IngestRun) -> None:
    runs.cancel(run)
    assert runs.retry(IngestItem.objects.get(run=run))
    work_off()
    assert outcomes(run) == {"pump.txt": "indexed"}
