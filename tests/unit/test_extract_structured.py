"""Do tables, records and marked-up texts in plain files read well?"""

import base64
from pathlib import Path

import pytest

from kb import media_types
from tests import office_files
from workers import sandbox
from workers.extract.base import Extraction


def _read(tmp_path: Path, name: str, content: str | bytes) -> Extraction:
    path = tmp_path / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = media_types.detect(path, name)
    assert found.name_agrees
    return sandbox.extract(path, name=name, media_type=found.media_type, part=0, scratch=tmp_path / "scratch")


def _said(extraction: Extraction) -> list[tuple[str, str]]:
    return [(block.role, block.text) for block in extraction.blocks]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'Part,Price\n"Seal, large",12\nBolt,3\n'),
        ("a.csv", "Part;Price\nSeal, large;12\nBolt;3\n"),
        ("a.tsv", "Part\tPrice\nSeal, large\t12\nBolt\t3\n"),
        ("a.csv", "Part,Price\n'Seal',1\n".replace("'Seal',1", '"Seal, large",12\nBolt,3').encode("utf-16")),
    ],
)
def test_a_table_in_a_text_file_is_read_whatever_parts_its_cells(
    tmp_path: Path, name: str, content: str | bytes
) -> None:
    assert _said(_read(tmp_path, name, content)) == [
        ("table", "Part: Seal, large; Price: 12\nPart: Bolt; Price: 3")
    ]


def test_a_table_in_a_chinese_encoding_is_read_and_the_guess_is_said(tmp_path: Path) -> None:
    words = "名称,数量\n密封圈的库存,四十\n我们公司的水泵,两台\n"
    found = _read(tmp_path, "库存.csv", words.encode("gb18030"))
    assert _said(found) == [("table", "名称: 密封圈的库存; 数量: 四十\n名称: 我们公司的水泵; 数量: 两台")]
    assert [warning.code for warning in found.warnings] == ["encoding_guessed"]


def test_json_is_read_as_paths_and_values(tmp_path: Path) -> None:
    content = (
        '{"title": "Order", "items": [{"part": "Seal", "count": 2}], '
        '"to": {"city": "Halden"}, "tags": ["a", "b"]}'
    )
    found = _read(tmp_path, "order.json", content)
    assert found.title == "Order"
    assert [text for _, text in _said(found)] == [
        "title: Order",
        "part: Seal; count: 2",
        "to.city: Halden\ntags: a, b",
    ]


def test_json_lines_are_a_record_each(tmp_path: Path) -> None:
    found = _read(
        tmp_path, "log.jsonl", '{"code": "E14", "text": "Dry run"}\n{"code": "E15", "text": "Hot"}\n'
    )
    assert [text for _, text in _said(found)] == ["code: E14; text: Dry run", "code: E15; text: Hot"]


def test_json_cut_short_is_read_as_text_and_says_so(tmp_path: Path) -> None:
    found = _read(tmp_path, "cut.json", '{\n  "alarm": "Dry run",\n  "cause":')
    assert '"alarm": "Dry run",' in [text for _, text in _said(found)]
    assert [warning.code for warning in found.warnings] == ["corrupt"]


def test_xml_text_keeps_headings_and_sentences_and_xml_data_its_fields(tmp_path: Path) -> None:
    content = (
        '<?xml version="1.0"?><doc><title>Guide</title><section><title>Start</title>'
        "<p>Press <b>the green</b> button.</p><part><name>Seal</name><price>12</price></part></section></doc>"
    )
    assert _said(_read(tmp_path, "guide.xml", content)) == [
        ("heading", "Guide"),
        ("heading", "Start"),
        ("paragraph", "Press the green button."),
        ("list", "name: Seal; price: 12"),
    ]


def test_latex_keeps_sections_lists_tables_captions_and_formulas(tmp_path: Path) -> None:
    content = r"""\documentclass{article}
\title{Seals \& bearings}
\newcommand{\pump}[1]{the pump #1}
\begin{document}
\section{Wear}
Seals wear in \emph{sand}~\cite{x}. % not this
Caf\'e stays at $p = 6$ bar.\footnote{Measured twice.}
\begin{itemize}\item Clean \item Dry\end{itemize}
\begin{figure}\includegraphics[width=3cm]{art/seal.png}\caption{A worn seal}\label{f}\end{figure}
\begin{tabular}{ll}Model & Life\\ \hline P-200 & 900 h\\ P-300 & 1200 h\end{tabular}
\end{document}
"""
    found = _read(tmp_path, "wear.tex", content)
    assert found.title == "Seals & bearings"
    assert _said(found) == [
        ("heading", "Wear"),
        ("paragraph", "Seals wear in sand . Café stays at $p = 6$ bar."),
        ("note", "Measured twice."),
        ("list", "Clean"),
        ("list", "Dry"),
        ("caption", "A worn seal"),
        ("table", "Model: P-200; Life: 900 h\nModel: P-300; Life: 1200 h"),
    ]
    assert [(picture.link, picture.caption) for picture in found.pictures] == [
        ("art/seal.png", "A worn seal")
    ]


def test_rtf_keeps_headings_tables_letters_and_pictures(tmp_path: Path) -> None:
    image = office_files.picture().getvalue().hex()
    content = (
        r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\stylesheet{\s0 Normal;}{\s2\outlinelevel1 heading 2;}}"
        r"{\info{\title Seal plan}}\pard\s2 Spare parts\par\pard\s0 Caf\'e9 \u23494?\par"
        r"{\pict\pngblip\picw120\pich90 " + image + r"}\par}"
    )
    found = _read(tmp_path, "plan.rtf", content)
    assert found.title == "Seal plan"
    assert _said(found) == [("heading", "Spare parts"), ("paragraph", "Café 密")]
    assert [block.level for block in found.blocks if block.role == "heading"] == [2]
    assert [picture.width_px for picture in found.pictures] == [120]


def test_a_mark_for_groups_inside_an_rtf_group_hides_no_words(tmp_path: Path) -> None:
    content = r"{\rtf1\ansi{\*\generator Nobody;}\pard {\f2\*\cs7\cf0 The seal is worn.}\par \\*literal\par}"
    assert _said(_read(tmp_path, "stray.rtf", content)) == [
        ("paragraph", "The seal is worn."),
        ("paragraph", r"\*literal"),
    ]


def test_an_embedded_picture_in_flat_open_document_is_a_figure(tmp_path: Path) -> None:
    data = base64.b64encode(office_files.picture().getvalue()).decode()
    content = (
        '<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:draw="urn:oasis:names:tc:opendocument:'
        'xmlns:drawing:1.0" office:mimetype="application/vnd.oasis.opendocument.text"><office:body><office:text>'
        f"<text:p>Flat words.</text:p><draw:frame><draw:image><office:binary-data>{data}</office:binary-data>"
        "</draw:image></draw:frame></office:text></office:body></office:document>"
    )
    found = _read(tmp_path, "flat.fodt", content)
    assert _said(found) == [("paragraph", "Flat words.")]
    assert len(found.pictures) == 1
