"""What must be there before an embedded installation answers? The server, and the tables."""

import contextlib
import os
from collections.abc import Iterator

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from kb.postgres import EmbeddedPostgres
from kb.supervisor import SUPERVISED

# Any number that nothing else locks: two processes that migrate at once would both make the same tables.
_MIGRATION_LOCK = 7_301_944_172_118_202_503


@contextlib.contextmanager
def postgres_running() -> Iterator[None]:
    """In embedded mode the server runs within; elsewhere, and under a supervisor, it is somebody else's care."""
    if not settings.KB_EMBEDDED or os.environ.get(SUPERVISED):
        yield
        return
    with EmbeddedPostgres(settings.KB_HOME, die_with_parent=False):
        try:
            yield
        finally:
            connection.close()  # Before the server goes, so that neither side logs an error.


def migrate() -> None:
    """Brings the tables up to date, once, whoever else tries at the same time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        try:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])
