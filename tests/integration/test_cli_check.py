"""Does `kb ingest --check` name what went wrong by no fault of the files, and only that?"""

import pytest
from django.db.models import QuerySet

from kb.exceptions import FailureCode
from kb.models import Collection, IngestItem, IngestRun, IngestStep, StepState
from tests.integration.ingest import bring_in, upload, work_off
from workers.cli.watch import faults_of_run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder", "storage")]

TEXT = {"pump.txt": "The pump drains the cellar."}


def steps(run: IngestRun) -> QuerySet[IngestStep]:
    return IngestStep.objects.filter(asset_version__items__run=run)


def test_a_run_that_went_well_has_no_faults(collection: Collection) -> None:
    assert faults_of_run(bring_in(collection, TEXT)) == []


def test_a_file_that_is_at_fault_itself_is_no_fault_of_the_run(collection: Collection) -> None:
    run = bring_in(collection, {"broken.pdf": b"%PDF-1.7\nnothing", **TEXT})
    assert run.items.get(path="broken.pdf").outcome == "failed"
    assert faults_of_run(run) == []


def test_what_has_not_ended_is_named(collection: Collection) -> None:
    run = upload(collection, TEXT)
    assert faults_of_run(run) == ["1 steps have not ended", "1 files have no outcome"]


def test_a_step_that_was_begun_twice_is_named_with_its_file(collection: Collection) -> None:
    run = upload(collection, TEXT)
    # As a worker leaves it that died: the next one begins it again.
    steps(run).update(attempts=1)
    work_off()
    assert faults_of_run(run) == ["1 steps were begun again: extract of pump.txt"]


@pytest.mark.parametrize("code", [FailureCode.WORKER_LOST, FailureCode.INTERNAL])
def test_a_file_that_failed_by_our_fault_is_named(collection: Collection, code: FailureCode) -> None:
    run = bring_in(collection, TEXT)
    IngestItem.objects.filter(run=run).update(outcome="failed", error_code=code)
    steps(run).update(state=StepState.DEAD)
    assert faults_of_run(run) == [f"pump.txt: {code}"]
