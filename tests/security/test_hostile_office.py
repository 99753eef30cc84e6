"""Does every hostile office, book and data file end in a named outcome, with nothing opened that it points to?"""

import io
import struct
import zipfile
from pathlib import Path

import pytest

from kb import media_types
from kb.exceptions import FailureCode, IngestError
from tests import office_files
from workers import sandbox
from workers.extract import limits
from workers.extract.base import Extraction

pytestmark = pytest.mark.security

_SECRET = "the secret of another file"
_DOCUMENT = "word/document.xml"
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def _read(tmp_path: Path, name: str, content: bytes) -> Extraction:
    path = tmp_path / "upload"
    path.write_bytes(content)
    media_type = media_types.detect(path, name).media_type
    return sandbox.extract(path, name=name, media_type=media_type, part=0, scratch=tmp_path / "scratch")


def _code(tmp_path: Path, name: str, content: bytes) -> FailureCode:
    with pytest.raises(IngestError) as caught:
        _read(tmp_path, name, content)
    return caught.value.code


def _claiming(package: bytes, name: str, size_bytes: int) -> bytes:
    """The package with another unpacked size of one member in its directory."""
    data = bytearray(package)
    at = data.find(b"PK\x01\x02")
    while data[at + 46 : at + 46 + len(name)] != name.encode():
        at = data.find(b"PK\x01\x02", at + 1)
    struct.pack_into("<I", data, at + 24, size_bytes)
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "make"),
    [("a.docx", office_files.word), ("a.pptx", office_files.slides), ("a.xlsx", office_files.workbook)],
)
def test_a_package_that_is_cut_short_is_damaged(tmp_path: Path, name: str, make: object) -> None:
    content = make()  # type: ignore[operator]
    assert _code(tmp_path, name, content[: len(content) // 2]) == FailureCode.CORRUPT


def test_a_bomb_that_states_its_size_is_refused_unopened(tmp_path: Path) -> None:
    content = _claiming(office_files.word(), _DOCUMENT, limits.MAX_UNPACKED_MARKUP_BYTES + 1)
    assert _code(tmp_path, "bomb.docx", content) == FailureCode.OUTPUT_LIMIT


def test_a_bomb_that_understates_its_size_is_damaged(tmp_path: Path) -> None:
    body = f"<w:document {_W}><w:body>".encode() + b"<w:p/>" * 2_000_000
    content = _claiming(office_files.changed(office_files.word(), {_DOCUMENT: body}), _DOCUMENT, 1000)
    assert _code(tmp_path, "bomb.docx", content) == FailureCode.CORRUPT


def test_a_part_that_unpacks_to_more_than_a_tree_may_have_is_refused(tmp_path: Path) -> None:
    content = office_files.changed(office_files.word(), {_DOCUMENT: b" " * (limits.MAX_TREE_BYTES + 1)})
    assert len(content) < 200_000
    assert _code(tmp_path, "bomb.docx", content) == FailureCode.OUTPUT_LIMIT


def test_a_package_of_too_many_parts_is_refused(tmp_path: Path) -> None:
    parts = {f"word/x{number}.bin": b"" for number in range(limits.MAX_ZIP_ENTRIES + 1)}
    content = office_files.changed(office_files.word(), parts)
    assert _code(tmp_path, "many.docx", content) == FailureCode.OUTPUT_LIMIT


def test_a_part_packed_in_an_unusual_way_is_not_unpacked(tmp_path: Path) -> None:
    out = io.BytesIO(office_files.word())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("word/extra.xml", b"0" * 10_000_000)
    assert _code(tmp_path, "odd.docx", out.getvalue()) == FailureCode.CORRUPT


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.pptx"])
def test_a_package_behind_a_password_is_named_encrypted(tmp_path: Path, name: str) -> None:
    content = office_files.compound(["EncryptionInfo", "EncryptedPackage"])
    assert _code(tmp_path, name, content) == FailureCode.ENCRYPTED


def test_open_document_and_books_behind_a_password_are_named_encrypted(tmp_path: Path) -> None:
    manifest = (
        b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry '
        b'manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry></manifest:manifest>'
    )
    content = office_files.changed(office_files.open_text(), {"META-INF/manifest.xml": manifest})
    assert _code(tmp_path, "a.odt", content) == FailureCode.ENCRYPTED
    protection = (
        b'<encryption><EncryptedData><EncryptionMethod Algorithm="urn:drm"/></EncryptedData></encryption>'
    )
    book = office_files.changed(office_files.book(), {"META-INF/encryption.xml": protection})
    (tmp_path / "scratch").rmdir() if (tmp_path / "scratch").exists() else None
    assert _code(tmp_path, "a.epub", book) == FailureCode.ENCRYPTED


def _bomb(levels: int = 12) -> str:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, levels))
    return f'<!DOCTYPE x [<!ENTITY a0 "lol lol lol">{entities}]>'


