"""Does a drawing give its picture and its words, and nothing that it points at?"""

import base64
from pathlib import Path

import pytest
from PIL import Image

from kb import media_types
from workers.extract import svg
from workers.extract.base import Extraction, ExtractionError, Source

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '


def _read(tmp_path: Path, markup: str | bytes) -> Extraction:
    path = tmp_path / "drawing"
    path.write_bytes(markup if isinstance(markup, bytes) else markup.encode())
    (tmp_path / "scratch").mkdir()
    return svg.extract(Source(path, "drawing.svg", "image/svg+xml", 0, tmp_path / "scratch"))


def _pixels(tmp_path: Path, found: Extraction) -> Image.Image:
    with Image.open(tmp_path / "scratch" / found.pictures[0].file) as image:
        return image.convert("RGB")


def test_a_drawing_is_drawn_and_its_words_are_told(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        HEAD
        + 'width="40mm" height="20mm" viewBox="0 0 80 40"><title>Pump</title><desc>How it is wired</desc>'
        '<rect width="40" height="40" fill="#ff0000"/><text x="9" y="9">Motor <tspan>M1</tspan></text></svg>',
    )
    assert found.title == "Pump"
    assert [block.text for block in found.blocks] == ["Pump", "How it is wired", "Motor M1"]
    assert (found.width_px, found.height_px) == (151, 76)  # 40 and 20 mm of 96 px an inch.
    image = _pixels(tmp_path, found)
    assert image.height == 800
    assert image.width == pytest.approx(1600, abs=12)  # Drawn from whole pixels: 152 by 76.
    red, green, _ = image.getpixel((400, 600))  # type: ignore[misc]
    assert red > 200 > 50 > green
    assert min(image.getpixel((1200, 600))) > 240  # type: ignore[type-var, arg-type]


def _red_picture(path: Path) -> bytes:
    Image.new("RGB", (50, 50), "red").save(path, "PNG")
    return path.read_bytes()


@pytest.mark.parametrize(
    "inside",
    [
        '<image width="100" height="100" href="{path}"/>',
        '<image width="100" height="100" xlink:href="file://{path}"/>',
        '<image width="100" height="100" href="data:image/svg+xml;base64,{nested}"/>',
        '<filter id="f"><feImage href="{path}"/></filter><rect width="99" height="99" filter="url(#f)"/>',
        '<use href="{path}#a"/>',
        '<rect width="100" height="100" style="fill:url({path}#p) white"/>',
        "<style>@import url({path}); rect {{ fill: white }}</style><rect width='100' height='100'/>",
        '<foreignObject width="9" height="9"><img xmlns="http://www.w3.org/1999/xhtml" src="{path}"/></foreignObject>',
    ],
)  # fmt: skip
def test_no_file_of_the_host_is_shown(tmp_path: Path, inside: str) -> None:
    path = tmp_path / "secret.png"
    _red_picture(path)
    nested = base64.b64encode(
        (HEAD + f'width="9" height="9"><image width="9" height="9" href="{path}"/></svg>').encode()
    )
    found = _read(
        tmp_path,
        HEAD
        + 'viewBox="0 0 100 100"><title>t</title>'
        + inside.format(path=path, nested=nested.decode())
        + "</svg>",
    )
    for _, (red, green, blue) in _pixels(tmp_path, found).getcolors(10**7) or []:  # type: ignore[misc]
        assert abs(red - green) < 30, "something red is shown"
        assert abs(red - blue) < 30


def test_a_picture_inside_is_shown(tmp_path: Path) -> None:
    data = base64.b64encode(_red_picture(tmp_path / "red.png")).decode()
    found = _read(
        tmp_path,
        HEAD
        + f'viewBox="0 0 100 100"><image width="100" height="100" href="data:image/png;base64,{data}"/></svg>',
    )
    red, green, _ = _pixels(tmp_path, found).getpixel((800, 800))  # type: ignore[misc]
    assert red > 200 > 50 > green


def test_scripts_are_neither_run_nor_told(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        HEAD + "viewBox='0 0 9 9' onload='steal()'><script>steal()</script><text y='5'>shown</text></svg>",
    )
    assert [block.text for block in found.blocks] == ["shown"]


def test_an_external_entity_stays_unread(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    markup = (
        f'<!DOCTYPE svg [<!ENTITY e SYSTEM "file://{secret}">]>'
        + HEAD
        + "viewBox='0 0 9 9'><text>a &e; b</text></svg>"
    )
    found = _read(tmp_path, markup)
    assert "secret" not in " ".join(block.text for block in found.blocks)


def test_an_entity_bomb_ends(tmp_path: Path) -> None:
    """Ten to the ninth letters, had they been written out."""
    levels = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 10))
    markup = (
        f'<!DOCTYPE svg [<!ENTITY e0 "lol">{levels}]>'
        + HEAD
        + "viewBox='0 0 9 9'><text>&e9;</text><text>end</text></svg>"
    )
    try:
        found = _read(tmp_path, markup)
    except ExtractionError as error:
        assert error.code == "corrupt"  # noqa: PT017 -- refusing it is as good
    else:
        assert sum(len(block.text) for block in found.blocks) < 1000


@pytest.mark.parametrize(
    ("markup", "code"),
    [
        ("", "empty_file"),
        ("<svg", None),
        ("no markup at all", "corrupt"),
        (HEAD + 'width="0" height="0"></svg>', None),
    ],
)
def test_odd_drawings_end_by_name(tmp_path: Path, markup: str, code: str | None) -> None:
    try:
        _read(tmp_path, markup)
    except ExtractionError as error:
        assert error.code == (code or "corrupt")  # noqa: PT017 -- one of them is drawn as nothing
    else:
        assert code is None


@pytest.mark.parametrize(
    "start",
    [
        "",
        '<?xml version="1.0"?>',
        "<!-- a --><!-- b -->",
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd">\n',
    ],
)
def test_a_drawing_is_told_by_its_root(tmp_path: Path, start: str) -> None:
    path = tmp_path / "file"
    path.write_text(start + HEAD + "viewBox='0 0 9 9'><rect width='5' height='5'/></svg>")
    assert media_types.detect(path, "drawing.svg").media_type == "image/svg+xml"


def test_a_thousand_comments_are_told_apart_in_time(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("<!---->" * 580 + "<no root that is known")
    assert media_types.detect(path, "file.xml").media_type != "image/svg+xml"
