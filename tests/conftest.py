"""What every test may use: the embedded PostgreSQL, a home, a storage."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.backends.postgresql.operations import DatabaseOperations
from django.utils import translation
from pytest_django import Settings

from kb.embedded import Home
from kb.postgres import EmbeddedPostgres
from kb.storage import FolderStorage

_server = pytest.StashKey[EmbeddedPostgres]()


def _start_postgres(config: pytest.Config) -> None:
    if _server not in config.stash:
        server = EmbeddedPostgres(settings.KB_HOME, throwaway=True)
        server.start()
        config.stash[_server] = server


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes are named by their argument and a number: archives carry the time, and workers compare names."""
    return argname if isinstance(val, bytes) else None


def pytest_sessionstart(session: pytest.Session) -> None:
    """With pytest-xdist the controller starts the server: it outlives each worker, which just uses it."""
    is_worker = hasattr(session.config, "workerinput")
    if not is_worker and getattr(session.config.option, "numprocesses", None):
        _start_postgres(session.config)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _server in config.stash:
        config.stash[_server].stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """Runs before pytest-django makes the test database: started here, tests without one do not wait for it."""
    if not hasattr(request.config, "workerinput"):
        _start_postgres(request.config)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An embedded installation of the test's own, with nothing in it and nothing running."""
    return Home(tmp_path / "home")


@pytest.fixture
def storage(tmp_path: Path, settings: Settings) -> FolderStorage:
    """The configured storage, for this test: a folder that goes with it."""
    root = tmp_path / "objects"
    settings.KB_STORAGE = {"backend": "folder", "root": str(root)}
    return FolderStorage(root)


@pytest.fixture(autouse=True)
def in_the_sites_language() -> None:
    """Whatever language the requests of another test asked for."""
    translation.deactivate()


@pytest.fixture(scope="session", autouse=True)
def flush_reaches_partitions() -> Iterator[None]:
    """Tests with real transactions end by truncating Django's tables; kb_vector, which is none, points at them."""
    flush = DatabaseOperations.sql_flush

    def cascading(self: Any, style: Any, tables: Any, **options: Any) -> Any:
        return flush(self, style, tables, **options | {"allow_cascade": True})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", cascading)
        yield
