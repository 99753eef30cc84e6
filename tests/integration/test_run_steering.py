"""Does steering one run leave the files of others alone, and lose nothing of its own?"""

import io
from datetime import timedelta

import pytest
from django.utils import timezone

from kb import runs, uploads
from kb.models import (
    Asset,
    AssetState,
    Collection,
    IngestItem,
    IngestRun,
    IngestStep,
    Outcome,
    RunState,
    StepState,
)
from kb.storage import FolderStorage
from tests.integration.ingest import bring_in, outcomes, upload, work_off
from workers import outbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder", "storage")]

FILE: dict[str, bytes | str] = {"pump.txt": "The pump drains the cellar."}


def test_nothing_of_a_paused_run_starts_until_it_is_resumed(collection: Collection) -> None:
    run = upload(collection, FILE)
    assert runs.pause(run)
    assert work_off() == 0
    assert outcomes(run) == {"pump.txt": "pending"}
    assert runs.resume(run)
    work_off()
    assert outcomes(run) == {"pump.txt": "indexed"}
    run.refresh_from_db()
    assert run.state == RunState.DONE


def test_a_step_that_was_sent_before_the_pause_is_not_taken(collection: Collection) -> None:
    run = upload(collection, FILE)
    (step,) = outbox.claim()
    runs.pause(run)
    assert outbox.take(step.pk) is None
    # Its time with the broker runs out, as that of any message that nobody took.
    IngestStep.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    outbox.reconcile()
    assert outbox.claim() == []
    runs.resume(run)
    assert [claimed.pk for claimed in outbox.claim()] == [step.pk]


def test_a_step_that_was_running_ends_and_the_next_one_waits(collection: Collection) -> None:
    run = upload(collection, FILE)
    (step,) = outbox.claim()
    lease = outbox.take(step.pk)
    assert lease is not None
    runs.pause(run)
    outbox.finish(lease, [outbox.FollowUp(outbox.StepName.INDEX)])
    assert outbox.claim() == []


def test_a_file_that_a_running_run_waits_for_too_goes_on(collection: Collection) -> None:
    paused, other = upload(collection, FILE), upload(collection, FILE)
    runs.pause(paused)
    work_off()
    assert outcomes(other) == {"pump.txt": "indexed"}
    assert outcomes(paused) == {"pump.txt": "indexed"}
    paused.refresh_from_db()
    # Nothing is left to pause.
    assert paused.state == RunState.DONE


def test_a_run_that_has_ended_is_neither_paused_nor_resumed(collection: Collection) -> None:
    run = bring_in(collection, FILE)
    assert not runs.pause(run)
    assert not runs.resume(run)
    run.refresh_from_db()
    assert run.state == RunState.DONE


def test_a_paused_run_can_be_cancelled(collection: Collection) -> None:
    run = upload(collection, FILE)
    runs.pause(run)
    assert runs.cancel(run) == 1
    run.refresh_from_db()
    assert (run.state, outcomes(run)) == (RunState.CANCELLED, {"pump.txt": "cancelled"})
    assert Asset.objects.get().state == AssetState.FAILED


def test_retrying_a_file_of_a_paused_run_does_not_resume_it(collection: Collection) -> None:
    run = upload(collection, FILE | {"boiler.txt": "The boiler."})
    first = IngestItem.objects.get(path="pump.txt")
    version = first.asset_version
    assert version is not None
    runs.fail_version(version, "corrupt", "")
    runs.pause(run)
    assert runs.retry(first)
    run.refresh_from_db()
    assert run.state == RunState.PAUSED


def test_a_cancel_does_not_stop_what_another_run_waits_for(collection: Collection) -> None:
    cancelled, other = upload(collection, FILE), upload(collection, FILE)
    assert runs.cancel(cancelled) == 1
    assert Asset.objects.get().state == AssetState.PROCESSING
    work_off()
    assert outcomes(cancelled) == {"pump.txt": "cancelled"}
    assert outcomes(other) == {"pump.txt": "indexed"}


def test_a_file_cancelled_here_that_goes_on_elsewhere_can_be_waited_for_again(collection: Collection) -> None:
    cancelled, _ = upload(collection, FILE), upload(collection, FILE)
    runs.cancel(cancelled)
    assert runs.retry(IngestItem.objects.get(run=cancelled))
    work_off()
    assert outcomes(cancelled) == {"pump.txt": "indexed"}


def test_a_file_that_is_coming_in_while_its_run_is_cancelled_does_not_start(collection: Collection) -> None:
    run = uploads.start_run(collection, None)

    class Slow(io.BytesIO):
        """A stream during whose reading somebody else cancels."""

        def read(self, size: int | None = -1) -> bytes:
            runs.cancel(IngestRun.objects.get(pk=run.pk))
            return super().read(size)

    item = uploads.receive(run, "pump.txt", Slow(b"The pump drains the cellar."))
    assert (item.outcome, item.error_message) == (
        Outcome.CANCELLED,
        "The run was cancelled before this file was in.",
    )
    assert not IngestStep.objects.exists()
    assert not Asset.objects.exists()


def test_a_cancel_ends_files_that_were_deleted_meanwhile(collection: Collection) -> None:
    run = upload(collection, FILE)
    IngestItem.objects.filter(run=run).update(asset_version=None)
    assert runs.cancel(run) == 1
    assert outcomes(run) == {"pump.txt": "cancelled"}


def test_a_version_that_a_newer_one_replaced_is_not_retried(collection: Collection) -> None:
    first = upload(collection, FILE)
    runs.cancel(first)
    bring_in(collection, {"pump.txt": "The pump fills the cellar."})
    item = IngestItem.objects.get(run=first)
    if item.asset_version_id is not None:
        assert not runs.retriable().filter(pk=item.pk).exists()
    assert not runs.retry(item)
    assert not IngestStep.objects.exclude(state=StepState.DONE).filter(state="ready").exists()


def test_all_failed_files_of_one_version_are_taken_up_together(collection: Collection) -> None:
    run = upload(collection, FILE)
    item = IngestItem.objects.get()
    assert item.asset_version is not None
    twin = IngestItem.objects.create(run=run, path="pump.txt", asset_version=item.asset_version)
    runs.fail_version(item.asset_version, "internal", "")
    assert runs.retry_failures(run) == 2
    work_off()
    twin.refresh_from_db()
    assert twin.outcome == Outcome.INDEXED


def test_a_run_whose_uploader_died_is_sealed_and_ends(
    collection: Collection, storage: FolderStorage, settings: object
) -> None:
    run = uploads.start_run(collection, None)
    outbox.reconcile()
    run.refresh_from_db()
    assert (run.state, run.sealed) == (RunState.RUNNING, False)
    IngestRun.objects.update(created_at=timezone.now() - timedelta(seconds=outbox.ABANDONED_RUN_S + 1))
    outbox.reconcile()
    run.refresh_from_db()
    assert (run.state, run.sealed) == (RunState.DONE, True)


def test_a_run_that_files_still_come_into_stays_open(collection: Collection) -> None:
    run = uploads.start_run(collection, None)
    IngestRun.objects.update(created_at=timezone.now() - timedelta(seconds=outbox.ABANDONED_RUN_S + 1))
    IngestItem.objects.create(run=run, path="late.txt", outcome=Outcome.FAILED)
    outbox.reconcile()
    run.refresh_from_db()
    assert not run.sealed
