"""Do the system checks pass on a good installation, and name what is wrong with a bad one?"""

from pathlib import Path

import pytest
from pytest_django import Settings

from kb import checks


@pytest.mark.django_db
def test_the_embedded_database_passes() -> None:
    assert checks.check_postgres(databases=["default"]) == []


@pytest.mark.django_db
def test_an_old_pgvector_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "OLDEST_PGVECTOR", (99, 0))
    (found,) = checks.check_postgres(databases=["default"])
    assert "too old" in found.msg
    assert "pgvector 99" not in found.msg
    assert found.id == "kb.E003"


@pytest.mark.django_db
def test_an_old_postgres_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "OLDEST_POSTGRES", 99)
    (found,) = checks.check_postgres(databases=["default"])
    assert found.hint == "Use 99 or newer."


def test_no_database_is_asked_unless_one_is_named() -> None:
    assert checks.check_postgres(databases=None) == []


def test_a_storage_that_works_passes(storage: object) -> None:
    assert checks.check_storage() == []


def test_a_storage_that_fails_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings.KB_STORAGE = {"backend": "folder", "root": str(tmp_path / "file" / "objects")}
    (found,) = checks.check_storage()
    assert found.id == "kb.E005"
