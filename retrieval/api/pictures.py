"""Is what was uploaded as a query an image that may be opened?"""

import io
import warnings
from typing import BinaryIO

from django.conf import settings
from PIL import Image, UnidentifiedImageError

from kb.exceptions import QueryError

# Decoded at three bytes a pixel this is 150 MB, of which a web process can hold one a thread; phones make 12 to 50.
MAX_PIXELS = 50_000_000
# Formats whose decoders are in wide use on hostile input; Pillow knows dozens more.
FORMATS = ("PNG", "JPEG", "WEBP")


def read_picture(stream: BinaryIO) -> bytes:
    """The bytes of an image that decodes. Raises QueryError with what to do about it."""
    limit = settings.KB_MAX_QUERY_PICTURE_BYTES
    data = stream.read(limit + 1)
    if not data:
        raise QueryError("The picture is empty.")
    if len(data) > limit:
        raise QueryError(f"The picture is larger than {limit // 1024**2} MB. Scale it down.")
    try:
        with warnings.catch_warnings():
            # Pillow only warns from 90 million pixels on; the check below comes first and is stricter.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        with image:
            if image.width * image.height > MAX_PIXELS:
                raise QueryError(
                    f"The picture has more than {MAX_PIXELS // 10**6} million pixels. Scale it down."
                )
            # load() and not verify(): only decoding finds a file that ends half-way.
            image.load()
    except UnidentifiedImageError as error:
        raise QueryError("This is no image that can be read. Send a PNG, JPEG or WebP file.") from error
    except Image.DecompressionBombError as error:
        raise QueryError(
            f"The picture has more than {MAX_PIXELS // 10**6} million pixels. Scale it down."
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        # What Pillow's decoders raise for damaged data; SyntaxError is its PNG reader's.
        raise QueryError("The picture is damaged and cannot be read. Save it again and retry.") from error
    return data
