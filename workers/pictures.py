"""Where do the pixels of a segment go? To storage as JPEG or WebP, with a thumbnail beside them."""

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from kb.storage import Storage
from workers.extract.base import Picture

# Two columns of results on a phone, one on a screen of twice the density.
THUMBNAIL_SIDE_PX = 320
_THUMBNAIL_QUALITY = 75
# Of what parsers give as PNG: text edges stay clean, at a fifth of its size.
_QUALITY = 82
# WebP's own limit of either side.
_LONGEST_SIDE_PX = 16_383
# The formats that parsers write (workers/extract/base.py); Pillow is asked for no other decoder.
_FORMATS = ("PNG", "JPEG", "WEBP")
# libwebp's quickest: on a page picture four times as fast as its default, for a tenth more bytes.
_METHOD = 0


@dataclass(frozen=True, slots=True)
class StoredPicture:
    picture_key: str
    thumbnail_key: str
    width_px: int
    height_px: int


def store(
    objects: Storage, picture: Picture, *, scratch: Path, version_id: int, part: int, number: int
) -> StoredPicture:
    """Puts the picture and its thumbnail under keys that a repeated extraction uses again."""
    prefix = f"pictures/{version_id}/{part}/{number}"
    file = scratch / picture.file
    with Image.open(file, formats=_FORMATS) as image:
        # As the parser wrote it: a page picture written anew took longer than everything else about it.
        is_kept = image.format == "WEBP" or (image.format == "JPEG" and image.mode in ("RGB", "L"))
        size = image.size
        if is_kept and picture.role != "preview":
            # JPEG is decoded at a fraction of its size for a fraction of the time; all of it is read all the same.
            image.draft(None, (2 * THUMBNAIL_SIDE_PX, 2 * THUMBNAIL_SIDE_PX))
        image.load()
        pixels = (
            image if image.mode in ("RGB", "RGBA") else image.convert("RGBA" if _has_alpha(image) else "RGB")
        )
        ending = "webp"
        if is_kept:
            encoded = file.read_bytes()
            ending = "jpg" if image.format == "JPEG" else "webp"
        else:
            pixels.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX))
            encoded = _webp(pixels, _QUALITY)
            size = pixels.size
        width_px, height_px = size
        key = f"{prefix}.{ending}"
        if picture.role == "preview":
            # Small already, and too wide for a thumbnail.
            _put(objects, key, encoded)
            return StoredPicture(key, "", width_px, height_px)
        small = pixels.copy()
        small.thumbnail((THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX))
    _put(objects, key, encoded)
    _put(objects, f"{prefix}-thumb.webp", _webp(small, _THUMBNAIL_QUALITY))
    return StoredPicture(key, f"{prefix}-thumb.webp", width_px, height_px)


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info


def _webp(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=_METHOD)
    return buffer.getvalue()


def _put(objects: Storage, key: str, encoded: bytes) -> None:
    media_type = "image/jpeg" if key.endswith(".jpg") else "image/webp"
    objects.put(key, io.BytesIO(encoded), size_bytes=len(encoded), media_type=media_type)
