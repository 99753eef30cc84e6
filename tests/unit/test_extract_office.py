"""Is the structure of office files kept: headings, lists, tables, notes, figures, slides and sheets?"""

from pathlib import Path

import pytest

from kb import media_types
from kb.containers import DOCX, ODP, ODS, ODT, PPTX, XLSX
from tests import office_files
from workers import sandbox
from workers.extract.base import Extraction


def _read(tmp_path: Path, name: str, content: bytes, media_type: str) -> Extraction:
    path = tmp_path / "upload"
    path.write_bytes(content)
    found = media_types.detect(path, name)
    assert (found.media_type, found.name_agrees) == (media_type, True)
    return sandbox.extract(path, name=name, media_type=media_type, part=0, scratch=tmp_path / "scratch")


def _said(extraction: Extraction) -> list[tuple[str, str]]:
    return [(block.role, block.text) for block in extraction.blocks]


def _shown(extraction: Extraction, tmp_path: Path) -> None:
    for picture in extraction.pictures:
        assert (tmp_path / "scratch" / picture.file).read_bytes()[8:12] == b"WEBP"


def test_a_word_document_keeps_its_structure(tmp_path: Path) -> None:
    found = _read(tmp_path, "manual.docx", office_files.word(), DOCX)
    assert found.title == "Pump manual"
    assert found.metadata["author"] == "Ines"
    assert [(block.text, block.level) for block in found.blocks if block.role == "heading"] == [
        ("Seals", 1),
        ("Tools", 2),
    ]
    said = _said(found)
    assert said[1:3] == [
        ("paragraph", "The seal is replaced every season."),
        ("note", "Liu: Check the interval."),
    ]
    assert ("list", "Torque wrench") in said
    assert ("table", "Model: P-200; Pressure: 6 bar\nModel: P-300; Pressure: 9 bar") in said
    assert ("caption", "Figure 1: The seal from the side") in said
    assert ("note", "Confidential draft") in said
    (figure,) = found.pictures
    assert (figure.role, figure.alt_text, figure.caption) == (
        "figure",
        "Cross-section of the seal",
        "Figure 1: The seal from the side",
    )
    _shown(found, tmp_path)


def test_a_word_document_gives_what_controls_boxes_and_tracked_changes_hold(tmp_path: Path) -> None:
    words = [text for _, text in _said(_read(tmp_path, "manual.docx", office_files.word(), DOCX))]
    assert {"In a content control.", "Inserted", "In a box."} <= set(words)
    assert not any("Deleted" in text for text in words)


def test_slides_are_pages_with_titles_notes_tables_charts_and_pictures(tmp_path: Path) -> None:
    found = _read(tmp_path, "results.pptx", office_files.slides(), PPTX)
    assert found.page_count == 2
    assert [(block.page, block.role, block.text) for block in found.blocks if block.page == 1] == [
        (1, "heading", "Results"),
        (1, "list", "Revenue grew"),
        (1, "note", "Mention the new plant."),
    ]
    second = [(block.role, block.text) for block in found.blocks if block.page == 2]
    assert second[0] == ("heading", "Slide 2")
    assert ("table", "Region: North; Sales: 12") in second
    assert ("table", "Seasons compared; Pumps sold; Spring; Autumn") in second
    assert ("paragraph", "Inside a group") in second
    (figure,) = found.pictures
    assert (figure.page, figure.alt_text) == (2, "The plant from the air")
    _shown(found, tmp_path)


