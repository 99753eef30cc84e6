"""Does `kb source` make, scan and list sources, and say by its status how a scan went?"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User

from kb.models import Asset, Collection, Source
from kb.permissions import visible_assets
from tests.integration.ingest import work_off
from workers.cli import main, source
from workers.connectors.scan import GUARDED_FROM

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder", "storage")]

Kb = Callable[..., tuple[int, str]]


@pytest.fixture
def kb(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Kb:
    """Runs `kb source …`; the steps are worked off in this thread, in place of relay and worker."""
    from kb.supervisor import SUPERVISED

    monkeypatch.setenv(SUPERVISED, "1")

    class Here:
        def ensure(self) -> None:
            work_off()

    monkeypatch.setattr(source, "services", lambda _: _Entered(Here()))

    def run(*arguments: str) -> tuple[int, str]:
        status = main(["source", *arguments])
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    return run


class _Entered:
    def __init__(self, helpers: object) -> None:
        self._helpers = helpers

    def __enter__(self) -> object:
        return self._helpers

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def share(tmp_path: Path) -> Path:
    root = tmp_path / "share"
    root.mkdir()
    for number in range(GUARDED_FROM):
        file = root / f"{number}.txt"
        file.write_text(f"File {number}.")
        os.utime(file, (1_700_000_000, 1_700_000_000))
    return root


def test_a_folder_is_added_scanned_and_listed(kb: Kb, share: Path) -> None:
    assert kb("add", str(share), "--collection", "Files", "--every", "30")[0] == 0
    status, said = kb("scan", "share")
    assert (status, f"{GUARDED_FROM} added" in said) == (0, True)
    assert Asset.objects.filter(version=1).count() == GUARDED_FROM
    status, said = kb("list")
    assert (status, "share (folder) -> Files, every 30 min: idle" in said) == (0, True)


def test_a_scan_that_misses_most_of_it_fails_until_it_is_forced(kb: Kb, share: Path) -> None:
    kb("add", str(share), "--collection", "Files")
    kb("scan", "share")
    shutil.rmtree(share)
    share.mkdir()
    status, said = kb("scan", "share")
    assert (status, "Nothing was deleted" in said) == (1, True)
    assert Asset.objects.count() == GUARDED_FROM
    assert kb("scan", "share", "--force")[0] == 0
    assert Asset.objects.count() == 0


def test_folders_have_the_readers_that_were_named(kb: Kb, share: Path) -> None:
    ana = User.objects.create_user("ana")
    group = Group.objects.create(name="HR")
    ana.groups.add(group)
    assert kb("add", str(share), "-c", "Files", "--readers", "=group:HR,user:ana", "--user", "ana")[0] == 0
    kb("scan", "share", "--user", "ana")
    collection = Collection.objects.get()
    collection.audience.members.all().delete()
    assert visible_assets(ana).count() == GUARDED_FROM


@pytest.mark.parametrize(
    ("place", "options", "kind"),
    [
        ("https://example.org/wiki/", ["--set", "max_depth=5", "--set", "delay_s=0.5"], "website"),
        ("s3://files/docs/", ["--set", "endpoint=s3.example.org", "--set", "secure=false"], "s3"),
    ],
)
def test_the_kind_follows_from_the_place(place: str, options: list[str], kind: str, kb: Kb) -> None:
    assert kb("add", place, "-c", "Files", *options)[0] == 0
    made = Source.objects.get()
    assert made.kind == kind
    expected = {"website": ("max_depth", 5), "s3": ("secure", False)}[kind]
    assert made.settings[expected[0]] == expected[1]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["add", "/no/such/folder", "-c", "Files"], "There is no folder"),
        (["add", "https://example.org/", "-c", "F", "--set", "max_depth=deep"], "must be a number"),
        (
            ["add", "https://example.org/", "-c", "F", "--readers", "hr=user:nobody"],
            "There is no 'user:nobody'",
        ),
        (["scan", "nothing"], "There is no source"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], complaint: str, kb: Kb) -> None:
    status, said = kb(*arguments)
    assert status == 2
    assert complaint in said


def test_whoever_does_not_manage_the_collection_may_not_scan(kb: Kb, share: Path) -> None:
    User.objects.create_user("ana")
    kb("add", str(share), "-c", "Files")
    status, said = kb("scan", "share", "--user", "ana")
    assert (status, "does not manage" in said) == (2, True)
