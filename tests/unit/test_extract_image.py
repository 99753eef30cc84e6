"""Does an image give upright pixels of bounded size, the words in them, and no more metadata than is safe?"""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from tests import builders
from workers.extract import image
from workers.extract.base import Extraction, ExtractionError, Source


def _read(tmp_path: Path, content: bytes, media_type: str = "image/png") -> Extraction:
    path = tmp_path / "file"
    path.write_bytes(content)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return image.extract(Source(path, "file", media_type, 0, scratch))


def test_the_words_in_a_picture_are_read_with_their_places(tmp_path: Path) -> None:
    found = _read(tmp_path, builders.picture("INVOICE 4711\nTotal 33.50", size=(640, 200)))
    (picture,) = found.pictures
    assert [line.text for line in picture.ocr] == ["INVOICE 4711", "Total 33.50"]
    left, top, right, bottom = picture.ocr[1].box
    # Drawn from (24, 84), about 40 px high, in a picture of 640 by 200.
    assert left == pytest.approx(24 / 640, abs=0.02)
    assert top == pytest.approx(90 / 200, abs=0.06)
    assert right < 0.5
    assert bottom < 0.75


def test_chinese_words_in_a_picture_are_read(tmp_path: Path) -> None:
    font = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")  # Where Debian's fonts-noto-cjk is.
    if not font.exists():
        pytest.skip("no Chinese font on this host to draw the picture with")
    canvas = Image.new("RGB", (640, 120), "white")
    ImageDraw.Draw(canvas).text((24, 30), "请假申请表", fill="black", font=ImageFont.truetype(font, 48))
    out = io.BytesIO()
    canvas.save(out, "PNG")
    (picture,) = _read(tmp_path, out.getvalue()).pictures
    assert [line.text for line in picture.ocr] == ["请假申请表"]


def test_a_turned_photo_is_set_upright_and_tells_when_but_not_where(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Turned by a quarter.
    exif[0x0110] = "Phone 9"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:17 08:30:00"
    exif.get_ifd(0x8825)[2] = (47.0, 22.0, 0.0)
    found = _read(tmp_path, builders.picture(size=(300, 200), file_format="JPEG", exif=exif), "image/jpeg")
    assert (found.width_px, found.height_px) == (200, 300)
    assert found.metadata == {"camera_model": "Phone 9", "captured_at": "2024-05-17T08:30:00"}
    with Image.open(tmp_path / "scratch" / found.pictures[0].file) as stored:
        assert stored.size == (200, 300)
        assert not stored.getexif()


def test_a_large_picture_is_stored_small_and_measured_whole(tmp_path: Path) -> None:
    found = _read(tmp_path, builders.picture(size=(5000, 1000)))
    (picture,) = found.pictures
    assert (found.width_px, found.height_px) == (5000, 1000)
    assert picture.width_px == 2048


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "I;16", "CMYK", "1", "LA"])
def test_every_mode_of_pixels_is_read(tmp_path: Path, mode: str) -> None:
    media_type, kind = ("image/jpeg", "JPEG") if mode == "CMYK" else ("image/png", "PNG")
    path = tmp_path / "picture"
    Image.new(mode, (64, 64)).save(path, kind)
    assert _read(tmp_path, path.read_bytes(), media_type).pictures[0].width_px == 64


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (builders.picture("cut")[:-900], "corrupt"),
        (builders.png_claiming(50_000, 50_000), "too_many_pixels"),
        (builders.png_claiming(0, 10), "corrupt"),
        (b"\x89PNG\r\n\x1a\n", "corrupt"),
    ],
)
def test_an_image_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, code: str) -> None:
    with pytest.raises(ExtractionError) as caught:
        _read(tmp_path, content)
    assert caught.value.code == code
