"""Are old office files converted where LibreOffice is installed, and is it said where it is not?"""

import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from kb import containers, media_types
from kb.exceptions import FailureCode, IngestError
from tests import builders, office_files
from workers import conversion, sandbox
from workers.extract import registry
from workers.extract.base import Extraction
from workers.extract.wire import NOT_CONFINED

_REAL = shutil.which("soffice")
# Takes its arguments as soffice does, and has the answer ready.
_FAKE = """#!/bin/sh
while [ $# -gt 1 ]; do
  case "$1" in --outdir) out="$2";; --convert-to) to="$2";; esac
  shift
done
BODY
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a program named soffice before all others: these lines of shell, with an answer READY beside it."""

    def install(body: str, ready: bytes = b"") -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "ready").write_bytes(ready)
        program = folder / "soffice"
        program.write_text(_FAKE.replace("BODY", body).replace("READY", str(folder / "ready")))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return install


def _read(tmp_path: Path, name: str, content: bytes) -> Extraction:
    path = tmp_path / "upload"
    path.write_bytes(content)
    media_type = media_types.detect(path, name).media_type
    return sandbox.extract(path, name=name, media_type=media_type, part=0, scratch=tmp_path / "scratch")


def _code(tmp_path: Path) -> FailureCode:
    with pytest.raises(IngestError) as caught:
        _read(tmp_path, "old.doc", _old_word())
    return caught.value.code


def _old_word() -> bytes:
    return office_files.compound(["WordDocument", "1Table"])


def _telling(words: str) -> str:
    """Shell that answers with a document of these words, which the shell expands."""
    return (
        "cat > $out/in.odt <<END\n<office:document xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' "
        "xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0'><office:body><office:text><text:p>"
        f"{words}</text:p></office:text></office:body></office:document>\nEND"
    )


def test_without_the_converter_the_outcome_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(IngestError) as caught:
        _read(tmp_path, "old.doc", _old_word())
    assert caught.value.code == FailureCode.CONVERTER_MISSING
    assert "LibreOffice" in str(caught.value)


def test_the_preview_in_a_file_that_the_converter_cannot_read_is_read(
    tmp_path: Path, fake: Callable[..., None]
) -> None:
    fake("true")  # Nothing comes out.
    package = office_files.zipped(
        {
            "index.xml": b"<sl:document/>",
            "QuickLook/Preview.pdf": builders.pdf([[(72, 700, 12, "Words of the preview.")]]),
        }
    )
    found = _read(tmp_path, "plan.pages", package)
    assert [block.text for block in found.blocks] == ["Words of the preview."]
    assert [picture.role for picture in found.pictures] == ["page"]


def test_what_the_converter_makes_is_read_as_what_it_is(tmp_path: Path, fake: Callable[..., None]) -> None:
    fake('test "$to" = odt && cp READY "$out/in.odt"', office_files.open_text())
    found = _read(tmp_path, "old.doc", _old_word())
    assert (found.blocks[0].role, found.blocks[0].text) == ("heading", "Maintenance")
    assert len(found.pictures) == 1


def test_the_converter_that_asks_to_be_started_again_is(tmp_path: Path, fake: Callable[..., None]) -> None:
    fake(
        'test -e "$HOME/seen" || { touch "$HOME/seen"; exit 81; }\ncp READY "$out/in.odt"',
        office_files.open_text(),
    )
    assert _read(tmp_path, "old.doc", _old_word()).blocks


def test_a_file_that_the_converter_cannot_read_is_damaged(tmp_path: Path, fake: Callable[..., None]) -> None:
    fake("exit 0")
    assert _code(tmp_path) == FailureCode.CORRUPT


def test_a_link_that_the_converter_leaves_is_not_followed(tmp_path: Path, fake: Callable[..., None]) -> None:
    (tmp_path / "secret.odt").write_bytes(office_files.open_text())
    fake(f'ln -s {tmp_path}/secret.odt "$out/in.odt"')
    assert _code(tmp_path) == FailureCode.CORRUPT


