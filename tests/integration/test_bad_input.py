"""Does input made to exhaust, to pass for something else, or to change while it is read end in a named outcome?

Bombs of XML, archives of one level, sheets and office packages are in test_hostile_office.py and
test_extract_archives.py; drawings, messages and recordings beside their readers' tests.
"""

import hashlib
import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from pytest_django import Settings

from kb import media_types, uploads
from kb.exceptions import FailureCode, IngestError
from kb.models import Asset, AssetVersion, Collection, IngestItem, Outcome
from kb.storage import storage
from tests import builders
from tests.integration.ingest import bring_in
from workers import sandbox
from workers.extract import limits
from workers.extract.base import Extraction

pytestmark = pytest.mark.security


@pytest.fixture(autouse=True)
def _no_process_is_left() -> object:
    yield
    sandbox.close()


def _read(tmp_path: Path, name: str, content: bytes) -> Extraction:
    path = tmp_path / "upload"
    path.write_bytes(content)
    media_type = media_types.detect(path, name).media_type
    return sandbox.extract(path, name=name, media_type=media_type, part=0, scratch=tmp_path / "scratch")


def _tiff_claiming(width: int, height: int) -> bytes:
    """One strip of sixteen bytes that is said to hold all of the picture's bits (TIFF 6.0, section 2)."""
    # Tag, type (3: 16 bits, 4: 32), value: width, height, bits, no compression, black is zero, strip at 8, rows, bytes.
    fields = [(256, 4, width), (257, 4, height), (258, 3, 1), (259, 3, 1), (262, 3, 1), (273, 4, 8)]
    fields += [(278, 4, height), (279, 4, 16)]
    directory = struct.pack("<H", len(fields)) + b"".join(
        struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in fields
    )
    return b"II*\x00" + struct.pack("<I", 24) + bytes(16) + directory + bytes(4)


def _pdf_bomb(side_px: int) -> bytes:
    """A page that shows a grey picture of that many pixels a side, packed a thousand times smaller."""
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(bytes(side_px)) for _ in range(side_px)) + packer.flush()
    shown = b"q 500 0 0 500 40 200 cm /I1 Do Q"
    return builders.pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown),
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 3 0 R"
            b" /Resources << /XObject << /I1 5 0 R >> >> >>",
            b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8"
            b" /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream"
            % (side_px, side_px, len(packed), packed),
        ]
    )


def test_a_tiff_that_claims_two_billion_pixels_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(IngestError) as caught:
        _read(tmp_path, "scan.tiff", _tiff_claiming(50_000, 50_000))
    assert caught.value.code == FailureCode.TOO_MANY_PIXELS


def test_a_picture_in_a_pdf_that_unpacks_to_half_a_gigabyte_ends_by_name(tmp_path: Path) -> None:
    codes = {
        FailureCode.MEMORY_LIMIT,
        FailureCode.TIME_LIMIT,
        FailureCode.PARSER_CRASHED,
        FailureCode.CORRUPT,
    }
    try:
        found = _read(tmp_path, "bomb.pdf", _pdf_bomb(20_000))
    except IngestError as error:
        assert error.code in codes  # noqa: PT017 -- either ending is right.
    else:
        assert [picture.page for picture in found.pictures if picture.role == "page"] == [1]
    # The next file has a reader that works.
    assert _read(tmp_path, "a.txt", b"Words.").blocks[0].text == "Words."


def test_of_ten_thousand_pages_the_first_are_read_in_parts_and_the_rest_is_told_of(tmp_path: Path) -> None:
    empty = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 10_003))
    pages = b"<< /Type /Pages /Kids [%s] /Count 10000 >>" % kids
    found = _read(
        tmp_path,
        "archive.pdf",
        builders.pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", pages, *[empty] * 10_000]),
    )
    assert found.page_count == 10_000
    assert found.parts == limits.MAX_PAGES // limits.PAGES_PER_PART
    assert len([picture for picture in found.pictures if picture.role == "page"]) == limits.PAGES_PER_PART
    assert [warning.code for warning in found.warnings] == ["pages_capped"]


@pytest.mark.parametrize("name", ["report.pdf", "report.zip"])
def test_a_file_that_is_a_pdf_and_an_archive_is_read_as_one_of_them_only(tmp_path: Path, name: str) -> None:
    hidden = io.BytesIO()
    with zipfile.ZipFile(hidden, "w") as archive:
        archive.writestr("hidden.txt", "Hidden words.")
    both = builders.pdf([[(72, 700, 12, "Words of the page.")]]) + hidden.getvalue()
    path = tmp_path / "upload"
    path.write_bytes(both)
    detected = media_types.detect(path, name)
    assert detected == media_types.Detected("application/pdf", name_agrees=name.endswith(".pdf"))
    found = _read(tmp_path, name, both)
    assert [block.text for block in found.blocks] == ["Words of the page."]
    assert not found.members


@pytest.mark.usefixtures("hash_encoder", "storage")
def test_archives_in_archives_end_at_the_cap_however_much_they_hold(collection: Collection) -> None:
    """Each level holds the one below four times, eight levels deep: 65,536 files of a megabyte in all."""
    level, name = b"0" * 1_000_000, "zeros.txt"
    for _ in range(8):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for copy in range(4):
                archive.writestr(zipfile.ZipInfo(f"{copy}-{name}"), level, zipfile.ZIP_DEFLATED)
        level, name = out.getvalue(), "inner.zip"
    run = bring_in(collection, {"bomb.zip": level})
    items = IngestItem.objects.filter(run=run)
    assert not items.filter(outcome=Outcome.PENDING).exists()
    assert {item.error_code for item in items if item.outcome == Outcome.PARTIAL} == {"nested_too_deep"}
    # Equal bytes inside one archive come in once: one archive a level, down to the cap.
    assert Asset.objects.count() == limits.MAX_DEPTH + 1
    assert not Asset.objects.filter(source_uri__endswith=".txt").exists()


class _Growing(io.RawIOBase):
    """A file to which somebody writes while it is read; without `pieces`, for ever."""

    def __init__(self, pieces: int | None) -> None:
        self._left = pieces

    def read(self, size: int = -1) -> bytes:
        if self._left is not None:
            if not self._left:
                return b""
            self._left -= 1
        return b"One more line of the log.\n" * 40


@pytest.mark.usefixtures("hash_encoder", "storage")
def test_a_file_that_grows_while_it_is_read_is_kept_as_it_was_read(collection: Collection) -> None:
    run = uploads.start_run(collection, None)
    item = uploads.receive(run, "growing.log", _Growing(pieces=30))  # type: ignore[arg-type]
    assert item.outcome == Outcome.PENDING
    version = AssetVersion.objects.get()
    with storage().open(version.object_key) as stream:
        kept = stream.read()
    assert (len(kept), hashlib.sha256(kept).hexdigest()) == (version.size_bytes, version.sha256)


@pytest.mark.usefixtures("hash_encoder", "storage")
def test_a_file_that_never_ends_is_refused_at_the_cap(collection: Collection, settings: Settings) -> None:
    settings.KB_MAX_UPLOAD_BYTES = 1024**2
    run = uploads.start_run(collection, None)
    item = uploads.receive(run, "endless.log", _Growing(pieces=None))  # type: ignore[arg-type]
    assert (item.outcome, item.error_code) == (Outcome.FAILED, FailureCode.TOO_LARGE)
    assert not Asset.objects.exists()
