"""Does a message that Outlook stored read like the message it was, with everything in it?"""

import struct
from datetime import UTC, datetime
from pathlib import Path

import compressed_rtf
import pytest

from kb import media_types
from tests import builders
from tests.compound import Tree, compound
from workers.extract import mail, msg
from workers.extract.base import Extraction, ExtractionError, Source


def wide(tag: str, text: str) -> dict[str, bytes]:
    return {f"__substg1.0_{tag}001F": text.encode("utf-16-le")}


def properties(header_bytes: int, values: dict[int, int]) -> dict[str, bytes]:
    rows = b"".join(struct.pack("<IIQ", tag, 6, value) for tag, value in values.items())
    return {"__properties_version1.0": bytes(header_bytes) + rows}


def filetime(moment: datetime) -> int:
    return int((moment - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000


SENT = properties(32, {0x00390040: filetime(datetime(2024, 5, 17, 8, 30, tzinfo=UTC)), 0x3FDE0003: 1252})


def receiver(name: str, address: str, kind: int) -> Tree:
    return {**properties(8, {0x0C150003: kind}), **wide("3001", name), **wide("39FE", address)}


def a_message(subject: str, *others: Tree, top: dict[str, bytes] = SENT) -> dict[str, object]:
    tree: dict[str, object] = {
        **top,
        **wide("0037", subject),
        **wide("0C1A", "Müller, Ana"),
        **wide("5D01", "ana@example.org"),
    }
    for other in others:
        tree.update(other)
    return tree


def _read(tmp_path: Path, tree: Tree) -> Extraction:
    return _read_bytes(tmp_path, compound(tree))


def _read_bytes(tmp_path: Path, content: bytes) -> Extraction:
    path = tmp_path / "file.msg"
    path.write_bytes(content)
    (tmp_path / "scratch").mkdir()
    return msg.extract(Source(path, "file.msg", "application/vnd.ms-outlook", 0, tmp_path / "scratch"))


def test_headers_and_text_are_told(tmp_path: Path) -> None:
    tree = a_message(
        "Angebot für Jürgen",
        wide("1000", "The text.\r\n\r\nIt has two paragraphs."),
        {"__recip_version1.0_#00000000": receiver("Bo", "bo@example.org", 1)},
        {"__recip_version1.0_#00000001": receiver("Di", "di@example.org", 2)},
    )
    found = _read(tmp_path, tree)
    assert found.title == "Angebot für Jürgen"
    assert [block.text for block in found.blocks] == [
        "Angebot für Jürgen",
        "From: Müller, Ana <ana@example.org>\nTo: Bo <bo@example.org>\nCc: Di <di@example.org>\n"
        "Date: 2024-05-17 08:30",
        "The text.",
        "It has two paragraphs.",
    ]
    assert media_types.detect(tmp_path / "file.msg", "noname").media_type == "application/vnd.ms-outlook"


def test_attachments_and_messages_inside_are_members(tmp_path: Path) -> None:
    inner = a_message("The inner one", wide("1000", "The inner text."), top=properties(24, {}))
    tree = a_message(
        "Outer",
        wide("1000", "See below."),
        {
            "__attach_version1.0_#00000000": {
                **properties(8, {}),
                **wide("3707", "報價 plan.pdf"),
                "__substg1.0_37010102": b"%PDF-1.7" * 1000,
            }
        },
        {
            "__attach_version1.0_#00000001": {
                **properties(8, {0x37050003: 5}),
                "__substg1.0_3701000D": inner,  # type: ignore[dict-item]
            }
        },
    )
    found = _read(tmp_path, tree)
    contents = {member.path: (tmp_path / "scratch" / member.file).read_bytes() for member in found.members}
    assert list(contents) == ["報價 plan.pdf", "The inner one.eml"]
    assert contents["報價 plan.pdf"] == b"%PDF-1.7" * 1000
    (tmp_path / "inner").write_bytes(contents["The inner one.eml"])
    again = mail.extract(Source(tmp_path / "inner", "x", "message/rfc822", 0, tmp_path / "scratch"))
    assert again.title == "The inner one"
    assert again.blocks[-1].text == "The inner text."


def test_a_picture_in_the_text_is_a_figure(tmp_path: Path) -> None:
    tree = a_message(
        "Pump",
        {"__substg1.0_10130102": b'<p>Look at this:</p><img src="cid:pump@x" alt="The pump">'},
        {
            "__attach_version1.0_#00000000": {
                **properties(8, {}),
                **wide("3707", "pump.png"),
                **wide("370E", "image/png"),
                **wide("3712", "pump@x"),
                "__substg1.0_37010102": builders.picture(size=(200, 100)),
            }
        },
    )
    found = _read(tmp_path, tree)
    assert [(picture.alt_text, picture.width_px) for picture in found.pictures] == [("The pump", 200)]
    assert not found.members


def test_text_that_is_only_there_as_rtf_is_read(tmp_path: Path) -> None:
    rtf = rb"{\rtf1\ansi\ansicpg1252 The rich \b text\b0 .\par Second line.}"
    found = _read(tmp_path, a_message("Rich", {"__substg1.0_10090102": compressed_rtf.compress(rtf)}))
    assert found.blocks[-1].text == "The rich text.\nSecond line."


def test_text_in_an_old_code_page_is_read(tmp_path: Path) -> None:
    top = properties(32, {0x3FDE0003: 1251})
    found = _read(
        tmp_path, a_message("Old", {"__substg1.0_1000001E": "Привет, коллеги".encode("cp1251")}, top=top)
    )
    assert found.blocks[-1].text == "Привет, коллеги"


@pytest.mark.parametrize("keep", [20, 600, 1500])
def test_a_cut_message_ends_by_name(tmp_path: Path, keep: int) -> None:
    try:
        _read_bytes(tmp_path, compound(a_message("Cut", wide("1000", "The text.")))[:keep])  # type: ignore[arg-type]
    except ExtractionError as error:
        assert error.code in {"corrupt", "no_content"}  # noqa: PT017 -- what is left may still be read
