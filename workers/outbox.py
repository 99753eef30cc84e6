"""Which step may run now, and who holds it? The rows of IngestStep are the truth; messages only point at them.

A step goes READY -> SENT -> RUNNING -> DONE. SENT and RUNNING are leases: when one runs out, because the broker lost
the message or the worker died, the reconciler takes the step back. A worker proves at its end, in the transaction
that keeps its work, that it still holds the lease; if not, nothing of its work is kept.
"""

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from kb.exceptions import FailureCode, KbError
from kb.models import (
    OPEN_RUN_STATES,
    AssetVersion,
    IngestItem,
    IngestRun,
    IngestStep,
    Outcome,
    RunState,
    StepName,
    StepState,
)
from kb.runs import fail_version, is_on_hold, wake_relay
from workers import metrics

log = structlog.get_logger(__name__)

QUEUES: dict[str, str] = {
    StepName.EXTRACT: "extract",
    # Beside the encoders: the workers of this queue load models, and may have a GPU.
    StepName.TRANSCRIBE: "embed",
    StepName.EMBED: "embed",
    StepName.INDEX: "default",
}

# A worker extends its lease three times in that span, so it survives two lost heartbeats, and a step of a killed
# worker waits a minute.
LEASE_S = 60.0
# A message that no worker took by then is sent again. Longer than SENT_PER_QUEUE steps usually wait for a worker; if
# they wait longer, the second message finds the step taken, which costs milliseconds.
SENT_LEASE_S = 60.0
# How many steps of a queue may be with the broker: enough to keep the workers of one host busy between two turns of
# the relay, few enough that losing the broker, or a folder that holds its messages, costs little.
SENT_PER_QUEUE = 64
# Attempts before a step is dead, by what happened. Whatever kills a worker five times is the file's fault; an
# unexpected error seldom passes by itself; a store that is away comes back, and ten attempts span 17 minutes.
ATTEMPTS: dict[str, int] = {
    FailureCode.WORKER_LOST: 5,
    FailureCode.INTERNAL: 3,
    FailureCode.STORAGE_UNAVAILABLE: 10,
}
# Two seconds, doubled at each attempt, up to five minutes: a person who repaired something waits no longer.
BACKOFF_S = 2.0
LONGEST_BACKOFF_S = 300.0
# A run that is open for more files, and to which none has come for so long, belongs to an upload that died. A day: as
# long as somebody may take to go on with an upload that broke off.
ABANDONED_RUN_S = 24 * 3600.0
# Steps the reconciler takes back in one turn, so that its transactions stay short after a large loss.
_RECONCILED_AT_ONCE = 500


# What these steps find in a file is embedded together, so each waits for the others.
_READING = (StepName.EXTRACT, StepName.TRANSCRIBE)


class LeaseLostError(KbError):
    """The step was taken back or cancelled, or its asset is gone: nothing of this attempt is kept."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A step that may run once this one is done."""

    name: StepName
    part: int = 0
    encoder_revision: str = ""
    arguments: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Lease:
    """One worker's hold on one step."""

    step: IngestStep
    token: uuid.UUID
    timings_ms: dict[str, float] = field(default_factory=dict)
    # 0 to 1; the heartbeat writes it.
    progress: float = 0.0
    # Queues that the holder works off: the one step that follows in one of these it takes itself.
    own_queues: frozenset[str] = frozenset()
    next_step_id: int | None = None

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        started = monotonic()
        try:
            yield
        finally:
            elapsed_ms = (monotonic() - started) * 1000
            self.timings_ms[stage] = round(self.timings_ms.get(stage, 0) + elapsed_ms, 1)


@dataclass(slots=True)
class Finish:
    """The end of a step, inside its transaction: the locked version, and what comes next."""

    version: AssetVersion
    follow_ups: list[FollowUp] = field(default_factory=list)


def lease_s() -> float:
    """How long a worker's lease holds. Tests shorten it by settings, to see it run out."""
    return float(getattr(settings, "KB_LEASE_S", LEASE_S))


