"""Is a picture nearest to what it was made from, whatever was done to it on its way?"""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from retrieval.channels import SAME_PICTURE
from retrieval.encoders.base import EncoderError, Vectors
from retrieval.encoders.lookalike import LookAlikeEncoder
from tests.builders import encoded, scene

COUNT = 120
ENCODER = LookAlikeEncoder()


def _recompressed(image: Image.Image, quality: int = 30) -> Image.Image:
    return Image.open(io.BytesIO(encoded(image, "JPEG", quality=quality)))


def _tinted(image: Image.Image) -> Image.Image:
    red, green, blue = image.split()
    return Image.merge(
        "RGB", (red.point(lambda v: min(255, int(v * 1.15))), green, blue.point(lambda v: int(v * 0.85)))
    )


def _cropped(image: Image.Image) -> Image.Image:
    width, height = image.size
    return image.crop((int(width * 0.03), int(height * 0.03), int(width * 0.97), int(height * 0.97)))


def _all_at_once(image: Image.Image) -> Image.Image:
    return _recompressed(_tinted(_cropped(image)).resize((200, 150)))


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "recompressed": _recompressed,
    "resized": lambda image: image.resize((97, 61)),
    "enlarged": lambda image: image.resize((1280, 960)),
    "tinted": _tinted,
    "brightened": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "cropped": _cropped,
    "all at once": _all_at_once,
}


@pytest.fixture(scope="module")
def originals() -> list[Image.Image]:
    return [scene(seed) for seed in range(COUNT)]


@pytest.fixture(scope="module")
def rows(originals: list[Image.Image]) -> Vectors:
    return ENCODER.encode_images(originals)


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_picture_is_nearest_to_its_original(
    change: str, originals: list[Image.Image], rows: Vectors
) -> None:
    changed = ENCODER.encode_images([CHANGES[change](image) for image in originals])
    cosines = changed @ rows.T
    assert np.array_equal(cosines.argmax(axis=1), np.arange(COUNT))


def test_copies_are_the_same_picture_on_average_and_others_never(
    originals: list[Image.Image], rows: Vectors
) -> None:
    # Flat shapes are the hard case: what compression leaves in a plain surface is all the edge there is.
    copies = ENCODER.encode_images([_recompressed(image.resize((240, 180)), 80) for image in originals])
    cosines = copies @ rows.T
    assert np.diag(cosines).mean() >= SAME_PICTURE
    assert cosines[~np.eye(COUNT, dtype=bool)].max() < SAME_PICTURE


def test_rows_are_of_unit_length_and_the_same_each_time(originals: list[Image.Image], rows: Vectors) -> None:
    assert rows.shape == (COUNT, ENCODER.spec.dimensions)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.array_equal(ENCODER.encode_images(originals[:3]), rows[:3])
    assert ENCODER.encode_images([]).shape == (0, ENCODER.spec.dimensions)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_a_picture_of_any_mode_has_a_row(mode: str, originals: list[Image.Image]) -> None:
    grey = originals[0].convert("L")
    image = Image.fromarray(np.asarray(grey, dtype=np.uint16) * 257) if mode == "I;16" else grey.convert(mode)
    assert image.mode == mode
    row = ENCODER.encode_images([image])[0]
    assert np.isclose(np.linalg.norm(row), 1, atol=1e-5)
    if mode != "1":  # A dithered picture has edges of its own.
        assert row @ ENCODER.encode_images([grey])[0] > SAME_PICTURE


def test_what_is_transparent_looks_as_on_white() -> None:
    # Black lines on nothing would be black on black.
    drawing = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    drawing.paste((0, 0, 0, 255), (10, 10, 50, 20))
    on_white = Image.new("RGB", (64, 64), "white")
    on_white.paste("black", (10, 10, 50, 20))
    clear, white = ENCODER.encode_images([drawing, on_white])
    assert clear @ white == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2)])
def test_plain_and_tiny_pictures_have_a_row_too(size: tuple[int, int]) -> None:
    rows = ENCODER.encode_images([Image.new("RGB", size, colour) for colour in ("white", "grey", "red")])
    assert np.isfinite(rows).all()
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_words_have_no_look() -> None:
    with pytest.raises(EncoderError, match="pictures only"):
        ENCODER.encode_texts(["a red pump"])
