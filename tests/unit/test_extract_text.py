"""Do plain text, Markdown, reStructuredText and HTML give their words, their shape and their figures?"""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import builders
from workers.extract import charset, html, markdown, rst, tables, text
from workers.extract.assemble import Assembly
from workers.extract.base import Extraction, ExtractionError, Extractor, Source


def _read(extract: Extractor, tmp_path: Path, content: str | bytes) -> Extraction:
    path = tmp_path / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return extract(Source(path, "file", "", 0, scratch))


def _shape(found: Extraction) -> list[tuple[str, int, str]]:
    return [(block.role, block.level, block.text) for block in found.blocks]


def _codes(found: Extraction) -> list[str]:
    return [warning.code for warning in found.warnings]


_CHINESE = "公司的请假制度：员工每年有十五天年假，需要提前三天申请。"


@pytest.mark.parametrize(
    ("data", "expected", "guessed", "replaced"),
    [
        (_CHINESE.encode(), _CHINESE, False, False),
        (_CHINESE.encode("gb18030"), _CHINESE, True, False),
        ("请假".encode("gb18030"), "请假", True, False),
        (_CHINESE.encode("utf-16"), _CHINESE, False, False),
        (b"\xef\xbb\xbfwords", "words", False, False),
        (
            b"damaged \xff words " + "größer ünd älter".encode(),
            "damaged \ufffd words größer ünd älter",
            False,
            True,
        ),
    ],
)
def test_bytes_become_the_characters_that_they_spell(
    data: bytes, expected: str, guessed: bool, replaced: bool
) -> None:
    found = charset.decode(data)
    assert (found.text, found.guessed, found.replaced) == (expected, guessed, replaced)


def test_western_text_in_one_byte_a_letter_is_guessed() -> None:
    words = "Die Größe der Straße und die Übung für die Prüfung überraschten die Schüler völlig. " * 5
    found = charset.decode(words.encode("cp1252"))
    assert (found.text, found.guessed) == (words, True)


@given(st.binary(max_size=300))
def test_any_bytes_decode_to_something(data: bytes) -> None:
    assert isinstance(charset.decode(data).text, str)


def test_plain_text_is_cut_at_blank_lines(tmp_path: Path) -> None:
    found = _read(text.extract, tmp_path, "First\nline.\r\n\r\n  \r\nSecond.\n")
    assert [block.text for block in found.blocks] == ["First\nline.", "Second."]


def test_a_guess_and_a_loss_are_warned_of(tmp_path: Path) -> None:
    assert _codes(_read(text.extract, tmp_path, _CHINESE.encode("gb18030"))) == ["encoding_guessed"]


@pytest.mark.parametrize("content", [b"", b" \n", b"\x00\x00", b"\xef\xbb\xbf"])
def test_a_file_without_characters_is_empty(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ExtractionError) as caught:
        _read(text.extract, tmp_path, content)
    assert caught.value.code == "empty_file"


def test_markdown_gives_its_structure(tmp_path: Path) -> None:
    found = _read(
        markdown.extract,
        tmp_path,
        """---
title: "Pump manual"
---
# Pump P-200

Intro *text*
with `code`.

## Wiring

- one
- two

| Model | Bar |
|---|---|
| P-200 | 6 |

> Careful.

```py
x = 1
  y
```
""",
    )
    assert found.title == "Pump manual"
    assert _shape(found) == [
        ("heading", 1, "Pump P-200"),
        ("paragraph", 0, "Intro text\nwith code."),
        ("heading", 2, "Wiring"),
        ("list", 0, "one"),
        ("list", 0, "two"),
        ("table", 0, "Model: P-200; Bar: 6"),
        ("note", 0, "Careful."),
        ("code", 0, "x = 1\n  y"),
    ]


def test_a_markdown_picture_knows_the_words_around_it(tmp_path: Path) -> None:
    found = _read(
        markdown.extract,
        tmp_path,
        '# Pump\n\nBefore.\n\n![Wiring](img/w.png "Figure 1")\n\nAfter.\n\n'
        '<p><img src="x.png" alt="Logo"></p>\n',
    )
    assert [(picture.link, picture.alt_text, picture.caption) for picture in found.pictures] == [
        ("img/w.png", "Wiring", "Figure 1"),
        ("x.png", "Logo", ""),
    ]
    assert found.pictures[0].context == "Pump\nBefore.\nAfter."


