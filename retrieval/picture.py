"""What does the query's picture say? Its pixels as an image, its look-alikes, and the words that stand in it."""

import hashlib
import io
from dataclasses import dataclass
from typing import BinaryIO

from django.conf import settings
from django.core.cache import cache
from PIL import Image, UnidentifiedImageError

from kb.exceptions import QueryError
from retrieval.encoders.pictures import upright_rgb
from retrieval.reading import read_lines

# Above this a phone's photo still fits; a picture with more is a bomb or a poster, and is refused before decoding.
MAX_PIXELS = 60_000_000
# Formats whose decoders are in wide use on hostile input; Pillow knows dozens more.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
# What was read in a picture depends on its bytes alone, so it may be kept for everybody.
READ_CACHE_SECONDS = 24 * 3600
# Reading costs time that grows with the pixels; a query's picture is read at this size at the most.
READ_SIDE_PX = 1600


@dataclass(frozen=True, slots=True)
class QueryPicture:
    """A decoded query picture, upright and in RGB. `sha256` is that of the bytes as they came."""

    image: Image.Image
    sha256: str

    def words(self) -> str:
        """The text that stands in the picture, line by line; empty when there is none."""
        key = f"query-picture-words:{self.sha256}"
        known = cache.get(key)
        if known is None:
            known = "\n".join(line.text for line in read_lines(self.image, max_side_px=READ_SIDE_PX))
            cache.set(key, known, READ_CACHE_SECONDS)
        return str(known)


def received(upload: BinaryIO) -> bytes:
    """The bytes of an upload, as far as `open_picture` needs them to say what is wrong with it."""
    return upload.read(settings.KB_MAX_QUERY_PICTURE_BYTES + 1)


def open_picture(content: bytes) -> QueryPicture:
    """Decodes `content`. Raises QueryError, with the reason, for what is no picture, is damaged, or is too large."""
    if not content:
        raise QueryError("The picture is empty.")
    if len(content) > settings.KB_MAX_QUERY_PICTURE_BYTES:
        limit = settings.KB_MAX_QUERY_PICTURE_BYTES // 1024**2
        raise QueryError(f"The picture is larger than {limit} MB. Scale it down and search again.")
    too_many_pixels = (
        f"The picture has more than {MAX_PIXELS // 10**6} million pixels. Scale it down and search again."
    )
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
        if image.width * image.height > MAX_PIXELS:
            raise QueryError(too_many_pixels)
        # Decoded here: only that finds a file that ends half-way.
        image.load()
        pixels = upright_rgb(image)
    except QueryError:
        raise
    except UnidentifiedImageError as error:
        raise QueryError(
            "This is not a picture that can be read: use PNG, JPEG, WebP, GIF, BMP or TIFF."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        # Pillow's own limits; it only warns at the lower one, unless warnings are made errors.
        raise QueryError(too_many_pixels) from error
    except Exception as error:
        # Broad: on hostile bytes Pillow's decoders and its EXIF reader raise nearly anything, and whatever it is, it
        # says the same of the picture.
        raise QueryError("The picture is damaged. Save it again and retry.") from error
    return QueryPicture(pixels, hashlib.sha256(content).hexdigest())