def test_sheets_are_pages_with_their_names_and_rows_with_their_columns(tmp_path: Path) -> None:
    found = _read(tmp_path, "prices.xlsx", office_files.workbook(), XLSX)
    assert [(block.page, block.role, block.text) for block in found.blocks] == [
        (1, "heading", "Prices"),
        (1, "paragraph", "Price list 2026"),
        (1, "table", "Part: Gasket 0; Price: 12.5; Discount: 5%\nPart: Gasket 1; Price: 12.5; Discount: 5%"),
        (1, "note", "B4: Agreed with the supplier."),
        (2, "heading", "Contacts"),
        (2, "table", "Name: Ola; City: Halden"),
    ]
    (figure,) = found.pictures
    assert figure.page == 1
    _shown(found, tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "old", "new", "media_type"),
    [
        ("a.docm", office_files.word, "wordprocessingml.document.main", "ms-word", DOCX),
        (
            "a.dotx",
            office_files.word,
            "wordprocessingml.document.main",
            "wordprocessingml.template.main",
            DOCX,
        ),
        ("a.pptm", office_files.slides, "presentationml.presentation.main", "ms-powerpoint", PPTX),
        (
            "a.potx",
            office_files.slides,
            "presentationml.presentation.main",
            "presentationml.template.main",
            PPTX,
        ),
        (
            "a.ppsx",
            office_files.slides,
            "presentationml.presentation.main",
            "presentationml.slideshow.main",
            PPTX,
        ),
        ("a.xlsm", office_files.workbook, "spreadsheetml.sheet.main", "ms-excel", XLSX),
        ("a.xltx", office_files.workbook, "spreadsheetml.sheet.main", "spreadsheetml.template.main", XLSX),
    ],
)
def test_forms_with_macros_and_templates_are_read_as_what_they_are_forms_of(
    tmp_path: Path, name: str, content: object, old: str, new: str, media_type: str
) -> None:
    prefix = "application/vnd.openxmlformats-officedocument."
    kinds = {"ms-word": "document", "ms-powerpoint": "presentation", "ms-excel": "sheet"}
    replacement = f"application/vnd.{new}.{kinds[new]}.macroEnabled.main" if new in kinds else prefix + new
    package = office_files.renamed_type(content(), prefix + old, replacement)  # type: ignore[operator]
    package = office_files.changed(package, {"macros/vbaProject.bin": b"Attribute VB_Name"})
    assert _read(tmp_path, name, package, media_type).blocks


def test_an_open_document_text_keeps_its_structure(tmp_path: Path) -> None:
    found = _read(tmp_path, "oil.odt", office_files.open_text(), ODT)
    assert _said(found) == [
        ("heading", "Maintenance"),
        ("paragraph", "Oil is changed in May."),
        ("list", "Drain first"),
        ("table", "Oil: ISO 46; Litres: 12"),
    ]
    (figure,) = found.pictures
    assert figure.alt_text == "The oil gauge"
    _shown(found, tmp_path)


def test_open_document_slides_are_pages_with_titles_and_notes(tmp_path: Path) -> None:
    found = _read(tmp_path, "talk.odp", office_files.open_slides(), ODP)
    assert [(block.page, block.role, block.text) for block in found.blocks] == [
        (1, "heading", "Opening"),
        (1, "paragraph", "Good morning"),
        (1, "note", "Notes on Opening"),
        (2, "heading", "Closing"),
        (2, "paragraph", "Thank you"),
        (2, "note", "Notes on Closing"),
    ]
    assert found.page_count == 2


def test_open_document_sheets_are_pages(tmp_path: Path) -> None:
    content = office_files.open_sheets([["Item", "Count"], ["Bolt", "40"]])
    found = _read(tmp_path, "stock.ods", content, ODS)
    assert [(block.page, block.role, block.text) for block in found.blocks] == [
        (1, "heading", "Stock"),
        (1, "table", "Item: Bolt; Count: 40"),
        (2, "heading", "Second"),
        (2, "table", "Only: a; Here: b"),
    ]


def test_a_book_is_read_in_the_order_of_its_spine_with_its_pictures(tmp_path: Path) -> None:
    found = _read(tmp_path, "tales.epub", office_files.book(), "application/epub+zip")
    assert (found.title, found.language, found.metadata) == ("Sea tales", "en", {"author": "Ola"})
    assert [text for _, text in _said(found)] == ["Storm", "The ship sank.", "Calm", "They were saved."]
    assert found.pictures[0].alt_text == "A ship in a storm"
    _shown(found, tmp_path)


def test_a_page_that_a_word_document_takes_in_is_read(tmp_path: Path) -> None:
    relations = (
        b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        b'<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" '
        b'Target="%s"/></Relationships>'
    )
    word = (
        b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.'
        b'openxmlformats.org/officeDocument/2006/relationships"><w:body><w:altChunk r:id="rId1"/></w:body></w:document>'
    )
    types = (
        b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName='
        b'"/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.'
        b'main+xml"/></Types>'
    )
    package = office_files.zipped(
        {
            "[Content_Types].xml": types,
            "_rels/.rels": relations % (b"officeDocument", b"word/document.xml"),
            "word/document.xml": word,
            "word/_rels/document.xml.rels": relations % (b"aFChunk", b"part.htm"),
            "word/part.htm": b"<html><body><h1>Bids</h1><p>Due in May.</p></body></html>",
        }
    )
    assert _said(_read(tmp_path, "bids.docx", package, DOCX)) == [
        ("heading", "Bids"),
        ("paragraph", "Due in May."),
    ]
