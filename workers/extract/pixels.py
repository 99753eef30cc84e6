"""How are untrusted pixels opened and stored? Measured by the header first, decoded once, kept small."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from PIL import Image, ImageOps, UnidentifiedImageError

from workers.extract import limits
from workers.extract.base import ExtractionError

# Decoders for what is asked for here; Pillow knows forty more, some of them old and rarely looked after.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
# Twice this raises in Pillow; the check on the header below is the strict one and comes first.
Image.MAX_IMAGE_PIXELS = limits.MAX_PIXELS
_WEBP_QUALITY = 85  # Screenshots stay readable; half the bytes of JPEG 90.
_WEBP_METHOD = 0  # libwebp's quickest: a large photo in half the time of its second, for a tenth more bytes.


@contextmanager
def opened(file: Path | IO[bytes], formats: tuple[str, ...] = FORMATS) -> Iterator[Image.Image]:
    """The picture, header read, pixels not yet. Raises ExtractionError, also for a failed decoding inside."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata; the pixels decide.
            with Image.open(file, formats=formats) as image:
                refuse_huge(image)
                yield image
    except (ExtractionError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise ExtractionError("too_many_pixels") from error
    # What Pillow's decoders raise on damaged bytes: truncation is an OSError, odd chunks a SyntaxError or
    # ValueError, short structures struct.error (a ValueError's cousin), EXIF of the wrong shape a TypeError
    # or KeyError.
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
    ) as error:
        raise ExtractionError("corrupt") from error


def refuse_huge(image: Image.Image) -> None:
    """Raises ExtractionError when the header tells of more pixels than anybody decodes here."""
    width, height = image.size
    if width * height > limits.MAX_PIXELS:
        raise ExtractionError(
            "too_many_pixels",
            f"The picture has {width} × {height} pixels, more than the limit. Scale it down.",
        )


def upright(image: Image.Image, side_px: int) -> Image.Image:
    """Decoded, no side longer than `side_px`, turned as EXIF says, in mode L, RGB or RGBA."""
    # JPEG decodes at an eighth of its size for an eighth of the cost.
    image.draft(None, (side_px, side_px))
    image.load()
    orientation = image.getexif().get(0x0112)
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif image.mode.startswith("I;16") or image.mode in {"I", "F"}:
        # Sixteen bits a pixel: the high byte is the picture.
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    elif image.mode not in {"L", "RGB", "RGBA"}:
        image = image.convert("RGBA" if image.mode in {"LA", "PA", "La", "RGBa"} else "RGB")
    image.thumbnail((side_px, side_px), reducing_gap=2.0)
    if orientation not in (None, 1):
        image.getexif()[0x0112] = orientation
        image = ImageOps.exif_transpose(image)
    return image


def store(image: Image.Image, scratch: Path, stem: str) -> str:
    """Write the pixels, and nothing else of the file, as WebP; the file's name."""
    name = f"{stem}.webp"
    bare = image.copy()
    bare.info.clear()
    bare.save(scratch / name, "WEBP", quality=_WEBP_QUALITY, method=_WEBP_METHOD, exif=b"", icc_profile=None)
    return name


def flat(image: Image.Image) -> Image.Image:
    """Without transparency: on white, as a page would show it."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground
