"""Does a collection follow a folder: what is new, changed, renamed and gone, and nothing else?"""

import os
import shutil
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from kb import library, sources
from kb.models import (
    Asset,
    AuditEvent,
    Collection,
    IngestRun,
    Outcome,
    Source,
    SourceEntry,
    SourceState,
)
from kb.permissions import Principal, Role, grant, interned_audience, visible_assets
from kb.source_settings import FolderSettings
from kb.sources import FolderReaders
from tests.integration.ingest import assert_parts_agree, assert_statistics_are_right, outcomes, work_off
from workers.connectors import schedule
from workers.connectors.base import ConnectorError
from workers.connectors.folder import FolderConnector
from workers.connectors.scan import GUARDED_FROM, Report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder", "storage")]

LONG_AGO_S = 1_700_000_000


class Share:
    """A folder, its source, and the scans of it."""

    def __init__(self, root: Path, collection: Collection, manager: User) -> None:
        self.root, self.collection, self.manager = root, collection, manager
        root.mkdir()
        self.clock_s = LONG_AGO_S
        self.source = self.make("Share", root)

    def make(self, name: str, root: Path, *folders: FolderReaders) -> Source:
        return sources.make_source(
            self.manager,
            self.collection,
            name=name,
            kind="folder",
            settings=FolderSettings(path=str(root)),
            folders=folders,
        )

    def write(self, path: str, content: str) -> None:
        """With a time of its own, long enough ago to be settled."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        self.clock_s += 60
        os.utime(file, (self.clock_s, self.clock_s))

    def scan(self, source: Source | None = None, *, may_delete_most: bool = False) -> Report:
        source = source or self.source
        sources.request_scan(self.manager, source, may_delete_most=may_delete_most)
        report = schedule.run(source.pk)
        source.refresh_from_db()
        assert report is not None, source.error
        work_off()
        return report

    def places(self) -> list[str]:
        return sorted(Asset.objects.filter(version__gt=0).values_list("source_uri", flat=True))


@pytest.fixture
def manager(collection: Collection) -> User:
    user = User.objects.create_user("mia")
    grant(collection, Principal(user=user), Role.MANAGER)
    return user


@pytest.fixture
def share(tmp_path: Path, collection: Collection, manager: User) -> Share:
    return Share(tmp_path / "share", collection, manager)


def test_files_come_in_once_and_a_second_scan_reads_none_of_them(
    share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    share.write("pumps/seal.txt", "The seal faces are lapped.")
    share.write("readme.md", "# Read me\n\nFirst of all.")
    first = share.scan()
    assert (first.added, first.unchanged, first.seen) == (2, 0, 2)
    assert share.places() == ["share/pumps/seal.txt", "share/readme.md"]
    run = share.source.last_run
    assert run is not None
    run.refresh_from_db()
    assert run.sealed
    assert outcomes(run) == {"share/pumps/seal.txt": Outcome.INDEXED, "share/readme.md": Outcome.INDEXED}

    real = os.open
    opened: list[str] = []

    def watching(path: str, flags: int, *args: object, **options: object) -> int:
        if not flags & os.O_DIRECTORY:
            opened.append(str(path))
        return real(path, flags, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", watching)
    second = share.scan()
    assert (second.added, second.changed, second.unchanged, second.deleted) == (0, 0, 2, 0)
    assert "seal.txt" not in opened
    assert IngestRun.objects.count() == 1


def test_a_changed_file_is_a_new_version_of_the_same_asset(share: Share) -> None:
    share.write("seal.txt", "The seal faces are lapped.")
    share.scan()
    before = Asset.objects.get()
    share.write("seal.txt", "The seal faces are carbon.")
    report = share.scan()
    after = Asset.objects.get()
    assert (report.changed, after.pk, after.version) == (1, before.pk, 2)
    assert after.sha256 != before.sha256
    assert_parts_agree()
    assert_statistics_are_right()


def test_a_touched_file_with_the_same_bytes_is_no_new_version(share: Share) -> None:
    share.write("seal.txt", "The seal faces are lapped.")
    share.scan()
    share.write("seal.txt", "The seal faces are lapped.")
    report = share.scan()
    assert (report.changed, report.unchanged) == (0, 1)
    assert Asset.objects.get().version == 1
    assert share.scan().unchanged == 1


def test_a_file_that_was_written_this_very_moment_is_looked_at_again(share: Share) -> None:
    (share.root / "fresh.txt").write_text("Still being written.")
    share.scan()
    assert SourceEntry.objects.get().fingerprint == ""
    os.utime(share.root / "fresh.txt", (LONG_AGO_S, LONG_AGO_S))
    assert share.scan().unchanged == 1
    assert SourceEntry.objects.get().fingerprint == f"{LONG_AGO_S * 10**9}-20"


def test_a_deleted_file_goes_with_everything_made_from_it(share: Share) -> None:
    share.write("a.txt", "One.")
    share.write("b.txt", "Two.")
    share.scan()
    (share.root / "a.txt").unlink()
    assert share.scan().deleted == 1
    assert share.places() == ["share/b.txt"]
    assert not SourceEntry.objects.filter(uri="a.txt").exists()
    assert AuditEvent.objects.filter(action="asset.deleted", details__source=share.source.pk).count() == 1
    assert_statistics_are_right()


def test_a_renamed_file_keeps_its_asset_and_gets_its_new_name(share: Share) -> None:
    share.write("old.txt", "Words that stay.")
    share.scan()
    asset = Asset.objects.get()
    (share.root / "old.txt").rename(share.root / "new.txt")
    share.scan()
    renamed = Asset.objects.get()
    assert (renamed.pk, renamed.source_uri, renamed.title) == (asset.pk, "share/new.txt", "new.txt")
    assert (renamed.version, renamed.state) == (2, "ready")
    assert SourceEntry.objects.get().asset_id == asset.pk
    assert_parts_agree()
    assert_statistics_are_right()


def test_equal_files_are_one_asset_that_lives_as_long_as_one_of_them(share: Share) -> None:
    share.write("a.txt", "The same words.")
    share.write("b.txt", "The same words.")
    share.scan()
    assert share.places() == ["share/a.txt"]
    share.write("a.txt", "Other words now.")
    share.scan()
    assert share.places() == ["share/a.txt", "share/b.txt"]
    (share.root / "a.txt").unlink()
    share.scan()
    assert share.places() == ["share/b.txt"]


def test_links_pipes_and_version_control_are_passed_over(share: Share, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "keys.txt").write_text("Not of the share.")
    (share.root / "to-file.txt").symlink_to(tmp_path / "secret" / "keys.txt")
    (share.root / "to-folder").symlink_to(tmp_path / "secret")
    os.mkfifo(share.root / "pipe.txt")
    share.write(".git/config.txt", "Not content.")
    share.write("real.txt", "Content.")
    assert share.scan().seen == 1
    assert share.places() == ["share/real.txt"]


def test_a_file_that_becomes_a_link_while_it_is_looked_at_is_not_followed(
    share: Share, tmp_path: Path
) -> None:
    (tmp_path / "keys.txt").write_text("Not of the share.")
    share.write("a.txt", "Harmless.")
    connector = FolderConnector(FolderSettings(path=str(share.root)))
    entry = next(iter(connector.entries({})))
    (share.root / "a.txt").unlink()
    (share.root / "a.txt").symlink_to(tmp_path / "keys.txt")
    with pytest.raises(Exception, match="could not be opened"), entry.open():
        pass


def test_a_root_that_has_become_a_link_is_refused(share: Share, tmp_path: Path) -> None:
    share.write("a.txt", "One.")
    share.scan()
    (tmp_path / "elsewhere").mkdir()
    shutil.rmtree(share.root)
    share.root.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConnectorError, match="has become a link"):
        list(FolderConnector(FolderSettings(path=str(share.root))).entries({}))


def test_an_unreachable_folder_fails_by_name_and_deletes_nothing(share: Share) -> None:
    share.write("a.txt", "One.")
    share.scan()
    share.root.rename(share.root.with_name("unmounted"))
    sources.request_scan(share.manager, share.source)
    assert schedule.run(share.source.pk) is None
    share.source.refresh_from_db()
    assert share.source.state == SourceState.FAILED
    assert "cannot be read" in share.source.error
    assert share.places() == ["share/a.txt"]


def test_nothing_below_a_folder_that_cannot_be_listed_is_deleted(
    share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    share.write("locked/a.txt", "One.")
    share.write("b.txt", "Two.")
    share.write("c.txt", "Three.")
    share.scan()
    (share.root / "c.txt").unlink()
    real = os.open

    def failing(path: str, *args: object, **options: object) -> int:
        if path == "locked":
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", failing)
    report = share.scan()
    assert (report.deleted, report.problems) == (1, ["locked: Permission denied"])
    assert share.places() == ["share/b.txt", "share/locked/a.txt"]


def test_a_large_source_that_is_suddenly_empty_is_held_until_somebody_confirms_it(share: Share) -> None:
    for number in range(GUARDED_FROM):
        share.write(f"{number}.txt", f"File {number}.")
    share.scan()
    shutil.rmtree(share.root)
    share.root.mkdir()
    report = share.scan()
    assert (report.held, report.deleted) == (GUARDED_FROM, 0)
    assert share.source.state == SourceState.HELD
    assert f"{GUARDED_FROM} of {GUARDED_FROM} files are gone" in share.source.error
    assert len(share.places()) == GUARDED_FROM

    confirmed = share.scan(may_delete_most=True)
    assert (confirmed.deleted, share.places()) == (GUARDED_FROM, [])
    assert (share.source.state, share.source.error) == (SourceState.IDLE, "")
    assert share.source.may_delete_most is False


def test_half_of_a_source_may_go_without_asking(share: Share) -> None:
    for number in range(2 * GUARDED_FROM):
        share.write(f"{number}.txt", f"File {number}.")
    share.scan()
    for number in range(GUARDED_FROM):
        (share.root / f"{number}.txt").unlink()
    assert share.scan().deleted == GUARDED_FROM


def test_a_file_that_cannot_be_read_is_named_and_tried_again(
    share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    share.write("a.txt", "One.")
    real = os.open

    def failing(path: str, *args: object, **options: object) -> int:
        if path == "a.txt":
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", failing)
        report = share.scan()
    assert report.unreadable == 1
    run = share.source.last_run
    assert run is not None
    assert [item.error_code for item in run.items.all()] == ["source_unreadable"]
    assert share.scan().added == 1


def test_a_refused_file_is_not_read_again_until_more_formats_are_known(
    share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    (share.root / "tool.exe").write_bytes(b"\x7fELF" + bytes(100))
    os.utime(share.root / "tool.exe", (LONG_AGO_S, LONG_AGO_S))
    assert share.scan().refused == 1
    assert share.scan().unchanged == 1
    monkeypatch.setattr("kb.media_types.SUPPORTED", frozenset({"text/plain"}))
    assert share.scan().refused == 1


def test_a_name_in_no_known_encoding_comes_in_with_its_bytes_spelled_out(share: Share) -> None:
    path = os.fsencode(share.root) + b"/caf\xe9.txt"
    with open(path, "w") as file:  # noqa: PTH123 - a name that is no text
        file.write("Coffee.")
    os.utime(path, (LONG_AGO_S, LONG_AGO_S))
    share.scan()
    assert share.places() == ["share/caf\\xe9.txt"]
    assert share.scan().unchanged == 1


def test_what_a_person_deleted_here_stays_deleted_until_the_file_changes(share: Share) -> None:
    share.write("a.txt", "One.")
    share.scan()
    library.delete_asset(Asset.objects.get())
    assert share.scan().unchanged == 1
    assert share.places() == []
    share.write("a.txt", "Two.")
    share.scan()
    assert share.places() == ["share/a.txt"]


def test_two_sources_may_have_a_file_of_the_same_name(share: Share, tmp_path: Path) -> None:
    share.write("readme.txt", "Of the share.")
    other_root = tmp_path / "other"
    other_root.mkdir()
    (other_root / "readme.txt").write_text("Of the other one.")
    other = share.make("Other", other_root)
    share.scan()
    share.scan(other)
    assert share.places() == ["other/readme.txt", "share/readme.txt"]


def readers(folder: str, *users: User) -> FolderReaders:
    return FolderReaders(folder, tuple(Principal(user=user) for user in users))


def seen_by(user: User) -> set[str]:
    return set(visible_assets(user).values_list("source_uri", flat=True))


def test_a_folder_has_the_readers_that_the_source_gives_it(share: Share) -> None:
    ana, ben = User.objects.create_user("ana"), User.objects.create_user("ben")
    grant(share.collection, Principal(user=ana), Role.VIEWER)
    sources.change_source(share.manager, share.source, {}, [readers("hr", ben), readers("hr/open", ana, ben)])
    share.write("hr/salaries.txt", "Who earns what.")
    share.write("hr/open/holidays.txt", "When we are away.")
    share.write("hrx/other.txt", "Another folder that begins alike.")
    share.scan()
    assert seen_by(ana) == {"share/hr/open/holidays.txt", "share/hrx/other.txt"}
    assert seen_by(ben) == {"share/hr/salaries.txt", "share/hr/open/holidays.txt"}
    assert_parts_agree()


def test_new_readers_of_a_folder_take_effect_without_reading_its_files(share: Share) -> None:
    ana, ben = User.objects.create_user("ana"), User.objects.create_user("ben")
    sources.change_source(share.manager, share.source, {}, [readers("hr", ana)])
    share.write("hr/salaries.txt", "Who earns what.")
    share.scan()
    sources.change_source(share.manager, share.source, {}, [readers("hr", ben)])
    assert share.scan().unchanged == 1
    assert (seen_by(ana), seen_by(ben)) == (set(), {"share/hr/salaries.txt"})
    sources.change_source(share.manager, share.source, {}, [])
    share.scan()
    assert (seen_by(ben), seen_by(share.manager)) == (set(), {"share/hr/salaries.txt"})
    assert_parts_agree()
    assert_statistics_are_right()


def test_a_persons_decision_on_one_file_outlives_scans_and_changes_of_the_file(share: Share) -> None:
    ana = User.objects.create_user("ana")
    share.write("plan.txt", "Of the board.")
    share.scan()
    own = interned_audience([Principal(user=ana)])
    library.move(Asset.objects.get(), own)
    share.scan()
    share.write("plan.txt", "Of the board, again.")
    share.scan()
    asset = Asset.objects.get()
    assert (asset.version, asset.own_audience_id, asset.audience_id) == (2, own.pk, own.pk)


def test_narrower_readers_are_not_undone_by_a_version_that_was_on_its_way(share: Share) -> None:
    ana, ben = User.objects.create_user("ana"), User.objects.create_user("ben")
    sources.change_source(share.manager, share.source, {}, [readers("hr", ana)])
    share.write("hr/salaries.txt", "Who earns what.")
    sources.request_scan(share.manager, share.source)
    schedule.run(share.source.pk)  # Not worked off: the version waits, with the readers of that time.
    share.source.refresh_from_db()
    sources.change_source(share.manager, share.source, {}, [readers("hr", ben)])
    sources.request_scan(share.manager, share.source)
    schedule.run(share.source.pk)
    work_off()
    assert (seen_by(ana), seen_by(ben)) == (set(), {"share/hr/salaries.txt"})
    assert_parts_agree()


def test_bytes_that_leave_an_open_folder_are_not_open_any_more(share: Share) -> None:
    ana, ben = User.objects.create_user("ana"), User.objects.create_user("ben")
    sources.change_source(share.manager, share.source, {}, [readers("a", ana), readers("z", ben)])
    share.write("a/same.txt", "The same words.")
    share.write("z/same.txt", "The same words.")
    share.scan()
    (share.root / "a" / "same.txt").unlink()
    share.scan()
    assert (seen_by(ana), seen_by(ben)) == (set(), {"share/z/same.txt"})
    assert_parts_agree()


def test_a_cancelled_run_stops_the_scan_that_fills_it(share: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    from kb import runs, uploads

    share.write("a.txt", "One.")
    share.write("b.txt", "Two.")
    real = uploads.receive

    def cancelling(run: IngestRun, *args: object, **options: object) -> object:
        item = real(run, *args, **options)  # type: ignore[arg-type]
        runs.cancel(run)
        return item

    monkeypatch.setattr(uploads, "receive", cancelling)
    sources.request_scan(share.manager, share.source)
    assert schedule.run(share.source.pk) is None
    share.source.refresh_from_db()
    assert (share.source.state, "cancelled" in share.source.error) == (SourceState.IDLE, True)
    assert SourceEntry.objects.count() == 1
