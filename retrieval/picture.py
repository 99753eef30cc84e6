"""What does the query's picture say? Its pixels as an image, its look-alikes, and the words that stand in it."""

import hashlib
import io
from dataclasses import dataclass
from typing import BinaryIO

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from kb.exceptions import QueryError
from retrieval.encoders.lettering import seems_written
from retrieval.encoders.pictures import upright_rgb
from retrieval.reading import read_lines

# Above this a phone's photo still fits; a picture with more is a bomb or a poster, and is refused before decoding.
MAX_PIXELS = 60_000_000
# Formats whose decoders are in wide use on hostile input; Pillow knows dozens more.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
# What was read in a picture depends on its bytes alone, so it may be kept for everybody.
READ_CACHE_SECONDS = 24 * 3600
# Reading costs time that grows with the pixels; a query's picture is read at this size at the most, at which the
# letters in a screenshot of a whole screen can still be told.
READ_SIDE_PX = 1280


@dataclass(frozen=True, slots=True)
class QueryPicture:
    """A decoded query picture, upright and in RGB. `sha256` is that of the bytes as they came."""

    image: Image.Image
    sha256: str

    def words(self) -> str:
        """The text that stands in the picture, line by line; empty when there is none, or hardly any.

        Reading takes a second or more, so that a picture is read only where a cheap look finds several words in it.
        """
        key = f"query-picture-words:{self.sha256}"
        known = cache.get(key)
        if known is None:
            lines = read_lines(self.image, max_side_px=READ_SIDE_PX) if seems_written(self.image) else ()
            known = "\n".join(line.text for line in lines)
            cache.set(key, known, READ_CACHE_SECONDS)
        return str(known)


def received(upload: BinaryIO) -> bytes:
    """The bytes of an upload, as far as `open_picture` needs them to say what is wrong with it."""
    return upload.read(settings.KB_MAX_QUERY_PICTURE_BYTES + 1)


def open_picture(content: bytes) -> QueryPicture:
    """Decodes `content`. Raises QueryError, with the reason, for what is no picture, is damaged, or is too large."""
    if not content:
        raise QueryError(_("The picture is empty."))
    if len(content) > settings.KB_MAX_QUERY_PICTURE_BYTES:
        limit = settings.KB_MAX_QUERY_PICTURE_BYTES // 1024**2
        raise QueryError(
            _("The picture is larger than %(limit)d MB. Scale it down and search again.") % {"limit": limit}
        )
    too_many_pixels = _(
        "The picture has more than %(limit)d million pixels. Scale it down and search again."
    ) % {"limit": MAX_PIXELS // 10**6}
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
            _("This is not a picture that can be read: use PNG, JPEG, WebP, GIF, BMP or TIFF.")
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        # Pillow's own limits; it only warns at the lower one, unless warnings are made errors.
        raise QueryError(too_many_pixels) from error
    except Exception as error:
        # Broad: on hostile bytes Pillow's decoders and its EXIF reader raise nearly anything, and whatever it is, it
        # says the same of the picture.
        raise QueryError(_("The picture is damaged. Save it again and retry.")) from error
    return QueryPicture(pixels, hashlib.sha256(content).hexdigest())
