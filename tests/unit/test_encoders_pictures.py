"""Does an encoder see a picture as a person does, however it is stored, and at bounded cost?"""

import io

import numpy as np
import pytest
from PIL import Image

from retrieval.encoders.base import EncoderError
from retrieval.encoders.pictures import ImagePart, pixels, upright_rgb

PART = ImagePart(
    mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), scale=1 / 255, resample=Image.Resampling.BICUBIC, short_px=8,
    crop_width_px=8, crop_height_px=8,
)  # fmt: skip


def test_the_orientation_in_the_exif_is_followed() -> None:
    stored = Image.new("RGB", (20, 10), "black")
    stored.paste("white", (0, 0, 10, 10))  # White on the left, as stored.
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: turn by 90 degrees clockwise to see it upright.
    file = io.BytesIO()
    stored.save(file, "PNG", exif=exif)
    upright = upright_rgb(Image.open(file))
    assert upright.size == (10, 20)
    assert upright.getpixel((5, 0)) == (255, 255, 255)
    assert upright.getpixel((5, 19)) == (0, 0, 0)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_what_is_transparent_is_white(mode: str) -> None:
    assert upright_rgb(Image.new(mode, (2, 2), 0)).getpixel((0, 0)) == (255, 255, 255)


def test_a_palette_with_a_transparent_colour_is_white_there() -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([0, 0, 0, 200, 0, 0])
    image.putpixel((1, 0), 1)
    image.info["transparency"] = 0
    assert [upright_rgb(image).getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (200, 0, 0)]


def test_sixteen_bit_grey_keeps_its_contrast() -> None:
    image = Image.fromarray(np.array([[1000, 2000, 3000]], dtype=np.uint16))
    assert [upright_rgb(image).getpixel((x, 0))[0] for x in range(3)] == [0, 127, 255]


def test_a_truncated_picture_is_an_encoder_error_with_its_remedy() -> None:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(file, "PNG")
    with pytest.raises(EncoderError, match="damaged"):
        upright_rgb(Image.open(io.BytesIO(file.getvalue()[:500])))


def test_values_are_scaled_and_normalised_channel_by_channel() -> None:
    values = pixels([Image.new("RGB", (16, 16), (255, 0, 51))], PART)
    assert values.shape == (1, 3, 8, 8)
    assert values.dtype == np.float32
    # (v / 255 - 0.5) / 0.5: 255 -> 1, 0 -> -1, 51 -> -0.6
    np.testing.assert_allclose(values[0, :, 0, 0], [1, -1, -0.6], atol=1e-6)


def test_a_picture_smaller_than_the_crop_is_set_on_black() -> None:
    part = ImagePart(
        mean=(0, 0, 0),
        std=(1, 1, 1),
        scale=1,
        resample=Image.Resampling.BICUBIC,
        crop_width_px=4,
        crop_height_px=4,
    )
    values = pixels([Image.new("RGB", (2, 2), "white")], part)
    assert values[0, 0].tolist() == [[0, 0, 0, 0], [0, 255, 255, 0], [0, 255, 255, 0], [0, 0, 0, 0]]


def test_a_long_strip_costs_no_more_than_its_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def watched(self: Image.Image, size: tuple[int, int], *rest: object) -> Image.Image:
        sizes.append(size)
        return resize(self, size, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Image.Image, "resize", watched)
    assert pixels([Image.new("RGB", (50_000, 1))], PART).shape == (1, 3, 8, 8)
    assert sizes == [(64, 8)]  # Not 400,000 x 8.
