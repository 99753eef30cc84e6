"""Which sources are scanned now, and by whom? The row of a source is its own queue entry and its own lease.

As with ingest steps, a message only points at the row: one that is lost is sent again, one that comes twice finds
the source taken, and a worker that dies is noticed when its lease runs out.
"""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import KombuError

from kb import source_settings, uploads
from kb.exceptions import KbError, StorageError
from kb.models import Source, SourceState
from kb.source_settings import FolderSettings, S3Settings
from workers.celery import app
from workers.connectors.base import Connector, ConnectorError
from workers.connectors.scan import Report, ScanStoppedError, scan

log = structlog.get_logger(__name__)

TASK_NAME = "workers.tasks.scan_source"
QUEUE = "default"
# A message that no worker took by then is sent again. Scans are long and few, so one may well wait for another.
SENT_LEASE_S = 300.0
# Extended three times in that span; the scan of a killed worker starts again after a minute.
LEASE_S = 60.0
_RESTING = (SourceState.IDLE, SourceState.FAILED, SourceState.HELD)


class LeaseLostError(KbError):
    """Another worker has the source, or it is gone."""


@dataclass(slots=True)
class Lease:
    source: Source
    token: uuid.UUID
    lost: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raises LeaseLostError."""
        if self.lost.is_set():
            raise LeaseLostError


def connect(source: Source) -> Connector:
    """Raises ConnectorError."""
    try:
        settings = source_settings.parse(source.kind, source.settings)
    except source_settings.SourceSettingsError as error:
        raise ConnectorError(str(error)) from error
    # Here: workers that scan nothing need none of their libraries.
    if isinstance(settings, FolderSettings):
        from workers.connectors.folder import FolderConnector

        return FolderConnector(settings)
    if isinstance(settings, S3Settings):
        from workers.connectors.s3 import S3Connector

        return S3Connector(settings)
    from workers.connectors.website import WebsiteConnector

    return WebsiteConnector(settings)


def send_due() -> int:
    """Sends what is asked for, due, or lost. Called by the relay and by beat, as often as they like. How many."""
    now = timezone.now()
    with transaction.atomic():
        due = list(
            Source.objects.select_for_update(skip_locked=True)
            .filter(
                Q(state__in=(SourceState.WAITING, SourceState.SCANNING), lease_until__lte=now)
                | Q(state__in=_RESTING, next_scan_at__lte=now)
            )
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        Source.objects.filter(pk__in=due).update(
            state=SourceState.WAITING, lease_until=now + timedelta(seconds=SENT_LEASE_S), lease_token=None
        )
    sent = 0
    for pk in due:
        try:
            app.send_task(TASK_NAME, args=[pk], queue=QUEUE, retry=False)
            sent += 1
        except (KombuError, OSError) as error:
            log.warning("broker.away", unsent=len(due) - sent, error=str(error))
            Source.objects.filter(pk__in=due[sent:], state=SourceState.WAITING).update(lease_until=now)
            break
    return sent


def run(source_id: int) -> Report | None:
    """Scans the source, if it waits for that. None: it does not, or its lease was lost on the way."""
    lease = take(source_id)
    if lease is None:
        return None
    with structlog.contextvars.bound_contextvars(source=source_id), heartbeat(lease):
        try:
            return _run(lease)
        except LeaseLostError:
            log.warning("scan.lease_lost")
            return None


def _run(lease: Lease) -> Report | None:
    source = lease.source
    try:
        if source.last_run is not None and not source.last_run.sealed:
            uploads.seal(source.last_run)  # A worker died over it.
        report = scan(
            source,
            connect(source),
            may_delete_most=source.may_delete_most,
            keep_going=lease.check,
        )
    except ScanStoppedError as stop:
        end(lease, SourceState.IDLE, str(stop))
    except (ConnectorError, StorageError) as error:
        log.warning("scan.failed", error=str(error))
        end(lease, SourceState.FAILED, str(error))
    except LeaseLostError:
        raise
    except Exception:
        # Whatever a scan raises must end it by name, or the source would be scanned again every minute. Not
        # BaseException: a worker that is told to stop leaves the source to the next one.
        log.exception("scan.internal_error")
        end(lease, SourceState.FAILED, "An unexpected error, which the log explains.")
    else:
        held = (
            f"{report.held} of {report.held + report.seen} files are gone. Nothing was deleted. If that is right, "
            "scan again and confirm it."
        )
        end(lease, SourceState.HELD if report.held else SourceState.IDLE, held if report.held else "", report)
        log.info("scan.done", **{name: n for name, n in report.as_dict().items() if name != "problems"})
        return report
    return None


def take(source_id: int) -> Lease | None:
    """Leases a source that waits, or None."""
    token = uuid.uuid4()
    taken = Source.objects.filter(pk=source_id, state=SourceState.WAITING).update(
        state=SourceState.SCANNING,
        lease_token=token,
        lease_until=timezone.now() + timedelta(seconds=LEASE_S),
    )
    if not taken:
        return None
    source = (
        Source.objects.select_related("collection", "created_by", "last_run")
        .filter(pk=source_id, lease_token=token)
        .first()
    )
    return None if source is None else Lease(source, token)


def end(lease: Lease, state: SourceState, error: str, report: Report | None = None) -> None:
    """Raises LeaseLostError, and says nothing, when the source is another's."""
    now = timezone.now()
    minutes = Source.objects.filter(pk=lease.source.pk).values_list("schedule_minutes", flat=True).first()
    changes: dict[str, object] = {} if report is None else {"report": report.as_dict()}
    ended = Source.objects.filter(pk=lease.source.pk, lease_token=lease.token).update(
        state=state,
        error=error,
        lease_token=None,
        lease_until=None,
        may_delete_most=False,
        last_scan_at=now,
        next_scan_at=now + timedelta(minutes=minutes) if minutes else None,
        **changes,
    )
    if not ended:
        raise LeaseLostError


@contextmanager
def heartbeat(lease: Lease) -> Iterator[None]:
    """Extends the lease from a thread while the scan goes on."""
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(lease, over), name=f"scan-{lease.source.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(lease: Lease, over: threading.Event) -> None:
    try:
        while not over.wait(LEASE_S / 3):
            try:
                held = Source.objects.filter(pk=lease.source.pk, lease_token=lease.token).update(
                    lease_until=timezone.now() + timedelta(seconds=LEASE_S)
                )
            except DatabaseError as error:
                # The next beat may get through; if none does, the lease runs out, which is what it is for.
                log.warning("heartbeat.failed", error=str(error))
                connection.close()
            else:
                if not held:
                    lease.lost.set()
                    return
    finally:
        connection.close()
