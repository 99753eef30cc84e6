"""Is this process alive, and can it serve? (/livez and /readyz, for whoever restarts and routes)"""

from collections.abc import Callable

import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kb import metrics
from kb.exceptions import StorageError
from kb.storage import storage

log = structlog.get_logger(__name__)


class NotReadyError(Exception):
    """A part does not serve."""


@require_safe
@never_cache
def livez(_request: HttpRequest) -> JsonResponse:
    """Asks nothing of others: restarting this process would not mend them."""
    return JsonResponse({"alive": True})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    """503 names the parts that fail; why is in the log, since anyone may ask."""
    failing = [name for name, check in CHECKS if not _passes(name, check)]
    return JsonResponse({"ready": not failing, "failing": failing}, status=503 if failing else 200)


def _passes(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except (DatabaseError, StorageError, OSError, NotReadyError) as error:
        log.error("health.not_ready", part=name, exc_info=error)
        metrics.READY.labels(name).set(0)
        return False
    metrics.READY.labels(name).set(1)
    return True


def _postgres() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrations() -> None:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if pending:
        raise NotReadyError(f"{len(pending)} migrations are not applied, {pending[0][0]} first.")


def _storage() -> None:
    storage().ready()


CHECKS: tuple[tuple[str, Callable[[], None]], ...] = (
    ("postgres", _postgres),
    ("migrations", _migrations),
    ("storage", _storage),
)
