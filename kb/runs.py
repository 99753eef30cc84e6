"""How is a run steered once it is under way? Wake the relay, retry what failed, cancel what is left.

The row of an asset version is the lock for everything about that version: whoever changes its steps together with
its items takes it first, so that a retry, a cancel, a failure and a finish never see half of one another.
"""

from django.db import connection, transaction
from django.utils import timezone

from kb.exceptions import FailureCode
from kb.models import (
    Asset,
    AssetState,
    AssetVersion,
    IngestItem,
    IngestRun,
    IngestStep,
    Outcome,
    RunState,
    StepState,
)

# Postgres channel on which the relay listens (workers/outbox.py).
STEPS_CHANNEL = "kb_steps"

LIVE_STATES = (StepState.READY, StepState.SENT, StepState.RUNNING)


def wake_relay() -> None:
    """Tells the relay, when this transaction commits, that there is something to do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [STEPS_CHANNEL])


@transaction.atomic
def retry(item: IngestItem) -> bool:
    """Takes a failed or cancelled file up where it stopped. False when there is nothing to take up.

    A file that was refused at the door left no bytes behind, so it can only be uploaded again.
    """
    if item.asset_version_id is None:
        return False
    version = AssetVersion.objects.select_for_update().filter(pk=item.asset_version_id).first()
    retryable = (Outcome.FAILED, Outcome.CANCELLED)
    if version is None or not IngestItem.objects.filter(pk=item.pk, outcome__in=retryable).exists():
        return False
    stopped = IngestStep.objects.filter(
        asset_version=version, state__in=(StepState.DEAD, StepState.CANCELLED)
    ).update(
        state=StepState.READY,
        attempts=0,
        ready_at=timezone.now(),
        lease_token=None,
        lease_until=None,
        ended_at=None,
        error_code="",
        error_message="",
    )
    if not stopped:
        return False
    IngestItem.objects.filter(pk=item.pk).update(
        outcome=Outcome.PENDING, error_code="", error_message="", ended_at=None
    )
    IngestRun.objects.filter(pk=item.run_id).update(state=RunState.RUNNING, ended_at=None)
    Asset.objects.filter(pk=version.asset_id, version=0).update(state=AssetState.PROCESSING)
    wake_relay()
    return True


def retry_failures(run: IngestRun) -> int:
    """Retries each failed file of the run. How many were taken up."""
    failed = IngestItem.objects.filter(run=run, outcome=Outcome.FAILED, asset_version__isnull=False)
    return sum(retry(item) for item in failed.order_by("pk"))


@transaction.atomic
def cancel(run: IngestRun) -> int:
    """Stops what the run has not finished. How many files that were."""
    pending = IngestItem.objects.filter(run=run, outcome=Outcome.PENDING)
    # By id, so that two cancels of overlapping runs wait for one another instead of dead-locking.
    versions = [
        version.pk
        for version in AssetVersion.objects.select_for_update()
        .filter(pk__in=pending.values("asset_version"))
        .order_by("pk")
    ]
    now = timezone.now()
    cancelled = IngestItem.objects.filter(
        run=run, outcome=Outcome.PENDING, asset_version__in=versions
    ).update(outcome=Outcome.CANCELLED, ended_at=now)
    IngestStep.objects.filter(asset_version__in=versions, state__in=LIVE_STATES).update(
        state=StepState.CANCELLED, lease_token=None, lease_until=None, ended_at=now
    )
    Asset.objects.filter(versions__in=versions, version=0).update(state=AssetState.FAILED)
    IngestRun.objects.filter(pk=run.pk).update(state=RunState.CANCELLED, sealed=True, ended_at=now)
    return cancelled


def fail_version(version: AssetVersion, code: str, message: str) -> None:
    """Ends the work on a version whose row the caller has locked: its files failed for this reason."""
    now = timezone.now()
    IngestStep.objects.filter(asset_version=version, state__in=LIVE_STATES).update(
        state=StepState.CANCELLED, lease_token=None, lease_until=None, ended_at=now
    )
    IngestItem.objects.filter(asset_version=version, outcome=Outcome.PENDING).update(
        outcome=Outcome.FAILED,
        error_code=code,
        error_message=message or FailureCode(code).label,
        ended_at=now,
    )
    Asset.objects.filter(pk=version.asset_id, version=0).update(state=AssetState.FAILED)
    wake_relay()
