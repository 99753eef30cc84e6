"""How is a run steered once it is under way? Wake the relay, pause, resume, retry what failed, cancel what is left.

The row of an asset version is the lock for everything about that version: whoever changes its steps together with
its items takes it first, so that a retry, a cancel, a failure and a finish never see half of one another.
"""

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from kb.exceptions import FailureCode
from kb.models import (
    OPEN_RUN_STATES,
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


def pause(run: IngestRun) -> bool:
    """Lets nothing more of the run start. False when it has ended. What a worker has begun goes on to its end."""
    return _switch(run, RunState.RUNNING, RunState.PAUSED)


def resume(run: IngestRun) -> bool:
    """Goes on with a paused run. False when it was not paused."""
    return _switch(run, RunState.PAUSED, RunState.RUNNING)


@transaction.atomic
def _switch(run: IngestRun, old: RunState, new: RunState) -> bool:
    switched = IngestRun.objects.filter(pk=run.pk, state=old).update(state=new)
    wake_relay()
    return bool(switched)


def is_on_hold() -> Q:
    """Of steps: whether a paused run waits for the step's version and no other run does."""
    waiting = IngestItem.objects.filter(
        asset_version=OuterRef("asset_version"), outcome=Outcome.PENDING
    ).order_by()
    paused = Q(run__state=RunState.PAUSED)
    return Q(Exists(waiting.filter(paused))) & ~Q(Exists(waiting.exclude(paused)))


@transaction.atomic
def retry(item: IngestItem) -> bool:
    """Takes a failed or cancelled file up where it stopped. False when there is nothing to take up.

    A file that was refused at the door left no bytes behind, so it can only be uploaded again; and the bytes that
    a newer version has replaced are not wanted back.
    """
    if item.asset_version_id is None:
        return False
    version = (
        AssetVersion.objects.select_for_update(of=("self",))
        .select_related("asset")
        .filter(pk=item.asset_version_id)
        .first()
    )
    if version is None or version.number < version.asset.version:
        return False
    if not retriable().filter(pk=item.pk).exists():
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
    if not stopped and not IngestStep.objects.filter(asset_version=version, state__in=LIVE_STATES).exists():
        return False
    # Also where another run goes on with the file, or has just taken it up: this one waits for it again.
    IngestItem.objects.filter(pk=item.pk).update(
        outcome=Outcome.PENDING, error_code="", error_message="", ended_at=None
    )
    IngestRun.objects.filter(pk=item.run_id).exclude(state=RunState.PAUSED).update(
        state=RunState.RUNNING, ended_at=None
    )
    Asset.objects.filter(pk=version.asset_id, version=0).update(state=AssetState.PROCESSING)
    wake_relay()
    return True


def retriable() -> QuerySet[IngestItem]:
    """Files that `retry` would take up."""
    steps = IngestStep.objects.filter(asset_version=OuterRef("asset_version")).exclude(state=StepState.DONE)
    return IngestItem.objects.filter(
        Exists(steps.order_by()),
        outcome__in=(Outcome.FAILED, Outcome.CANCELLED),
        asset_version__number__gte=F("asset_version__asset__version"),
    )


def retry_failures(run: IngestRun) -> int:
    """Retries each failed file of the run. How many were taken up."""
    failed = retriable().filter(run=run, outcome=Outcome.FAILED)
    return sum(retry(item) for item in failed.order_by("pk"))


@transaction.atomic
def cancel(run: IngestRun) -> int:
    """Stops what the run has not finished, but for files that another run waits for too. How many files ended."""
    # First of all locks: a file that is just coming in is either counted below, or sees that the run is cancelled.
    IngestRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    pending = IngestItem.objects.filter(run=run, outcome=Outcome.PENDING)
    # By id, so that two cancels of overlapping runs wait for one another instead of dead-locking.
    versions = [
        version.pk
        for version in AssetVersion.objects.select_for_update()
        .filter(pk__in=pending.values("asset_version"))
        .order_by("pk")
    ]
    now = timezone.now()
    # Those without a version too: their file was deleted meanwhile.
    cancelled = pending.filter(Q(asset_version__in=versions) | Q(asset_version=None)).update(
        outcome=Outcome.CANCELLED, ended_at=now
    )
    # Under the locks: whoever joins the wait for a version (kb.uploads) takes its lock first.
    wanted = IngestItem.objects.filter(asset_version__in=versions, outcome=Outcome.PENDING)
    kept = set(wanted.values_list("asset_version", flat=True))
    stopped = [version for version in versions if version not in kept]
    IngestStep.objects.filter(asset_version__in=stopped, state__in=LIVE_STATES).update(
        state=StepState.CANCELLED, lease_token=None, lease_until=None, ended_at=now
    )
    still_coming = IngestStep.objects.filter(
        asset_version__asset=OuterRef("pk"), state__in=LIVE_STATES
    ).order_by()
    Asset.objects.filter(~Exists(still_coming), versions__in=stopped, version=0).update(
        state=AssetState.FAILED
    )
    IngestRun.objects.filter(pk=run.pk, state__in=OPEN_RUN_STATES).update(
        state=RunState.CANCELLED, sealed=True, ended_at=now
    )
    wake_relay()
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
