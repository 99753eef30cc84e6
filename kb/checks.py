"""Can this installation work at all? What Django asks at `check`, `migrate` and before a deployment.

`manage.py check --database default` looks into Postgres, `manage.py check --deploy` into the object store too.
"""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connections, transaction

from kb.exceptions import StorageError
from kb.storage import storage

# nulls-not-distinct constraints need 15; 16 is the oldest that the search statements are tested with.
OLDEST_POSTGRES = 16
# The first with iterative index scans, without which a filtered search comes back short.
OLDEST_PGVECTOR = (0, 8)


@register(Tags.database)
def check_postgres(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            found += _check_connection(alias)
        except DatabaseError as error:
            found.append(Error(f"Postgres cannot be asked: {error}", id="kb.E001"))
    return found


def _check_connection(alias: str) -> list[CheckMessage]:
    connection = connections[alias]
    major = connection.pg_version // 10_000  # type: ignore[attr-defined]  # of the PostgreSQL wrapper
    if major < OLDEST_POSTGRES:
        return [Error(f"Postgres {major} is too old.", hint=f"Use {OLDEST_POSTGRES} or newer.", id="kb.E002")]
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(installed_version, default_version), installed_version IS NOT NULL"
            " FROM pg_available_extensions WHERE name = 'vector'"
        )
        row = cursor.fetchone()
        if row is None:
            hint = "Install pgvector on the database server."
            return [Error("Postgres has no extension `vector`.", hint=hint, id="kb.E003")]
        version, is_installed = row
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_PGVECTOR:
            hint = "Install pgvector 0.8 or newer, then ALTER EXTENSION vector UPDATE."
            return [Error(f"pgvector {version} is too old.", hint=hint, id="kb.E003")]
        if is_installed and not _takes_iterative_scan(cursor):
            hint = "Another library took the name; ask whoever runs the database server."
            return [Error("Postgres does not know hnsw.iterative_scan.", hint=hint, id="kb.E004")]
    return []


def _takes_iterative_scan(cursor: Any) -> bool:
    """Before its library is loaded Postgres takes any value for the setting, so a value is made a vector first."""
    cursor.execute("SELECT '[1]'::vector")
    cursor.execute("SELECT enumvals FROM pg_settings WHERE name = 'hnsw.iterative_scan'")
    row = cursor.fetchone()
    return row is not None and {"relaxed_order", "strict_order"} <= set(row[0])


@register("storage", deploy=True)
def check_storage(**_: Any) -> list[CheckMessage]:
    try:
        storage().ready()
    except StorageError as error:
        return [Error(str(error), hint="Look at KB_STORAGE or the KB_S3_ variables.", id="kb.E005")]
    return []
