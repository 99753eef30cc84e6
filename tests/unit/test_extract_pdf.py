"""Does a PDF give its text in order, its pages and figures as pictures, and OCR where it has no text?"""

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from tests import builders
from workers.extract import pdf
from workers.extract.base import Extraction, ExtractionError, Source


def _read(tmp_path: Path, content: bytes, part: int = 0) -> Extraction:
    path = tmp_path / "file.pdf"
    path.write_bytes(content)
    scratch = tmp_path / f"scratch{part}"
    scratch.mkdir()
    return pdf.extract(Source(path, "file.pdf", "application/pdf", part, scratch))


_BODY = [
    (72, 700, 11, "The pump must be primed before it starts, or its seal will be de-"),
    (72, 686, 11, "stroyed within minutes by the heat."),
    (72, 650, 11, "A second paragraph stands apart."),
]


def test_lines_become_paragraphs_and_large_ones_headings(tmp_path: Path) -> None:
    found = _read(tmp_path, builders.pdf([[(72, 760, 24, "Pump manual"), (72, 730, -11, "Priming"), *_BODY]]))
    assert [(block.role, block.level, block.text, block.page) for block in found.blocks] == [
        ("heading", 1, "Pump manual", 1),
        ("heading", 4, "Priming", 1),
        (
            "paragraph",
            0,
            "The pump must be primed before it starts, or its seal will be destroyed "
            "within minutes by the heat.",
            1,
        ),
        ("paragraph", 0, "A second paragraph stands apart.", 1),
    ]
    assert (found.title, found.page_count, found.parts) == ("Pump manual", 1, 1)


def test_chinese_lines_join_without_blanks(tmp_path: Path) -> None:
    words = [(72, 700, 12, "员工请假应当提前三个工作日"), (72, 684, 12, "向部门经理提出书面申请。")]
    found = _read(tmp_path, builders.pdf([words]))
    assert [block.text for block in found.blocks] == ["员工请假应当提前三个工作日向部门经理提出书面申请。"]


def test_every_page_is_a_picture(tmp_path: Path) -> None:
    found = _read(tmp_path, builders.pdf([_BODY, _BODY]))
    pages = [picture for picture in found.pictures if picture.role == "page"]
    assert [(page.page, page.height_px) for page in pages] == [(1, 1600), (2, 1600)]
    with Image.open(tmp_path / "scratch0" / pages[0].file) as image:
        assert image.size == (pages[0].width_px, 1600)


def test_a_long_document_is_read_in_parts_and_running_heads_are_left_out(tmp_path: Path) -> None:
    content = builders.pdf(
        [
            [(72, 810, 9, f"ACME handbook {number}"), (72, 700, 11, f"Words of page {number}.")]
            for number in range(1, 13)
        ]
    )
    first, second = _read(tmp_path, content), _read(tmp_path, content, part=1)
    assert (first.parts, first.page_count) == (2, 12)
    assert [(block.page, block.text) for block in second.blocks] == [
        (11, "ACME handbook 11"),
        (11, "Words of page 11."),
        (12, "ACME handbook 12"),
        (12, "Words of page 12."),
    ]  # Two pages show no pattern; ten do.
    assert [block.text for block in first.blocks] == [f"Words of page {number}." for number in range(1, 11)]


@pytest.mark.parametrize("caption", ["Figure 3: The seal of the pump", "图 3 水泵的密封"])
def test_a_figure_is_cut_out_with_its_caption(tmp_path: Path, caption: str) -> None:
    jpeg = io.BytesIO()
    Image.effect_mandelbrot((300, 200), (-2, -1.5, 1, 1.5), 50).convert("RGB").save(jpeg, "JPEG")
    found = _read(
        tmp_path,
        builders.pdf(
            [[*_BODY, (110, 384, 10, caption), (72, 330, 11, "Text that follows.")]], image=jpeg.getvalue()
        ),
    )
    (figure,) = [picture for picture in found.pictures if picture.role == "figure"]
    assert figure.caption == caption
    # x 100 to 400 of 595, y 400 to 600 of 842 from the bottom.
    assert figure.box == pytest.approx((100 / 595, 242 / 842, 400 / 595, 442 / 842), abs=0.01)
    assert [block.text for block in found.blocks if block.role == "caption"] == [caption]
    assert figure.context.endswith("Text that follows.")


def test_a_drawing_of_lines_is_a_figure_when_a_caption_says_so(tmp_path: Path) -> None:
    bars = " ".join(f"{120 + 40 * bar} 420 25 {30 + 20 * bar} re f" for bar in range(7))
    words = [*_BODY, (110, 400, 10, "Figure 1. Pressure by month")]
    found = _read(tmp_path, builders.pdf([words], drawing=bars))
    assert [picture.caption for picture in found.pictures if picture.role == "figure"] == [
        "Figure 1. Pressure by month"
    ]


def test_a_drawing_without_a_caption_may_be_a_table_and_is_no_figure(tmp_path: Path) -> None:
    bars = " ".join(f"{120 + 40 * bar} 420 25 {30 + 20 * bar} re f" for bar in range(7))
    found = _read(tmp_path, builders.pdf([_BODY], drawing=bars))
    assert [picture.role for picture in found.pictures] == ["page"]


def test_a_scanned_page_is_read_by_ocr(tmp_path: Path) -> None:
    jpeg = builders.picture("INVOICE 4711\nTotal 33.50", size=(600, 800), file_format="JPEG")
    found = _read(tmp_path, builders.pdf([[]], image=jpeg, image_box=(0, 0, 595, 842)))
    assert "INVOICE 4711" in found.blocks[0].text
    (page,) = found.pictures
    assert page.role == "page"
    assert page.ocr[0].text == "INVOICE 4711"


@pytest.mark.parametrize(
    ("title", "expected"),
    [("Leave policy", "Leave policy"), ("Microsoft Word - leave.doc", ""), ("untitled", ""), ("", "")],
)
def test_a_stated_title_counts_when_somebody_wrote_it(tmp_path: Path, title: str, expected: str) -> None:
    assert _read(tmp_path, builders.pdf([_BODY], title=title)).title == expected


def test_one_unreadable_page_is_a_warning(tmp_path: Path) -> None:
    # The second page becomes a reference to an object that the file does not have.
    content = re.sub(rb"/Kids \[(\d+) 0 R \d+ 0 R\]", rb"/Kids [\1 0 R 99 0 R]", builders.pdf([_BODY, _BODY]))
    found = _read(tmp_path, content)
    assert [warning.code for warning in found.warnings] == ["page_unreadable"]
    assert {block.page for block in found.blocks} == {1}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (builders.pdf_without_pages(), "no_pages"),
        (builders.encrypted_pdf(), "encrypted"),
        (builders.pdf([_BODY])[:200], "corrupt"),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, code: str) -> None:
    with pytest.raises(ExtractionError) as caught:
        _read(tmp_path, content)
    assert caught.value.code == code