def test_entities_are_left_out_and_not_multiplied(tmp_path: Path) -> None:
    content = f'<?xml version="1.0"?>{_bomb(5)}<x><p>Before.</p><p>&a4;</p><p>After.</p></x>'
    found = _read(tmp_path, "few.xml", content.encode())
    assert [block.text for block in found.blocks] == ["Before.", "After."]


@pytest.mark.parametrize("name", ["bomb.xml", "bomb.docx", "bomb.xlsx"])
def test_an_entity_bomb_is_refused(tmp_path: Path, name: str) -> None:
    word = f"{_bomb()}<w:document {_W}><w:body><w:p><w:r><w:t>&a11;</w:t></w:r></w:p></w:body></w:document>"
    sheet = f"{_bomb()}<worksheet><sheetData><row><c><v>&a11;</v></c></row></sheetData></worksheet>"
    content = {
        "bomb.xml": f'<?xml version="1.0"?>{_bomb()}<x><p>&a11;</p></x>'.encode(),
        "bomb.docx": office_files.changed(office_files.word(), {_DOCUMENT: word.encode()}),
        "bomb.xlsx": office_files.changed(
            office_files.workbook(), {"xl/worksheets/sheet1.xml": sheet.encode()}
        ),
    }[name]
    # Of bare XML what stands before the damage would be kept, and here that is nothing.
    assert _code(tmp_path, name, content) == FailureCode.CORRUPT