def sent_lease_s() -> float:
    """How long a message may stay unclaimed."""
    return float(getattr(settings, "KB_SENT_LEASE_S", SENT_LEASE_S))


def backoff_s(attempts: int) -> float:
    """How long a step rests after its `attempts`-th failure."""
    base = float(getattr(settings, "KB_BACKOFF_S", BACKOFF_S))
    return min(base * 2.0 ** (attempts - 1), LONGEST_BACKOFF_S)


def abandoned_run_s() -> float:
    """How long a run may stay open without a new file."""
    return float(getattr(settings, "KB_ABANDONED_RUN_S", ABANDONED_RUN_S))


def claim() -> list[IngestStep]:
    """Marks the oldest ready steps as sent, up to what each queue may hold, and returns them for sending."""
    claimed: list[IngestStep] = []
    now = timezone.now()
    ready = IngestStep.objects.filter(state=StepState.READY, ready_at__lte=now)
    # Asked first: a walk over the thousands of steps that a paused run may have is only worth it when there is one.
    if IngestRun.objects.filter(state=RunState.PAUSED).exists():
        ready = ready.exclude(is_on_hold())
    with transaction.atomic():
        in_flight = {
            row["name"]: row["steps"]
            for row in IngestStep.objects.filter(state=StepState.SENT)
            .values("name")
            .annotate(steps=Count("pk"))
            .order_by()
        }
        for name in StepName.values:
            room = SENT_PER_QUEUE - in_flight.get(name, 0)
            if room > 0:
                claimed += (
                    ready.select_for_update(skip_locked=True)
                    .filter(name=name)
                    .order_by("ready_at", "pk")[:room]
                )
        IngestStep.objects.filter(pk__in=[step.pk for step in claimed]).update(
            state=StepState.SENT, lease_until=now + timedelta(seconds=sent_lease_s()), lease_token=None
        )
    return claimed


def unclaim(steps: Sequence[IngestStep]) -> None:
    """The broker did not take these: they are ready again."""
    IngestStep.objects.filter(pk__in=[step.pk for step in steps], state=StepState.SENT).update(
        state=StepState.READY, lease_until=None
    )


def take(step_id: int, own_queues: frozenset[str] = frozenset()) -> Lease | None:
    """Leases the step to the caller, or None: another has it, it is over, it is gone, or its run is paused.

    A step of a paused run that was sent already is ready again when its time with the broker is over.
    """
    token = uuid.uuid4()
    now = timezone.now()
    # READY too: the reconciler may have taken the step back just before its late message arrived.
    mine = IngestStep.objects.filter(
        Q(state=StepState.SENT) | Q(state=StepState.READY, ready_at__lte=now), pk=step_id
    )
    taken = mine.exclude(is_on_hold()).update(
        state=StepState.RUNNING,
        lease_token=token,
        lease_until=now + timedelta(seconds=lease_s()),
        started_at=now,
        progress=0,
    )
    if not taken:
        return None
    step = (
        IngestStep.objects.select_related("asset_version__asset")
        .filter(pk=step_id, lease_token=token)
        .first()
    )
    return None if step is None else Lease(step, token, own_queues=own_queues)