def test_restructuredtext_keeps_what_sphinx_shows(tmp_path: Path) -> None:
    found = _read(
        rst.extract,
        tmp_path,
        """Users
=====

See :doc:`/manage/roles` or :ref:`the permissions <perms>` and press :kbd:`Enter`.

.. toctree::
   :maxdepth: 2

   The basics <basics>
   other/page

Adding
------

.. hint:: Ask first.

.. tabs::

   .. tab:: By hand

      Click *New*.

.. figure:: /images/user.png
   :alt: The user dialogue
   :unheard-of: option

   Details of a **user**.

.. unknown-box:: Its title
   :option: x

   Its content.

:Name: The user's name.

.. list-table::
   :header-rows: 1

   * - Role
     - Rights
   * - Agent
     - Read

.. code-block:: sh

   run --now
""",
    )
    assert found.title == "Users"
    assert _shape(found) == [
        ("heading", 1, "Users"),
        ("paragraph", 0, "See roles or the permissions and press Enter."),
        ("paragraph", 0, "The basics"),
        ("heading", 2, "Adding"),
        ("note", 0, "Ask first."),
        ("paragraph", 0, "By hand"),
        ("paragraph", 0, "Click New."),
        ("caption", 0, "Details of a user."),
        ("paragraph", 0, "Its title"),
        ("paragraph", 0, "Its content."),
        ("list", 0, "Name: The user's name."),
        ("table", 0, "Role: Agent; Rights: Read"),
        ("code", 0, "run --now"),
    ]
    (picture,) = found.pictures
    assert (picture.link, picture.alt_text, picture.caption) == (
        "/images/user.png",
        "The user dialogue",
        "Details of a user.",
    )
    assert picture.context.startswith("Users > Adding\nClick New.")


def test_a_web_page_gives_its_main_part(tmp_path: Path) -> None:
    found = _read(
        html.extract,
        tmp_path,
        """<!doctype html><html lang="de-CH"><head><title>Handbook | Leave</title><style>p {}</style>
        <meta name="author" content="HR"></head><body><nav>Home</nav><main><h1>Leave</h1>
        <p>Fifteen days<br>a year.</p><ul><li>Ask <b>early</b></li></ul><script>no()</script>
        <p hidden>secret</p><table><caption>Days</caption><tr><th>Years</th><th>Days</th></tr>
        <tr><td>1</td><td>15</td></tr></table><pre>a
  b</pre><figure><img src="leave.png" alt="A calendar"><figcaption>The calendar</figcaption></figure></main>
        <footer>Imprint</footer></body></html>""",
    )
    assert (found.title, found.language, found.metadata) == ("Handbook | Leave", "de", {"author": "HR"})
    assert _shape(found) == [
        ("heading", 1, "Leave"),
        ("paragraph", 0, "Fifteen days\na year."),
        ("list", 0, "Ask early"),
        ("caption", 0, "Days"),
        ("table", 0, "Years: 1; Days: 15"),
        ("code", 0, "a\n  b"),
        ("caption", 0, "The calendar"),
    ]
    (picture,) = found.pictures
    assert (picture.link, picture.alt_text, picture.caption) == ("leave.png", "A calendar", "The calendar")


def test_a_picture_inside_a_page_becomes_a_file_and_a_broken_one_a_warning(tmp_path: Path) -> None:
    inside = base64.b64encode(builders.picture("pump", size=(200, 100))).decode()
    found = _read(
        html.extract,
        tmp_path,
        f'<p>Words</p><img src="data:image/png;base64,{inside}" alt="Pump">'
        '<img src="data:image/png;base64,AAAA">',
    )
    (picture,) = found.pictures
    assert (picture.alt_text, picture.link, picture.width_px, picture.height_px) == ("Pump", "", 200, 100)
    assert (tmp_path / "scratch" / picture.file).read_bytes()[:4] == b"RIFF"
    assert _codes(found) == ["figure_unreadable"]


def test_a_stated_encoding_is_believed(tmp_path: Path) -> None:
    page = f"<html><head><meta charset=gb2312></head><p>{_CHINESE}</p></html>".encode("gb18030")
    found = _read(html.extract, tmp_path, page)
    assert [block.text for block in found.blocks] == [_CHINESE]
    assert found.warnings == ()


@given(st.text(max_size=300))
def test_any_markup_gives_blocks_or_a_named_error(content: str) -> None:
    html.add_fragment(content, Assembly(Path("/nonexistent")))  # Nothing here may write.


def test_cells_that_span_rows_are_repeated(tmp_path: Path) -> None:
    found = _read(
        html.extract,
        tmp_path,
        "<table><tr><th>Site</th><th>Pump</th></tr><tr><td rowspan=2>North</td><td>P1</td></tr>"
        "<tr><td>P2</td></tr></table>",
    )
    assert [block.text for block in found.blocks] == ["Site: North; Pump: P1\nSite: North; Pump: P2"]


def test_a_table_without_named_columns_reads_across() -> None:
    assert list(tables.lines([["a", "b"], ["1", ""]], header=False)) == ["a | b\n1"]