@pytest.mark.parametrize("where", ["xml", "docx", "odt", "fodt", "epub", "xlsx"])
def test_an_external_entity_opens_nothing(tmp_path: Path, where: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(_SECRET)
    head = f'<!DOCTYPE x [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'
    flat = (
        f'<?xml version="1.0"?>{head}<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
        'office:mimetype="application/vnd.oasis.opendocument.text"><office:body><office:text><text:p>Kept &s;</text:p>'
        "</office:text></office:body></office:document>"
    )
    content = {
        "xml": lambda: f"{head}<x><p>Kept &s;</p></x>".encode(),
        "fodt": flat.encode,
        "docx": lambda: office_files.changed(
            office_files.word(),
            {
                _DOCUMENT: f"{head}<w:document {_W}><w:body><w:p><w:r><w:t>Kept &s;</w:t></w:r></w:p></w:body>"
                "</w:document>".encode()
            },
        ),
        "odt": lambda: office_files.changed(office_files.open_text(), {"content.xml": flat.encode()}),
        "epub": lambda: office_files.changed(
            office_files.book(),
            {"OPS/text/one.xhtml": f"{head}<html><body><p>Kept &s;</p></body></html>".encode()},
        ),
        "xlsx": lambda: office_files.changed(
            office_files.workbook(),
            {"xl/sharedStrings.xml": f"{head}<sst><si><t>Kept &s;</t></si></sst>".encode()},
        ),
    }[where]()
    path = tmp_path / "upload"
    path.write_bytes(content)
    name = f"a.{where}"
    media_type = media_types.detect(path, name).media_type
    said = _said_or_refused(path, name, media_type, tmp_path / "scratch")
    assert said == FailureCode.CORRUPT or (said and _SECRET not in said)


def _said_or_refused(path: Path, name: str, media_type: str, scratch: Path) -> str:
    """All words of the file, or the code with which it was refused."""
    try:
        found = sandbox.extract(path, name=name, media_type=media_type, part=0, scratch=scratch)
    except IngestError as error:
        return str(error.code)
    return " ".join(block.text for block in found.blocks)


def test_xml_nested_too_deeply_and_json_too_are_named(tmp_path: Path) -> None:
    assert _code(tmp_path, "deep.xml", b"<a>" * 100_000 + b"x" + b"</a>" * 100_000) == FailureCode.CORRUPT
    assert _code(tmp_path, "deep.json", b"[" * 200_000 + b"]" * 200_000) == FailureCode.CORRUPT


def test_a_sheet_of_a_hundred_thousand_rows_is_capped_and_says_so(tmp_path: Path) -> None:
    found = _read(tmp_path, "long.xlsx", office_files.large_workbook(100_000))
    assert [(warning.code, warning.message) for warning in found.warnings] == [
        ("text_capped", f"Only the first {limits.MAX_ROWS} rows of sheet Readings are searchable.")
    ]
    assert found.blocks[1].text.startswith("Sensor: S0; Value: 0\nSensor: S1; Value: 1\n")


def test_a_long_open_document_sheet_is_capped_and_the_next_sheet_is_read(tmp_path: Path) -> None:
    cell = b"<table:table-cell><text:p>%s</text:p></table:table-cell>"
    rows = (b"<table:table-row>" + cell % b"a" + cell % b"b" + b"</table:table-row>") * 100_000
    content = (
        b'<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table='
        b'"urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        b'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
        b"<office:body>"
        b'<office:spreadsheet><table:table table:name="Long">'
        + rows
        + b'</table:table><table:table table:name="Short">'
        b"<table:table-row><table:table-cell><text:p>End</text:p></table:table-cell></table:table-row></table:table>"
        b"</office:spreadsheet></office:body></office:document-content>"
    )
    package = office_files.changed(office_files.open_sheets([["x"]]), {"content.xml": content})
    found = _read(tmp_path, "long.ods", package)
    assert [warning.code for warning in found.warnings] == ["text_capped"]
    assert [(block.page, block.text) for block in found.blocks][-2:] == [(2, "Short"), (2, "End")]


def test_a_picture_that_is_no_picture_costs_only_itself(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(office_files.word())) as archive:
        image = next(name for name in archive.namelist() if name.startswith("word/media/"))
    found = _read(tmp_path, "a.docx", office_files.changed(office_files.word(), {image: b"no picture"}))
    assert [warning.code for warning in found.warnings] == ["figure_unreadable"]
    assert found.pictures[0].alt_text == "Cross-section of the seal"
    assert found.pictures[0].file == ""


def test_a_picture_elsewhere_stays_a_link(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(office_files.word())) as archive:
        relations = archive.read("word/_rels/document.xml.rels").decode()
    start = relations.index("media/")
    end = relations.index('"', start)
    linked = relations[:start] + 'http://intranet.example/a.png" TargetMode="External' + relations[end:]
    content = office_files.changed(office_files.word(), {"word/_rels/document.xml.rels": linked.encode()})
    found = _read(tmp_path, "a.docx", content)
    assert [(picture.link, picture.file) for picture in found.pictures] == [
        ("http://intranet.example/a.png", "")
    ]


def test_a_member_that_points_outside_the_archive_is_not_written(tmp_path: Path) -> None:
    content = office_files.changed(office_files.book(), {"../../outside.txt": b"out"})
    assert _read(tmp_path, "a.epub", content).blocks
    assert not list(tmp_path.parent.rglob("outside.txt"))
