"""What does an image file show and say? Its upright pixels, the words in them, and when it was taken."""

import re

from PIL import Image

from workers.extract import limits, ocr, pixels
from workers.extract.base import Extraction, ExtractionError, Picture, Source

warm = ocr.warm

_FORMAT = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
_EXIF_IFD = 0x8769
# EXIF tags kept, by the name that metadata gives them. GPS (0x8825) is left behind on purpose: a picture in
# the library must not tell where an employee lives.
_KEPT = {0x010F: "camera_maker", 0x0110: "camera_model", 0x013B: "author", 0x010E: "description"}
_CAPTURED = 0x9003
_EXIF_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d)[ T](\d\d:\d\d:\d\d)")


def extract(source: Source) -> Extraction:
    if source.path.stat().st_size == 0:
        raise ExtractionError("empty_file")
    with pixels.opened(source.path, (_FORMAT[source.media_type],)) as image:
        width, height = image.size
        metadata = _metadata(image)
        turned = image.getexif().get(0x0112) in (5, 6, 7, 8)
        picture = pixels.upright(image, limits.MAX_IMAGE_SIDE_PX)
    if turned:
        width, height = height, width
    lines = ocr.read_lines(pixels.flat(picture))
    file = pixels.store(picture, source.scratch, "image")
    return Extraction(
        pictures=(Picture("image", file=file, ocr=lines, width_px=picture.width, height_px=picture.height),),
        metadata=metadata,
        width_px=width,
        height_px=height,
    )


def _metadata(image: Image.Image) -> dict[str, str]:
    exif = image.getexif()
    found = {name: str(exif[tag]).strip() for tag, name in _KEPT.items() if isinstance(exif.get(tag), str)}
    captured = _EXIF_TIME.match(str(exif.get_ifd(_EXIF_IFD).get(_CAPTURED, "")))
    if captured and captured[1] != "0000":
        # The camera's own clock: EXIF rarely says the time zone.
        found["captured_at"] = f"{captured[1]}-{captured[2]}-{captured[3]}T{captured[4]}"
    return {name: value for name, value in found.items() if value}
