"""Does every file that arrives become an item with an outcome, whatever is wrong with it?"""

import io
from collections.abc import Iterator

import pytest

from kb import uploads
from kb.exceptions import FailureCode, IngestError, StorageError
from kb.models import Asset, Collection, IngestItem, IngestRun, IngestStep, Outcome
from kb.storage import FolderStorage
from tests.integration.ingest import bring_in, outcomes, work_off

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder", "storage")]


@pytest.fixture
def run(collection: Collection) -> IngestRun:
    return uploads.start_run(collection, None)


def receive(run: IngestRun, path: str, content: bytes) -> IngestItem:
    return uploads.receive(run, path, io.BytesIO(content))


def test_a_file_is_admitted_with_its_object_its_rows_and_one_ready_step(
    run: IngestRun, storage: FolderStorage
) -> None:
    item = receive(run, "./guide//intro.txt", b"Welcome to the site.")
    asset = Asset.objects.get()
    assert (item.outcome, item.path) == (Outcome.PENDING, "guide/intro.txt")
    assert (asset.source_uri, asset.state, asset.media_type) == (
        "guide/intro.txt",
        "processing",
        "text/plain",
    )
    assert storage.size_bytes(asset.object_key) == 20
    step = IngestStep.objects.get()
    assert (step.name, step.state, step.asset_version) == ("extract", "ready", item.asset_version)


def test_an_empty_file_is_refused_by_name(run: IngestRun) -> None:
    item = receive(run, "empty.txt", b"")
    assert (item.outcome, item.error_code) == (Outcome.FAILED, FailureCode.EMPTY_FILE)
    assert not Asset.objects.exists()


class Endless:
    """A stream that never ends, and counts what was asked of it."""

    def __init__(self) -> None:
        self.given_bytes = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "a bounded read"
        self.given_bytes += size
        return b"x" * size


def test_nothing_is_read_far_past_the_cap(run: IngestRun, settings: object, storage: FolderStorage) -> None:
    settings.KB_MAX_UPLOAD_BYTES = 1024**2  # type: ignore[attr-defined]
    stream = Endless()
    item = uploads.receive(run, "big.txt", stream)  # type: ignore[arg-type]
    assert (item.outcome, item.error_code) == (Outcome.FAILED, FailureCode.TOO_LARGE)
    assert stream.given_bytes <= 2 * 1024**2
    assert list(storage.keys()) == []


def test_a_file_of_exactly_the_cap_is_taken(run: IngestRun, settings: object) -> None:
    settings.KB_MAX_UPLOAD_BYTES = 20  # type: ignore[attr-defined]
    assert receive(run, "fits.txt", b"Welcome to the site.").outcome == Outcome.PENDING


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "a/../../b.txt",
        "..\\b.txt",
        "/etc/passwd",
        "\\\\server\\share.txt",
        "C:\\b.txt",
        "nul\x00.txt",
        "line\nbreak.txt",
        "half\ud800.txt",
        "",
        "./",
        "x" * 1001,
    ],
)
def test_a_path_that_points_outside_is_refused(run: IngestRun, path: str) -> None:
    item = receive(run, path, b"text")
    assert (item.outcome, item.error_code) == (Outcome.FAILED, FailureCode.UNSAFE_PATH)
    assert not Asset.objects.exists()


def test_two_dots_inside_a_name_are_no_way_up() -> None:
    assert uploads.safe_path("a/b..c.txt") == "a/b..c.txt"
    with pytest.raises(IngestError):
        uploads.safe_path("a/..")


def test_an_unsupported_format_ends_by_its_name(run: IngestRun) -> None:
    item = receive(run, "all.txt", b"Rar!\x1a\x07\x00" + bytes(64))
    assert (item.outcome, item.error_code) == (Outcome.UNSUPPORTED, FailureCode.NOT_SUPPORTED)
    assert "RAR" in item.error_message


def test_a_name_that_lies_is_read_as_what_it_is_and_said_so(collection: Collection) -> None:
    run = bring_in(collection, {"report.pdf": "Just some words of plain text, and then some more of them."})
    item = IngestItem.objects.get(run=run)
    assert (item.outcome, item.error_code) == (Outcome.PARTIAL, FailureCode.NAME_LIES)
    assert Asset.objects.get().media_type == "text/plain"


def test_a_store_that_is_away_is_a_named_outcome_and_leaves_no_rows(
    run: IngestRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object, **options: object) -> None:
        raise StorageError

    monkeypatch.setattr(FolderStorage, "put", away)
    item = receive(run, "guide.txt", b"text")
    assert (item.outcome, item.error_code) == (Outcome.FAILED, FailureCode.STORAGE_UNAVAILABLE)
    assert not Asset.objects.exists()


def test_one_bad_file_stops_no_other(collection: Collection) -> None:
    run = bring_in(collection, {"../x.txt": "a", "empty.txt": "", "good.txt": "Good words."})
    assert outcomes(run) == {"../x.txt": "failed", "empty.txt": "failed", "good.txt": "indexed"}
    assert run.state == "done"


def test_an_upload_that_breaks_off_leaves_nothing(run: IngestRun, storage: FolderStorage) -> None:
    class Broken:
        def __init__(self) -> None:
            self.chunks: Iterator[bytes] = iter([b"some bytes"])

        def read(self, size: int = -1) -> bytes:
            for chunk in self.chunks:
                return chunk
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        uploads.receive(run, "cut.txt", Broken())  # type: ignore[arg-type]
    assert not Asset.objects.exists()
    assert not IngestItem.objects.exists()
    assert list(storage.keys()) == []


def test_a_sealed_run_takes_no_more_files_and_ends_even_when_it_has_none(run: IngestRun) -> None:
    uploads.seal(run)
    with pytest.raises(ValueError, match="sealed"):
        receive(run, "late.txt", b"text")
    work_off()
    run.refresh_from_db()
    assert run.state == "done"
    assert run.ended_at is not None
