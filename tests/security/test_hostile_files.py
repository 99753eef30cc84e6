"""Does every hostile file and every parser taken over end in a named outcome, the worker unharmed?"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from kb import media_types
from kb.exceptions import FailureCode, IngestError
from tests import builders
from workers import sandbox
from workers.extract import registry
from workers.extract.base import Extraction
from workers.extract.limits import DEFAULT, Limits

pytestmark = pytest.mark.security

# Small enough to be met within a second or two.
_TIGHT = replace(
    DEFAULT,
    wall_s=20,
    cpu_s=10,
    memory_bytes=512 * 1024**2,
    file_bytes=4 * 1024**2,
    scratch_bytes=12 * 1024**2,
    result_bytes=2 * 1024**2,
)


@pytest.fixture(autouse=True)
def _no_process_is_left() -> object:
    yield
    sandbox.close()


@pytest.fixture
def run_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Runs a function of tests.hostile_parsers as if it were the parser of a media type."""
    (tmp_path / "file.bin").write_bytes(b"bytes")
    scratches = iter(range(100))

    def run(function: str, limits: Limits = _TIGHT, name: str = "file.bin") -> Extraction:
        media_type = f"application/x-test-{function}"
        monkeypatch.setitem(registry.PARSERS, media_type, f"tests.hostile_parsers:{function}")
        return sandbox.extract(
            tmp_path / "file.bin",
            name=name,
            media_type=media_type,
            part=0,
            scratch=tmp_path / f"scratch{next(scratches)}",
            limits=limits,
        )

    return run


def _read(tmp_path: Path, name: str, content: bytes, limits: Limits | None = None) -> Extraction:
    path = tmp_path / "upload"
    path.write_bytes(content)
    found = media_types.detect(path, name)
    return sandbox.extract(
        path, name=name, media_type=found.media_type, part=0, scratch=tmp_path / "scratch", limits=limits
    )


@pytest.mark.parametrize(
    ("function", "limits", "code"),
    [
        ("loops", replace(_TIGHT, cpu_s=1), FailureCode.TIME_LIMIT),
        ("loops", replace(_TIGHT, wall_s=0.5), FailureCode.TIME_LIMIT),
        ("sleeps", replace(_TIGHT, wall_s=0.5), FailureCode.TIME_LIMIT),
        ("allocates", _TIGHT, FailureCode.MEMORY_LIMIT),
        ("allocates_in_c", _TIGHT, FailureCode.MEMORY_LIMIT),
        ("writes_one_file", _TIGHT, FailureCode.OUTPUT_LIMIT),
        ("writes_many_files", _TIGHT, FailureCode.OUTPUT_LIMIT),
        ("answers_too_much", _TIGHT, FailureCode.OUTPUT_LIMIT),
        ("kills_itself", _TIGHT, FailureCode.PARSER_CRASHED),
        ("kills_its_parent", _TIGHT, FailureCode.PARSER_CRASHED),
        ("segfaults", _TIGHT, FailureCode.PARSER_CRASHED),
        ("exits", _TIGHT, FailureCode.PARSER_CRASHED),
        ("raises", _TIGHT, FailureCode.PARSER_CRASHED),
        ("recurses", _TIGHT, FailureCode.CORRUPT),
        ("answers_garbage", _TIGHT, FailureCode.PARSER_CRASHED),
        ("answers_with_a_link", _TIGHT, FailureCode.PARSER_CRASHED),
        ("answers_with_a_pipe", _TIGHT, FailureCode.PARSER_CRASHED),
        ("names_a_file_elsewhere", _TIGHT, FailureCode.PARSER_CRASHED),
        ("links_a_picture", _TIGHT, FailureCode.PARSER_CRASHED),
    ],
)
def test_a_parser_that_misbehaves_ends_by_name_and_the_next_file_is_read(
    run_parser, tmp_path: Path, function: str, limits: Limits, code: FailureCode
) -> None:
    with pytest.raises(IngestError) as caught:
        run_parser(function, limits)
    assert caught.value.code == code
    assert _read(tmp_path, "next.txt", b"The next file.").blocks[0].text == "The next file."


