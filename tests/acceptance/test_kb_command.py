"""Does the `kb` command do the whole job on an empty machine: start, ingest, search, and leave nothing running?"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kb.embedded import Home
from kb.postgres import EmbeddedPostgres
from kb.supervisor import running

# The first run makes the database and prepares the encoder.
DEADLINE_S = 240


class Installation:
    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.files = folder / "files"
        self.files.mkdir()
        (self.files / "pumps.md").write_text(
            "# Pumps\n\nThe impeller of the turbine pump is made of bronze.\n"
        )
        (self.files / "notes.txt").write_text("Holiday planning for the accounting department.\n")
        (self.files / "empty.txt").write_text("")

    def kb(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | {
            "KB_HOME": str(self.home.root),
            "DJANGO_SETTINGS_MODULE": "kb.settings.embedded",
        }
        command = [sys.executable, "-m", "workers.cli", *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )

    def ingest(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.kb("ingest", str(self.files), "--workers", "1", *arguments)

    def titles(self, words: str, *arguments: str) -> list[str]:
        result = self.kb("search", words, "--json", *arguments)
        assert result.returncode == 0, result.stderr
        return [hit["source_uri"] for hit in json.loads(result.stdout)["hits"]]

    def runs_nothing(self) -> bool:
        return running(self.home) is None and EmbeddedPostgres(self.home).pid() is None


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """With the files in the collection Handbook."""
    made = Installation(tmp_path_factory.mktemp("kb"))
    result = made.ingest("-c", "Handbook")
    assert result.returncode == 0, result.stderr
    # Each format with its outcomes, and the failure by its code.
    assert "text/markdown" in result.stdout
    assert "empty.txt: failed, empty_file: The file has no content." in result.stdout
    assert "--everyone" in result.stdout
    assert made.runs_nothing()
    return made


def test_what_was_ingested_is_found_and_nothing_is_left_running(installation: Installation) -> None:
    assert installation.titles("bronze impeller")[0] == "pumps.md"
    assert installation.runs_nothing()


def test_a_search_on_the_terminal_shows_the_hit_and_the_time(installation: Installation) -> None:
    result = installation.kb("search", "bronze impeller", "-n", "1")
    assert "Handbook" in result.stdout
    assert "impeller" in result.stdout
    assert result.stdout.rstrip().endswith(" ms")


def test_the_same_files_again_change_nothing(installation: Installation) -> None:
    result = installation.ingest("-c", "Handbook")
    assert result.returncode == 0
    assert "unchanged" in result.stdout
    assert "indexed" not in result.stdout


def test_an_unknown_user_and_a_missing_path_are_named(installation: Installation) -> None:
    result = installation.kb("search", "pump", "--user", "nobody-here")
    assert (result.returncode, result.stderr) == (2, "kb: There is no active user 'nobody-here'.\n")
    result = installation.kb("ingest", "/nowhere/at/all", "-c", "Handbook")
    assert (result.returncode, result.stderr) == (2, "kb: There is no /nowhere/at/all.\n")


def test_detached_work_goes_on_after_the_command_and_ends_by_itself(installation: Installation) -> None:
    (installation.files / "late.txt").write_text("A late addition about hydraulic seals.\n")
    result = installation.ingest("-c", "Handbook", "--detach")
    assert result.returncode == 0, result.stderr
    deadline = time.monotonic() + DEADLINE_S
    while not installation.runs_nothing():
        assert time.monotonic() < deadline
        time.sleep(0.2)  # Between two looks.
    assert installation.titles("hydraulic seals")[0] == "late.txt"


def test_status_says_what_is_in_the_library(installation: Installation) -> None:
    result = installation.kb("status")
    assert result.returncode == 0
    assert "not running (kb up)" in result.stdout
    assert "1 collections" in result.stdout