@contextmanager
def heartbeat(lease: Lease) -> Iterator[None]:
    """Extends the lease from a thread while the work goes on; ends by itself when the lease is lost."""
    over = threading.Event()
    thread = threading.Thread(
        target=_beat, args=(lease, over), name=f"heartbeat-{lease.step.pk}", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(lease: Lease, over: threading.Event) -> None:
    interval_s = lease_s() / 3
    try:
        while not over.wait(interval_s):
            try:
                if not extend(lease):
                    return
            except DatabaseError as error:
                # The next beat may get through; if none does, the lease runs out, which is what it is for.
                log.warning("heartbeat.failed", step=lease.step.pk, error=str(error))
                connection.close()
    finally:
        connection.close()


def extend(lease: Lease) -> bool:
    """Pushes the lease's end away. False when it is lost."""
    return bool(
        _held(lease).update(
            lease_until=timezone.now() + timedelta(seconds=lease_s()), progress=lease.progress
        )
    )


@contextmanager
def holding(lease: Lease) -> Iterator[AssetVersion]:
    """A transaction in which the step is the caller's, and its version's row is locked. Raises LeaseLostError."""
    with transaction.atomic():
        version = (
            AssetVersion.objects.select_for_update(of=("self",))
            .select_related("asset")
            .filter(pk=lease.step.asset_version_id)
            .first()
        )
        if version is None or not _held(lease).select_for_update().exists():
            raise LeaseLostError
        yield version


@contextmanager
def finishing(lease: Lease) -> Iterator[Finish]:
    """The transaction that keeps a step's work: in the body the caller writes, and names what follows.

    The version's row is locked from the beginning, so the body may decide what the last step of its kind decides.
    Raises LeaseLostError, and keeps nothing, when the step is not the caller's any more.
    """
    with holding(lease) as version:
        finish = Finish(version)
        yield finish
        lease.next_step_id = _insert(finish, lease.own_queues)
        _held(lease).update(
            state=StepState.DONE,
            lease_token=None,
            lease_until=None,
            progress=1,
            ended_at=timezone.now(),
            timings_ms=lease.timings_ms,
            error_code="",
            error_message="",
        )
        if lease.next_step_id is None:
            wake_relay()


def finish(lease: Lease, follow_ups: Sequence[FollowUp] = ()) -> None:
    """Ends a step that has nothing to write."""
    with finishing(lease) as ending:
        ending.follow_ups.extend(follow_ups)


def are_others_done(lease: Lease, finish: Finish) -> bool:
    """Whether this is the last step of its kind for its version; asked inside `finishing`."""
    names = _READING if lease.step.name in _READING else (lease.step.name,)
    if any(follow_up.name in names for follow_up in finish.follow_ups):
        return False
    others = IngestStep.objects.filter(asset_version=finish.version, name__in=names).exclude(pk=lease.step.pk)
    return not others.exclude(state=StepState.DONE).exists()


def _insert(finish: Finish, own_queues: frozenset[str]) -> int | None:
    """A follow-up that is there already, from an earlier attempt, stays as it is.

    The id of one that the caller goes on with: it counts as sent, so that the relay leaves it alone, and comes back as
    any lost message does when the caller dies before. Several are for the relay to share out.
    """
    is_kept = len(finish.follow_ups) == 1 and QUEUES[finish.follow_ups[0].name] in own_queues
    kept = (
        {"state": StepState.SENT, "lease_until": timezone.now() + timedelta(seconds=sent_lease_s())}
        if is_kept
        else {}
    )
    IngestStep.objects.bulk_create(
        [
            IngestStep(
                asset_version=finish.version,
                name=follow_up.name,
                part=follow_up.part,
                encoder_revision=follow_up.encoder_revision,
                arguments=follow_up.arguments,
                **kept,
            )
            for follow_up in finish.follow_ups
        ],
        ignore_conflicts=True,
    )
    if not is_kept:
        return None
    (only,) = finish.follow_ups
    return (
        IngestStep.objects.filter(
            asset_version=finish.version,
            name=only.name,
            part=only.part,
            encoder_revision=only.encoder_revision,
            state=StepState.SENT,
        )
        .values_list("pk", flat=True)
        .first()
    )


def fail(lease: Lease, code: FailureCode, message: str = "", *, final: bool = False) -> StepState:
    """Records a failed attempt: the step rests and is tried again, or is dead. Returns which of the two."""
    with transaction.atomic():
        version = AssetVersion.objects.select_for_update().filter(pk=lease.step.asset_version_id).first()
        step = _held(lease).select_for_update().first()
        if version is None or step is None:
            raise LeaseLostError
        step.timings_ms = lease.timings_ms
        return _record_failure(step, version, code, message, final=final)


def _record_failure(
    step: IngestStep, version: AssetVersion, code: FailureCode, message: str, *, final: bool = False
) -> StepState:
    """The caller has locked both rows."""
    now = timezone.now()
    step.attempts += 1
    step.error_code = code
    step.error_message = message or str(code.label)
    step.lease_token = None
    step.lease_until = None
    dead = final or step.attempts >= ATTEMPTS[code]
    step.state = StepState.DEAD if dead else StepState.READY
    if dead:
        step.ended_at = now
    else:
        step.ready_at = now + timedelta(seconds=backoff_s(step.attempts))
    step.save()
    if dead:
        fail_version(version, code, step.error_message)
    metrics.STEPS.labels(step=step.name, outcome="dead" if dead else "retried").inc()
    log.warning(
        "step.failed",
        step=step.pk,
        name=step.name,
        asset=version.asset_id,
        version=version.pk,
        code=str(code),
        message=step.error_message,
        attempts=step.attempts,
        dead=dead,
    )
    return StepState(step.state)


def reconcile() -> None:
    """Takes expired leases back and ends what is over; run in a loop by the relay."""
    _take_back_unclaimed()
    _take_back_lost()
    end_orphaned_items()
    seal_abandoned_runs()
    end_finished_runs()


def _take_back_unclaimed() -> None:
    """Sent, and nobody came: the message is lost or late. No attempt was made, so none is counted."""
    IngestStep.objects.filter(state=StepState.SENT, lease_until__lt=timezone.now()).update(
        state=StepState.READY, lease_until=None
    )


def _take_back_lost() -> None:
    expired = Q(state=StepState.RUNNING, lease_until__lt=timezone.now())
    lost = IngestStep.objects.filter(expired).values_list("pk", "asset_version_id").order_by("pk")
    for step_id, version_id in list(lost[:_RECONCILED_AT_ONCE]):
        with transaction.atomic():
            # Whoever holds the version is finishing one of its steps: look again at the next turn.
            version = AssetVersion.objects.select_for_update(skip_locked=True).filter(pk=version_id).first()
            if version is None:
                continue
            step = IngestStep.objects.select_for_update(skip_locked=True).filter(expired, pk=step_id).first()
            if step is not None:
                _record_failure(step, version, FailureCode.WORKER_LOST, "")


def end_orphaned_items() -> int:
    """A file whose asset was deleted while it waited has nothing left to wait for."""
    return IngestItem.objects.filter(
        run__in=IngestRun.objects.filter(state__in=OPEN_RUN_STATES),
        outcome=Outcome.PENDING,
        asset_version__isnull=True,
    ).update(
        outcome=Outcome.CANCELLED, error_message="The file was deleted meanwhile.", ended_at=timezone.now()
    )


def seal_abandoned_runs() -> int:
    """Closes the runs whose uploader was killed before it could: else they would never end."""
    since = timezone.now() - timedelta(seconds=abandoned_run_s())
    lately = IngestItem.objects.filter(run=OuterRef("pk"), created_at__gt=since)
    return (
        IngestRun.objects.filter(state__in=OPEN_RUN_STATES, sealed=False, created_at__lt=since)
        .exclude(Exists(lately))
        .update(sealed=True)
    )


def end_finished_runs() -> int:
    """Ends the sealed runs whose files all have an outcome."""
    # One look into the index for each open run, instead of a walk over every file there ever was.
    pending = IngestItem.objects.filter(run=OuterRef("pk"), outcome=Outcome.PENDING)
    return (
        IngestRun.objects.filter(state__in=OPEN_RUN_STATES, sealed=True)
        .exclude(Exists(pending))
        .update(state=RunState.DONE, ended_at=timezone.now())
    )


def _held(lease: Lease) -> QuerySet[IngestStep]:
    return IngestStep.objects.filter(pk=lease.step.pk, state=StepState.RUNNING, lease_token=lease.token)
