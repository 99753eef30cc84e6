"""What does an image file show and say? Its upright pixels, the words in them, and when it was taken."""

import math
import re
from contextlib import AbstractContextManager
from typing import Literal

import pillow_heif
from PIL import Image

from workers.extract import limits, ocr, pixels
from workers.extract.base import Extraction, ExtractionError, Picture, Source, Warning_

# Pillow's decoders by what the content is.
_FORMATS: dict[str, tuple[str, ...]] = {
    "image/png": ("PNG",),
    "image/jpeg": ("JPEG",),
    "image/webp": ("WEBP",),
    "image/gif": ("GIF",),
    "image/bmp": ("BMP",),
    "image/tiff": ("TIFF",),
    "image/heic": ("HEIF",),
    "image/avif": ("AVIF",),
}
_EXIF_IFD = 0x8769
# EXIF tags kept, by the name that metadata gives them. GPS (0x8825) is left behind on purpose: a picture in
# the library must not tell where an employee lives.
_KEPT = {0x010F: "camera_maker", 0x0110: "camera_model", 0x013B: "author", 0x010E: "description"}
_CAPTURED = 0x9003
_EXIF_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d)[ T](\d\d:\d\d:\d\d)")


def warm() -> None:
    ocr.warm()
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener()


def extract(source: Source) -> Extraction:
    """An animation is its first frame; a TIFF of several pages has a picture for each."""
    if source.path.stat().st_size == 0:
        raise ExtractionError("empty_file")
    if source.media_type == "image/tiff" and (pages := _count_pages(source)) > 1:
        return _pages(source, pages)
    with _opened(source) as image:
        width, height = image.size
        metadata = _metadata(image)
        turned = image.getexif().get(0x0112) in (5, 6, 7, 8)
        picture = pixels.upright(image, limits.MAX_IMAGE_SIDE_PX)
    if turned:
        width, height = height, width
    return Extraction(
        pictures=(_stored(picture, source, "image"),), metadata=metadata, width_px=width, height_px=height
    )


def _opened(source: Source) -> AbstractContextManager[Image.Image]:
    return pixels.opened(source.path, _FORMATS[source.media_type])


def _stored(
    picture: Image.Image, source: Source, role: Literal["image", "page"], page: int | None = None
) -> Picture:
    return Picture(
        role,
        file=pixels.store(picture, source.scratch, "image" if page is None else f"page-{page:04}"),
        page=page,
        ocr=ocr.read_lines(pixels.flat(picture)),
        width_px=picture.width,
        height_px=picture.height,
    )


def _count_pages(source: Source) -> int:
    """Counted by going to each; a damaged chain ends where it breaks."""
    with _opened(source) as image:
        for page in range(1, limits.MAX_PAGES + 1):
            try:
                image.seek(page)
            except (EOFError, OSError, SyntaxError, ValueError, TypeError, KeyError):
                return page
    return limits.MAX_PAGES + 1


def _pages(source: Source, pages: int) -> Extraction:
    """The pages of this part. Each is opened anew: one that is damaged leaves nothing behind for the next."""
    first = source.part * limits.PAGES_PER_PART
    found, warnings = [], []
    size: tuple[int, int] | None = None
    if source.part == 0 and pages > limits.MAX_PAGES:
        warnings.append(Warning_("pages_capped", ""))
    pages = min(pages, limits.MAX_PAGES)
    for index in range(first, min(first + limits.PAGES_PER_PART, pages)):
        try:
            with _opened(source) as image:
                image.seek(index)
                pixels.refuse_huge(image)
                size = size or image.size
                found.append(
                    _stored(pixels.upright(image, limits.MAX_IMAGE_SIDE_PX), source, "page", index + 1)
                )
        except ExtractionError:
            warnings.append(Warning_("page_unreadable", f"Page {index + 1} could not be read."))
    if source.part == 0 and not found:
        raise ExtractionError("corrupt")
    width, height = size or (None, None)
    return Extraction(
        pictures=tuple(found),
        page_count=pages,
        width_px=width,
        height_px=height,
        warnings=tuple(warnings),
        parts=math.ceil(pages / limits.PAGES_PER_PART),
    )


def _metadata(image: Image.Image) -> dict[str, str]:
    exif = image.getexif()
    found = {name: str(exif[tag]).strip() for tag, name in _KEPT.items() if isinstance(exif.get(tag), str)}
    captured = _EXIF_TIME.match(str(exif.get_ifd(_EXIF_IFD).get(_CAPTURED, "")))
    if captured and captured[1] != "0000":
        # The camera's own clock: EXIF rarely says the time zone.
        found["captured_at"] = f"{captured[1]}-{captured[2]}-{captured[3]}T{captured[4]}"
    return {name: value for name, value in found.items() if value}
