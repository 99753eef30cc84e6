"""Does a worker go on with the one step that follows, without a message, and is that step lost with nobody?"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from kb.models import Collection, IngestRun, IngestStep, RunState, StepName, StepState
from tests.integration.ingest import live_steps, outcomes, upload
from workers import outbox, tasks
from workers.celery import app

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder", "storage")]


@pytest.fixture
def run(collection: Collection) -> IngestRun:
    return upload(collection, {"pump.txt": "The pump drains the cellar."})


@pytest.fixture
def queues() -> Iterator[None]:
    """The queues of this process, as a worker has them; all again afterwards."""
    before = app.amqp.queues._consume_from
    yield
    app.amqp.queues._consume_from = before


def deliver(step: IngestStep) -> None:
    """As a worker calls it, and not as a function."""
    tasks.run_step.apply(args=[step.pk], throw=True)


def states(run: IngestRun) -> dict[str, str]:
    return dict(IngestStep.objects.filter(asset_version__items__run=run).values_list("name", "state"))


@pytest.mark.usefixtures("queues")
def test_a_short_file_needs_one_message(run: IngestRun) -> None:
    app.amqp.queues.select(["extract", "embed", "default"])
    (first,) = outbox.claim()
    deliver(first)
    assert outcomes(run) == {"pump.txt": "indexed"}
    assert live_steps() == 0
    assert outbox.claim() == []


@pytest.mark.usefixtures("queues")
def test_a_step_of_another_queue_is_left_to_its_workers(run: IngestRun) -> None:
    app.amqp.queues.select(["extract"])
    (first,) = outbox.claim()
    deliver(first)
    assert states(run) == {StepName.EXTRACT: StepState.DONE, StepName.EMBED: StepState.READY}
    assert [step.name for step in outbox.claim()] == [StepName.EMBED]


@pytest.mark.usefixtures("queues")
def test_the_following_step_of_a_worker_that_was_killed_comes_back(run: IngestRun) -> None:
    app.amqp.queues.select(["extract", "embed", "default"])
    (first,) = outbox.claim()
    lease = outbox.take(first.pk, frozenset({"embed"}))
    assert lease is not None
    # Killed here: the step is done, the next one is nobody's, and the relay thinks that it was sent.
    outbox.finish(lease, [outbox.FollowUp(StepName.EMBED)])
    assert lease.next_step_id is not None
    assert outbox.claim() == []
    IngestStep.objects.filter(pk=lease.next_step_id).update(lease_until=timezone.now() - timedelta(seconds=1))
    outbox.reconcile()
    assert [step.pk for step in outbox.claim()] == [lease.next_step_id]


@pytest.mark.usefixtures("queues")
def test_a_run_that_is_paused_meanwhile_is_not_gone_on_with(run: IngestRun) -> None:
    app.amqp.queues.select(["extract", "embed", "default"])
    (first,) = outbox.claim()
    lease = outbox.take(first.pk, frozenset({"embed"}))
    assert lease is not None
    outbox.finish(lease, [outbox.FollowUp(StepName.EMBED)])
    IngestRun.objects.filter(pk=run.pk).update(state=RunState.PAUSED)
    assert lease.next_step_id is not None
    assert outbox.take(lease.next_step_id) is None
    IngestRun.objects.filter(pk=run.pk).update(state=RunState.RUNNING)
    IngestStep.objects.filter(pk=lease.next_step_id).update(lease_until=timezone.now() - timedelta(seconds=1))
    outbox.reconcile()
    assert [step.pk for step in outbox.claim()] == [lease.next_step_id]
