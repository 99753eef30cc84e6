"""What happens to what is uploaded as a query picture: opened, or refused with what to do about it?"""

import io
import random
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from kb.exceptions import QueryError
from retrieval.picture import FORMATS, MAX_PIXELS, open_picture, received
from tests.builders import encoded, png_claiming, scene

NO_PICTURE = "This is not a picture that can be read: use PNG, JPEG, WebP, GIF, BMP or TIFF."
DAMAGED = "The picture is damaged. Save it again and retry."
TOO_MANY = "The picture has more than 60 million pixels. Scale it down and search again."


def _refusal(content: bytes) -> str:
    with pytest.raises(QueryError) as caught:
        open_picture(content)
    return str(caught.value)


@pytest.mark.parametrize("file_format", FORMATS)
def test_each_format_is_opened(file_format: str) -> None:
    picture = open_picture(encoded(scene(1), file_format))
    assert (picture.image.mode, picture.image.size) == ("RGB", (320, 240))


def test_the_picture_is_upright_and_on_white() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert open_picture(encoded(scene(1), "JPEG", exif=exif)).image.size == (240, 320)
    clear = open_picture(encoded(Image.new("RGBA", (2, 2), (0, 0, 0, 0))))
    assert clear.image.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The picture is empty."),
        (b"no image at all", NO_PICTURE),
        (b"%PDF-1.7 not a picture", NO_PICTURE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NO_PICTURE),
        # Pillow knows many more formats, whose decoders nobody attacks and nobody mends.
        (encoded(scene(1), "PPM"), NO_PICTURE),
        (encoded(scene(1), "ICO"), NO_PICTURE),
        (encoded(scene(1))[:-2000], DAMAGED),
        (encoded(scene(1), "JPEG")[:3000], DAMAGED),
        (encoded(scene(1), "WEBP")[:500], DAMAGED),
        # Above this module's limit, above the one from which Pillow warns, above the one at which it refuses.
        (png_claiming(8000, 8000), TOO_MANY),
        (png_claiming(10_000, 10_000), TOO_MANY),
        (png_claiming(50_000, 50_000), TOO_MANY),
    ],
    ids=[
        "empty",
        "text",
        "pdf",
        "svg",
        "ppm",
        "ico",
        "cut png",
        "cut jpeg",
        "cut webp",
        "64 MP",
        "100 MP",
        "2.5 GP",
    ],
)
def test_each_bad_input_has_its_sentence(content: bytes, sentence: str) -> None:
    assert _refusal(content) == sentence


def test_pixels_are_counted_before_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(self: Image.Image) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    assert MAX_PIXELS < 8000 * 8000
    assert _refusal(png_claiming(8000, 8000)) == TOO_MANY


def test_too_many_bytes_are_neither_read_nor_decoded(settings: Any) -> None:
    settings.KB_MAX_QUERY_PICTURE_BYTES = 2 * 1024**2
    stream = io.BytesIO(b"x" * (3 * 1024**2))
    content = received(stream)
    assert len(content) == 2 * 1024**2 + 1
    assert _refusal(content) == "The picture is larger than 2 MB. Scale it down and search again."


def test_a_bomb_in_the_text_of_a_png_is_a_damaged_picture() -> None:
    # zTXt unpacks at opening; Pillow stops at a limit of its own.
    text = b"note\0\0" + zlib.compress(b"a" * 200_000_000)
    content = encoded(scene(1, (8, 8)))
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    assert _refusal(content[:33] + chunk + content[33:]) in (DAMAGED, NO_PICTURE)


@pytest.mark.parametrize("file_format", FORMATS)
def test_whatever_bytes_are_broken_the_answer_is_a_picture_or_a_sentence(file_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"exif": exif} if file_format in ("JPEG", "PNG", "WEBP") else {}
    content = encoded(scene(2, (40, 30)), file_format, **options)
    chosen = random.Random(3)
    for _ in range(150):
        broken = bytearray(content)
        for _ in range(chosen.randint(1, 8)):
            broken[chosen.randrange(len(broken))] = chosen.randrange(256)
        assert _outcome(bytes(broken)) in ("RGB", NO_PICTURE, DAMAGED, TOO_MANY)


def _outcome(content: bytes) -> str:
    try:
        return open_picture(content).image.mode
    except QueryError as refusal:
        return str(refusal)
