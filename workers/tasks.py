"""What does a worker do with a message? Takes the step's lease, calls the one function for it, records the end."""

from time import monotonic

import structlog
from celery import shared_task
from django.db import IntegrityError, OperationalError

from kb import tus
from kb.exceptions import FailureCode, IngestError, ObjectMissingError, StorageError
from workers import metrics, outbox, pipeline, relay
from workers.connectors import schedule

log = structlog.get_logger(__name__)


@shared_task(name=relay.TASK_NAME, ignore_result=True)
def run_step(step_id: int) -> None:
    """Runs one step. A message for a step that is over, taken or gone does nothing."""
    lease = outbox.take(step_id)
    if lease is None:
        return
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
                _run(lease)
        finally:
            metrics.STEP_SECONDS.labels(step=step.name).observe(monotonic() - started)


def _run(lease: outbox.Lease) -> None:
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
        except (OperationalError, IntegrityError) as error:
            # Dead-locks and time-outs pass; a row that others point at went away: the next attempt sees why. When the
            # database itself is away this fails too, and the lease runs out.
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
    except outbox.LeaseLostError:
        metrics.STEPS.labels(step=lease.step.name, outcome="lost").inc()
        log.warning("step.lease_lost")


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
