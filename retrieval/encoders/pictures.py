"""How does a picture become an encoder's input? Upright RGB, scaled, cropped and normalised without torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from retrieval.encoders.base import EncoderError, Vectors

# A strip longer than this is cut to its middle before it is scaled: one of 1 x 100,000 pixels would become
# gigabytes with its short side at 224. The centre crop that follows a scaling of the short side is square or
# nearly so, and drops what is cut here anyway.
LONGEST_ASPECT = 8


@dataclass(frozen=True, slots=True)
class ImagePart:
    """What an image tower needs beside its graph. It is kept in the manifest, so its fields are plain values.

    `short_px` scales the short side and keeps the proportions; `width_px` and `height_px` stretch.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float
    resample: int
    short_px: int | None = None
    width_px: int | None = None
    height_px: int | None = None
    crop_width_px: int | None = None
    crop_height_px: int | None = None


def upright_rgb(image: Image.Image) -> Image.Image:
    """As a person sees it: turned as its EXIF says, what is transparent on white. Raises EncoderError."""
    try:
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith(("I", "F")):
            image = _eight_bits(image)
        if image.has_transparency_data:
            # On white, as in a browser: diagrams with black lines on nothing would be black on black.
            layer = image.convert("RGBA")
            sheet = Image.new("RGBA", layer.size, "white")
            sheet.alpha_composite(layer)
            image = sheet
        return image.convert("RGB")
    # What Pillow raises while it decodes: OSError for truncated data, the others for broken headers.
    except (OSError, SyntaxError, ValueError) as error:
        raise EncoderError("The picture's data is damaged; save it anew and try again.") from error


def squashed(image: Image.Image, side_px: int) -> Image.Image:
    """Stretched to a square, whatever its shape. Averaged over areas on the way down, so that nothing flickers."""
    return image.resize(
        (side_px, side_px),
        Image.Resampling.BILINEAR,
        reducing_gap=2.0 if min(image.size) >= side_px else None,
    )


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits or more, its own range spread over 0 to 255: Pillow's conversion clips it to white."""
    values = np.asarray(image, dtype=np.float32)
    low, high = float(values.min()), float(values.max())
    spread = (values - np.float32(low)) * np.float32(255 / max(high - low, 1e-9))
    return Image.fromarray(spread.astype(np.uint8))


def pixels(images: Sequence[Image.Image], part: ImagePart) -> Vectors:
    """float32 (N, 3, H, W), normalised channel by channel."""
    return np.stack([_one(upright_rgb(image), part) for image in images])


def _one(image: Image.Image, part: ImagePart) -> npt.NDArray[np.float32]:
    image = _scaled(image, part)
    if part.crop_width_px and part.crop_height_px:
        image = _centre(image, part.crop_width_px, part.crop_height_px)
    values = np.asarray(image, dtype=np.float32) * np.float32(part.scale)
    mean, std = np.array([part.mean, part.std], dtype=np.float32)
    return np.asarray(((values - mean) / std).transpose(2, 0, 1), dtype=np.float32)


def _scaled(image: Image.Image, part: ImagePart) -> Image.Image:
    filter_ = Image.Resampling(part.resample)
    if part.width_px and part.height_px:
        return image.resize((part.width_px, part.height_px), filter_)
    if not part.short_px:
        return image
    width, height = image.size
    short = min(width, height)
    image = _centre(image, min(width, short * LONGEST_ASPECT), min(height, short * LONGEST_ASPECT))
    width, height = image.size
    return image.resize((width * part.short_px // short, height * part.short_px // short), filter_)


def _centre(image: Image.Image, width: int, height: int) -> Image.Image:
    """The middle of `image`, black where it is smaller."""
    left, top = (image.width - width) // 2, (image.height - height) // 2
    if (left, top) == (0, 0) and image.size == (width, height):
        return image
    return image.crop((left, top, left + width, top + height))