def test_a_parser_has_neither_secrets_nor_network_nor_programs(
    run_parser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_SECRET_KEY", "not for parsers")
    found = json.loads(run_parser("tells_what_it_has").blocks[0].text)
    assert found["environment"] == sorted(
        {
            "HF_HUB_OFFLINE",
            "LANG",
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "PATH",
            "PYTHONDONTWRITEBYTECODE",
        }
        | {"PYTHONPATH"}
        | ({"LC_CTYPE"} & set(found["environment"]))
        | {name for name in ("KB_OCR_THREADS", "LD_LIBRARY_PATH", "TZ") if name in os.environ}
    )
    assert Path(found["folder"]).parent == tmp_path.resolve()
    assert found["descriptors"] == 3
    assert found["input"] == ""
    assert found["django"] is False
    assert [found[name] for name in ("socket", "names", "program")] == ["PermissionError"] * 3


def test_no_file_sees_what_another_left_behind(run_parser) -> None:
    assert [run_parser("remembers", name=name).blocks[0].text for name in ("a", "b")] == ["a", "b"]


def test_a_template_that_died_while_idle_is_replaced(run_parser) -> None:
    assert run_parser("remembers", name="a").blocks
    (template,) = sandbox._pool._idle.values()
    template._process.kill()
    template._process.wait()
    assert run_parser("remembers", name="b").blocks[0].text == "b"


def test_several_threads_may_ask_at_once(tmp_path: Path) -> None:
    def one(number: int) -> str:
        folder = tmp_path / str(number)
        folder.mkdir()
        return _read(folder, "a.txt", f"text {number}".encode()).blocks[0].text

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(one, range(6))) == [f"text {number}" for number in range(6)]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.txt", b"", FailureCode.EMPTY_FILE),
        ("blank.txt", b" \n\t\n", FailureCode.EMPTY_FILE),
        ("no-pages.pdf", builders.pdf_without_pages(), FailureCode.NO_PAGES),
        ("locked.pdf", builders.encrypted_pdf(), FailureCode.ENCRYPTED),
        ("cut.pdf", b"%PDF-1.7\n1 0 obj\n<< /Type", FailureCode.CORRUPT),
        ("cut.png", builders.picture("cut")[:-900], FailureCode.CORRUPT),
        ("bomb.png", builders.png_claiming(50_000, 50_000), FailureCode.TOO_MANY_PIXELS),
        ("short.png", builders.png_claiming(5_000, 5_000), FailureCode.CORRUPT),
        ("letter.docx", b"PK\x03\x04 not really", FailureCode.CORRUPT),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, name: str, content: bytes, code: FailureCode
) -> None:
    with pytest.raises(IngestError) as caught:
        _read(tmp_path, name, content)
    assert caught.value.code == code
    assert str(caught.value)


def test_a_page_of_scripts_alone_says_nothing(tmp_path: Path) -> None:
    found = _read(tmp_path, "scripts.html", b"<!doctype html><html><script>steal()</script></html>")
    assert (found.blocks, found.pictures, found.title) == ((), (), "")


def test_a_page_with_scripts_and_remote_pictures_is_read_without_running_or_fetching(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        "page.html",
        b"<!doctype html><html><body onload=steal()><script>steal()</script><p>Words.</p>"
        b'<img src="https://elsewhere.example/x.png" alt="A map"><iframe src="file:///etc/passwd"></iframe></body></html>',
    )
    assert [block.text for block in found.blocks] == ["Words."]
    assert [(picture.link, picture.alt_text, picture.file) for picture in found.pictures] == [
        ("https://elsewhere.example/x.png", "A map", "")
    ]


@pytest.mark.parametrize("name", ["deep.html", "deep.md", "deep.rst"])
def test_deep_nesting_ends_by_name_or_is_read(tmp_path: Path, name: str) -> None:
    nested = {
        "deep.html": b"<!doctype html>" + b"<div><b>" * 100_000 + b"words",
        "deep.md": b"> " * 20_000 + b"words",
        "deep.rst": b"\n\n".join(b" " * depth + b"* words" for depth in range(0, 2000, 2)),
    }[name]
    codes = {FailureCode.CORRUPT, FailureCode.TIME_LIMIT, FailureCode.MEMORY_LIMIT}
    try:
        text = _read(tmp_path, name, nested, replace(DEFAULT, cpu_s=4)).blocks[-1].text
    except IngestError as error:
        assert error.code in codes  # noqa: PT017 -- either ending is right.
    else:
        assert "words" in text


def test_nothing_of_the_host_enters_through_restructuredtext(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        "a.rst",
        b"Title\n=====\n\n.. include:: /etc/passwd\n\n.. raw:: html\n   :file: /etc/passwd\n\n"
        b".. csv-table::\n   :file: /etc/passwd\n\n.. literalinclude:: /etc/passwd\n\nWords.\n",
    )
    assert "root:" not in "".join(block.text for block in found.blocks)
    assert found.blocks[-1].text == "Words."
