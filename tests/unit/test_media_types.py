"""Is a file's type found in its bytes, and its name believed only between kinds of plain text?"""

import subprocess
import sys
from pathlib import Path

import pytest

from kb import media_types
from tests import builders
from workers.extract import registry

_TEXT = b"The pump must be primed before it starts. See the manual for the pressure in bar.\n" * 5
_PDF = builders.pdf([[(72, 700, 12, "words")]])


def _detect(tmp_path: Path, name: str, content: bytes) -> media_types.Detected:
    path = tmp_path / "upload"
    path.write_bytes(content)
    return media_types.detect(path, name)


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.txt", _TEXT, "text/plain"),
        ("NOTES", _TEXT, "text/plain"),
        ("a.md", _TEXT, "text/markdown"),
        ("a.rst", _TEXT, "text/x-rst"),
        ("a.csv", b"a,b\n1,2\n", "text/csv"),
        ("a.html", b"<p>words</p>", "text/html"),
        ("page", b"<!DOCTYPE html><html><p>words</p></html>", "text/html"),
        ("a.txt", "请假制度：员工每年有十五天年假。".encode("gb18030"), "text/plain"),
        ("a.txt", "words".encode("utf-16"), "text/plain"),
        ("a.pdf", _PDF, "application/pdf"),
        ("a.png", builders.picture(), "image/png"),
        ("a.jpg", builders.picture(file_format="JPEG"), "image/jpeg"),
        ("a.webp", builders.picture(file_format="WEBP"), "image/webp"),
        ("a.gif", builders.picture(file_format="GIF"), "image/gif"),
        ("empty.txt", b"", "inode/x-empty"),
        ("settings.yaml", b"pump:\n  pressure: 4 bar\n  seals: [north, south]\n" * 9, "text/plain"),
        ("report.py", b"import sys\n\n\ndef report(pump):\n    return pump.pressure\n" * 9, "text/plain"),
        (
            "meeting.ics",
            b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Pumps\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
            "text/plain",
        ),
    ],
)
def test_a_file_with_an_honest_name_is_what_it_says(
    tmp_path: Path, name: str, content: bytes, media_type: str
) -> None:
    assert _detect(tmp_path, name, content) == media_types.Detected(media_type, name_agrees=True)


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("report.pdf", _TEXT, "text/plain"),
        ("photo.jpg", builders.picture(), "image/png"),
        ("notes.txt", builders.picture(), "image/png"),
        ("notes.md", _PDF, "application/pdf"),
        ("report.docx", _PDF, "application/pdf"),
        ("image.png", b"<!doctype html><html><script>1</script></html>", "text/html"),
        ("image.png", bytes(range(7, 250, 11)) * 9, "application/octet-stream"),
    ],
)
def test_a_name_that_lies_is_found_out(tmp_path: Path, name: str, content: bytes, media_type: str) -> None:
    assert _detect(tmp_path, name, content) == media_types.Detected(media_type, name_agrees=False)


def test_a_format_that_is_not_read_yet_is_named_for_people(tmp_path: Path) -> None:
    path = tmp_path / "old.rar"
    path.write_bytes(b"Rar!\x1a\x07\x00" + bytes(100))
    found = media_types.detect(path, path.name)
    assert found.media_type not in media_types.SUPPORTED
    assert media_types.describe(found.media_type) == "RAR archive"
    assert media_types.describe("application/msword") == "Microsoft Word 97-2003 document (DOC)"
    assert media_types.describe("text/x-python") == "Python source"
    assert media_types.describe("application/x-never-heard-of") == "application/x-never-heard-of"


def test_kinds_follow_the_type() -> None:
    kinds = {
        media_type: media_types.kind_of(media_type) for media_type in ("image/png", "video/mp4", "audio/mpeg")
    }
    assert kinds == {"image/png": "image", "video/mp4": "video", "audio/mpeg": "document"}


def test_every_supported_type_has_a_parser_and_no_other() -> None:
    assert set(registry.PARSERS) | set(registry.CONVERTED) == media_types.SUPPORTED


def test_naming_a_type_loads_no_model() -> None:
    code = (
        "import sys; from kb import media_types; media_types.describe('text/x-python'); "
        "sys.exit(any(name in sys.modules for name in ('onnxruntime', 'numpy', 'django')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
