"""What does a worker do with a message? Takes the step's lease, calls the one function for it, records the end."""

from time import monotonic

import structlog
from celery import Task, shared_task
from django.db import IntegrityError, InterfaceError, OperationalError

from kb import tus
from kb.exceptions import FailureCode, IngestError, ObjectMissingError, StorageError
from workers import metrics, outbox, pipeline, relay
from workers.connectors import schedule

log = structlog.get_logger(__name__)

_DATABASE_AWAY = (OperationalError, InterfaceError)


@shared_task(name=relay.TASK_NAME, ignore_result=True, bind=True)
def run_step(self: "Task[[int], None]", step_id: int) -> None:
    """Runs one step, and what follows from it alone where this worker works off the queue of that, too.

    Of a short file's three steps two need no message then, which took a tenth of a second each. A message for a step
    that is over, taken or gone does nothing.
    """
    # Called as a function, in tests and evaluations, it does what it was called for.
    queues = frozenset() if self.request.called_directly else frozenset(self.app.amqp.queues.consume_from)
    following: int | None = step_id
    while following is not None:
        following = _run_one(following, queues)


def _run_one(step_id: int, queues: frozenset[str]) -> int | None:
    """The step to go on with."""
    try:
        lease = outbox.take(step_id, queues)
    except _DATABASE_AWAY as error:
        log.warning("database.away", error=str(error))  # Nobody took the step, so it is sent again.
        return None
    if lease is None:
        return None
    step = lease.step
    with structlog.contextvars.bound_contextvars(
        step=step.pk,
        name=step.name,
        part=step.part,
        asset=step.asset_version.asset_id,
        version=step.asset_version_id,
        runs=list(step.asset_version.items.values_list("run_id", flat=True)),
    ):
        started = monotonic()
        try:
            with outbox.heartbeat(lease):
                return lease.next_step_id if _run(lease) else None
        except _DATABASE_AWAY as error:
            # Not even the failure could be written down: the lease runs out, and the step comes back.
            log.warning("database.away", error=str(error))
            return None
        finally:
            metrics.STEP_SECONDS.labels(step=step.name).observe(monotonic() - started)


def _run(lease: outbox.Lease) -> bool:
    """Whether the step is done."""
    try:
        try:
            pipeline.run(lease)
        except IngestError as error:
            # A word on the file itself, and trying again reads the same bytes; INTERNAL is a word on ourselves.
            outbox.fail(lease, error.code, str(error), final=error.code != FailureCode.INTERNAL)
        except ObjectMissingError:
            log.exception("step.object_missing")
            outbox.fail(
                lease, FailureCode.STORAGE_UNAVAILABLE, "The file's bytes are not in the object store."
            )
        except StorageError as error:
            outbox.fail(lease, FailureCode.STORAGE_UNAVAILABLE, str(error))
        except _DATABASE_AWAY as error:
            # Dead-locks, time-outs and a database that restarts pass, and say nothing against the file. While the
            # database is away this fails too, and the lease runs out.
            log.warning("step.database_error", error=str(error))
            outbox.fail(lease, FailureCode.WORKER_LOST)
        except IntegrityError as error:
            # A row that others point at went away: the next attempt sees why.
            log.warning("step.database_error", error=str(error))
            outbox.fail(lease, FailureCode.INTERNAL)
        except outbox.LeaseLostError:
            raise
        except Exception:
            # Whatever a step raises must end in a named outcome, or its file would wait for ever; the log has the
            # traceback. Not BaseException: a worker that is told to stop leaves the step to the reconciler.
            log.exception("step.internal_error")
            outbox.fail(lease, FailureCode.INTERNAL)
        else:
            metrics.STEPS.labels(step=lease.step.name, outcome="done").inc()
            return True
    except outbox.LeaseLostError:
        metrics.STEPS.labels(step=lease.step.name, outcome="lost").inc()
        log.warning("step.lease_lost")
    return False


@shared_task(name=schedule.TASK_NAME, ignore_result=True)
def scan_source(source_id: int) -> None:
    """Scans a source that waits for it. A message for one that is taken or gone does nothing."""
    schedule.run(source_id)


@shared_task(name="workers.tasks.start_due_scans", ignore_result=True)
def start_due_scans() -> None:
    schedule.send_due()


@shared_task(name=relay.TIDY_TASK_NAME, ignore_result=True)
def tidy_uploads() -> None:
    tus.tidy()
