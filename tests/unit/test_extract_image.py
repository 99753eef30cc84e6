"""Does an image give upright pixels of bounded size, the words in them, and no more metadata than is safe?"""

import io
import struct
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from kb import media_types
from tests import builders
from workers.extract import image, limits
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


@pytest.mark.parametrize(
    ("file_format", "media_type"),
    [
        ("GIF", "image/gif"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
        ("AVIF", "image/avif"),
        ("HEIF", "image/heic"),
    ],
)
def test_the_other_kinds_of_pictures_are_read(tmp_path: Path, file_format: str, media_type: str) -> None:
    image.warm()  # Which makes HEIC known to Pillow, to write one here and to read it there.
    content = builders.picture("INVOICE 4711", size=(640, 200), file_format=file_format)
    (tmp_path / "unnamed").write_bytes(content)
    assert media_types.detect(tmp_path / "unnamed", "unnamed").media_type == media_type
    (picture,) = _read(tmp_path, content, media_type).pictures
    assert (picture.role, picture.width_px, picture.height_px) == ("image", 640, 200)
    assert [line.text for line in picture.ocr] == ["INVOICE 4711"]


def test_an_animation_is_its_first_picture(tmp_path: Path) -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (80, 60), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    (picture,) = _read(tmp_path, out.getvalue(), "image/gif").pictures
    with Image.open(tmp_path / "scratch" / picture.file) as stored:
        red, green, blue = stored.convert("RGB").getpixel((40, 30))  # type: ignore[misc]
    assert red > 200 > 60 > max(green, blue)


def _scan(pages: int, *, broken: int | None = None) -> bytes:
    out = io.BytesIO()
    sheets = [Image.new("L", (60 + number, 80), "white") for number in range(pages)]
    sheets[0].save(out, "TIFF", save_all=True, append_images=sheets[1:], compression="raw")
    content = bytearray(out.getvalue())
    if broken is not None:
        # Tag 273 says where a page's pixels are: to nowhere.
        at = -1
        for _ in range(broken):
            at = content.index(struct.pack("<HHI", 273, 4, 1), at + 1)
        struct.pack_into("<I", content, at + 8, 2**31)
    return bytes(content)


def test_a_scan_of_several_pages_has_a_picture_for_each(tmp_path: Path) -> None:
    content = _scan(limits.PAGES_PER_PART + 2)
    found = _read(tmp_path, content, "image/tiff")
    assert (found.page_count, found.parts, found.width_px) == (limits.PAGES_PER_PART + 2, 2, 60)
    assert [(picture.role, picture.page) for picture in found.pictures] == [
        ("page", page) for page in range(1, 11)
    ]
    scratch = tmp_path / "scratch-1"
    scratch.mkdir()
    rest = image.extract(Source(tmp_path / "file", "file", "image/tiff", 1, scratch))
    assert [(picture.page, picture.width_px) for picture in rest.pictures] == [(11, 70), (12, 71)]


def test_a_page_that_is_damaged_leaves_the_others(tmp_path: Path) -> None:
    found = _read(tmp_path, _scan(3, broken=2), "image/tiff")
    assert [picture.page for picture in found.pictures] == [1, 3]
    assert [warning.code for warning in found.warnings] == ["page_unreadable"]


def test_a_scan_whose_pages_follow_in_a_circle_ends(tmp_path: Path) -> None:
    content = bytearray(_scan(1))
    directory = struct.unpack_from("<I", content, 4)[0]
    entries = struct.unpack_from("<H", content, directory)[0]
    struct.pack_into("<I", content, directory + 2 + 12 * entries, directory)
    assert len(_read(tmp_path, bytes(content), "image/tiff").pictures) == 1