def test_a_converter_that_hangs_is_stopped_with_all_it_started(
    tmp_path: Path, fake: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "CONVERSION", replace(conversion.CONVERSION, wall_s=1.5))
    # A time that nobody else sleeps, by which the process is found.
    seconds = f"61.{os.getpid()}"
    fake(f"sleep {seconds} &\nsleep 60")
    assert _code(tmp_path) == FailureCode.TIME_LIMIT
    deadline = time.monotonic() + 5
    while _sleepers(seconds) and time.monotonic() < deadline:
        os.sched_yield()
    assert not _sleepers(seconds)


def test_a_converter_that_writes_without_end_is_stopped(
    tmp_path: Path, fake: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "CONVERSION", replace(conversion.CONVERSION, scratch_bytes=4 * 1024**2))
    fake('mkdir "$out/deep"; head -c 9000000 /dev/zero > "$out/deep/much"; sleep 60')
    assert _code(tmp_path) == FailureCode.OUTPUT_LIMIT


def test_the_converter_sees_no_secret_no_other_file_and_a_home_of_its_own(
    tmp_path: Path, fake: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_SECRET_KEY", "not for converters")
    (tmp_path / "secret").write_text("leaked")
    fake(_telling(f"${{KB_SECRET_KEY:-none}} $(cat {tmp_path}/secret || echo denied) $HOME"))
    found = _read(tmp_path, "old.doc", _old_word())
    secret, other, home = found.blocks[0].text.split()
    assert (secret, other) == ("none", "denied")
    assert "kb-convert-" in home
    assert not Path(home).exists()


def test_a_machine_that_cannot_confine_the_converter_does_not_run_it(
    tmp_path: Path, fake: Callable[..., None]
) -> None:
    fake(f"exit {NOT_CONFINED}")
    assert _code(tmp_path) == FailureCode.CONVERTER_MISSING


def test_a_process_that_renounced_network_and_files_has_neither(tmp_path: Path) -> None:
    """In a process of its own: there is no way back."""
    (tmp_path / "own").mkdir()
    (tmp_path / "other").write_text("leaked")
    program = (
        "import socket, sys; from pathlib import Path\n"
        "from workers.extract.confinement import keep_to, refuse_network\n"
        "def tried(what):\n"
        "    try: what()\n"
        "    except PermissionError: return 'denied'\n"
        "    return 'done'\n"
        "folder = Path(sys.argv[1])\n"
        "assert keep_to(read=['/usr/share', '/nowhere'], write=[str(folder / 'own')]) and refuse_network()\n"
        "print(tried(lambda: socket.socket(socket.AF_INET)), tried(lambda: socket.socket(socket.AF_INET6)),\n"
        "      tried(lambda: socket.socket(socket.AF_UNIX)), tried((folder / 'other').read_text),\n"
        "      tried(lambda: (folder / 'own' / 'x').write_text('x')), tried(lambda: (folder / 'y').write_text('y')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["denied", "denied", "done", "denied", "done", "denied"]


def test_the_profile_forbids_macros(tmp_path: Path, fake: Callable[..., None]) -> None:
    fake(_telling("$(tr -d '<>&' < $HOME/profile/user/registrymodifications.xcu)"))
    settings = _read(tmp_path, "old.doc", _old_word()).blocks[0].text.replace('"', "'")
    assert "'MacroSecurityLevel' oor:op='fuse'value3/value" in settings
    assert "'DisableMacrosExecution' oor:op='fuse'valuetrue/value" in settings


@pytest.mark.parametrize("program", ["fake", *(["real"] if _REAL else [])])
def test_an_old_spreadsheet_gives_its_cells(tmp_path: Path, fake: Callable[..., None], program: str) -> None:
    if program == "fake":
        fake('test "$to" = xlsx && cp READY "$out/in.xlsx"', office_files.workbook())
        content = office_files.compound(["Workbook"])
    else:
        # BIFF 2, the oldest form: a beginning, two cells of text (row, column, three attributes, length), an end.
        cells = (
            b"\x04\x00" + bytes([8 + len(words), 0, 0, 0, column, 0, 0, 0, 0, len(words)]) + words
            for column, words in enumerate((b"Gasket 0", b"12.5"))
        )
        content = b"\x09\x00\x04\x00\x02\x00\x10\x00" + b"".join(cells) + b"\x0a\x00\x00\x00"
    words = " ".join(block.text for block in _read(tmp_path, "old.xls", content).blocks)
    assert "Gasket 0" in words
    assert "12.5" in words


@pytest.mark.parametrize("program", ["fake", *(["real"] if _REAL else [])])
def test_a_picture_of_this_machine_that_a_drawing_names_is_not_drawn(
    tmp_path: Path, fake: Callable[..., None], program: str
) -> None:
    """LibreOffice 7.4 draws it, unless it cannot open it."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(office_files.picture("red", (300, 300)).getvalue())
    if program == "fake":
        fake(_telling(f"$(cat {secret} | wc -c)"))
        assert _read(tmp_path, "old.doc", _old_word()).blocks[0].text == "0"
        return
    found = _read(tmp_path, "old.sxd", _old_drawing(secret.as_uri()))
    (page,) = found.pictures
    with Image.open(tmp_path / "scratch" / page.file) as image:
        colours = image.convert("RGB").getcolors(maxcolors=2**24)
    assert not [colour for _, colour in colours if colour[0] > 200 and max(colour[1:]) < 80]


def _old_drawing(link: str) -> bytes:
    """An OpenOffice.org 1.0 drawing that names a picture elsewhere."""
    return office_files.zipped(
        {
            "content.xml": (
                '<office:document-content xmlns:office="http://openoffice.org/2000/office" xmlns:draw="http://openoffice.'
                'org/2000/drawing" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:svg="http://www.w3.org/2000/svg" '
                'office:class="drawing" office:version="1.0"><office:body><draw:page draw:name="p"><draw:image '
                f'svg:x="1cm" svg:y="1cm" svg:width="8cm" svg:height="8cm" xlink:href="{link}" xlink:type="simple" '
                'xlink:show="embed" xlink:actuate="onLoad"/></draw:page></office:body></office:document-content>'
            ).encode(),
            "META-INF/manifest.xml": b'<manifest:manifest xmlns:manifest="http://openoffice.org/2001/manifest">'
            b'<manifest:file-entry manifest:media-type="application/vnd.sun.xml.draw" manifest:full-path="/"/>'
            b'<manifest:file-entry manifest:media-type="text/xml" manifest:full-path="content.xml"/>'
            b"</manifest:manifest>",
        }
    )


@pytest.mark.parametrize(
    ("names", "media_type"),
    [
        (["WordDocument"], "application/msword"),
        (["Workbook"], "application/vnd.ms-excel"),
        (["Book"], "application/vnd.ms-excel"),
        (["PowerPoint Document", "Current User"], "application/vnd.ms-powerpoint"),
        (["VisioDocument"], "application/vnd.visio"),
        (["a", "b", "c", "d", "e", "Workbook"], "application/vnd.ms-excel"),
        (["EncryptionInfo", "EncryptedPackage"], containers.ENCRYPTED_PACKAGE),
        (["__properties_version1.0"], "application/vnd.ms-outlook"),
        ([], "application/x-ole-storage"),
    ],
)
def test_an_ole_container_is_told_by_its_directory(tmp_path: Path, names: list[str], media_type: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(office_files.compound(names))
    assert media_types.detect(path, "noname").media_type == media_type


def test_a_directory_that_runs_in_a_circle_ends(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    content = bytearray(office_files.compound(["a"]))
    content[512 + 4 : 512 + 8] = b"\x01\x00\x00\x00"  # The directory's sector is followed by itself.
    path.write_bytes(content)
    assert media_types.detect(path, "noname").media_type == "application/x-ole-storage"


def test_every_format_that_is_supported_has_a_reader() -> None:
    assert {*registry.PARSERS, *registry.CONVERTED} >= media_types.SUPPORTED
    assert set(registry.CONVERTED.values()) <= set(registry.PARSERS)


def _sleepers(seconds: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if entry.read_bytes() == f"sleep\0{seconds}\0".encode():
                found.append(entry.parent.name)
        except OSError:  # It ended meanwhile.
            continue
    return found
