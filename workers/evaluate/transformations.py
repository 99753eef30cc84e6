"""What happens to a picture on its way from a library to who asks with it? Made with a seed, so always alike."""

import io
from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance

WORDS = (
    "pump",
    "and",
    "its",
    "seal",
    "are",
    "looked",
    "at",
    "before",
    "each",
    "start",
    "found",
    "book",
    "written",
)


def recompressed(image: Image.Image, random: Random) -> Image.Image:
    return _jpeg(image, random.randint(15, 40))


def resized(image: Image.Image, random: Random) -> Image.Image:
    scale = random.choice([random.uniform(0.3, 0.7), random.uniform(1.3, 2)])
    return _scaled(image, scale, scale)


def recoloured(image: Image.Image, random: Random) -> Image.Image:
    """Brightness, contrast, saturation (down to grey) and hue at once."""
    for change, low, high in (
        (ImageEnhance.Brightness, 0.65, 1.35),
        (ImageEnhance.Contrast, 0.7, 1.3),
        (ImageEnhance.Color, 0.0, 1.6),
    ):
        image = change(image).enhance(random.uniform(low, high))
    values = np.array(image.convert("HSV"))
    values[..., 0] += np.uint8(random.randint(0, 20))
    return Image.fromarray(values, "HSV").convert("RGB")


def cropped(image: Image.Image, random: Random) -> Image.Image:
    """Each side cut to between 0.6 and 0.95, anywhere: half of the picture is left in the middle case."""
    width, height = (max(8, round(side * random.uniform(0.6, 0.95))) for side in image.size)
    left, top = (
        random.randint(0, max(0, image.width - width)),
        random.randint(0, max(0, image.height - height)),
    )
    return image.crop((left, top, left + width, top + height))


def bordered(image: Image.Image, random: Random) -> Image.Image:
    """On a sheet of one colour, up to a quarter of the side wide on each side."""
    left, right = (round(image.width * random.uniform(0.03, 0.25)) for _ in range(2))
    top, bottom = (round(image.height * random.uniform(0.03, 0.25)) for _ in range(2))
    colour = random.choice([(0, 0, 0), (128, 128, 128), (46, 52, 64), (220, 226, 240), (200, 30, 30)])
    sheet = Image.new("RGB", (image.width + left + right, image.height + top + bottom), colour)
    sheet.paste(image, (left, top))
    return sheet


def shown_in_a_viewer(image: Image.Image, random: Random) -> Image.Image:
    """A picture viewer on the whole screen: dark, a bar above, buttons below."""
    screen, pen = _screen(random, (30, 30, 34))
    pen.rectangle((0, 0, screen.width, 48), fill=(48, 48, 54))
    pen.text((20, 16), f"IMG_{random.randint(1000, 9999)}", fill=(230, 230, 230))
    _place(screen, image, (20, 60, screen.width - 20, screen.height - 60), random.uniform(0.7, 1.0))
    for number in range(5):
        left = screen.width // 2 - 100 + 44 * number
        pen.ellipse((left, screen.height - 44, left + 28, screen.height - 16), fill=(90, 90, 98))
    return _kept(screen, random)


def shown_on_a_page(image: Image.Image, random: Random) -> Image.Image:
    """A browser window with an article, the picture in a thin frame between its lines."""
    screen, pen = _screen(random, (255, 255, 255))
    pen.rectangle((0, 0, screen.width, 64), fill=(225, 228, 232))
    for number, colour in enumerate([(255, 95, 86), (255, 189, 46), (39, 201, 63)]):
        pen.ellipse((14 + 22 * number, 12, 28 + 22 * number, 26), fill=colour)
    pen.rounded_rectangle((120, 34, screen.width - 80, 58), 8, fill=(255, 255, 255))
    pen.text((132, 40), f"https://intranet.example/pages/{random.randint(1, 9999)}", fill=(60, 60, 60))
    for line in range(80, screen.height - 20, 20):
        pen.text((40, line), " ".join(random.choices(WORDS, k=random.randint(12, 26))), fill=(40, 40, 40))
    share = random.uniform(0.45, 0.75)
    box = (60, 110, screen.width - 60, screen.height - 60)
    left, top, right, bottom = _placed(image, box, share)
    pen.rectangle((left - 14, top - 14, right + 13, bottom + 13), fill=(255, 255, 255))
    _place(screen, image, box, share)
    pen.rectangle((left - 1, top - 1, right, bottom), outline=(190, 190, 190))
    return _kept(screen, random)


def all_at_once(image: Image.Image, random: Random) -> Image.Image:
    """A lighter cut, smaller, tinted and saved as a small JPEG."""
    width, height = (max(8, round(side * random.uniform(0.75, 0.95))) for side in image.size)
    left, top = (
        random.randint(0, max(0, image.width - width)),
        random.randint(0, max(0, image.height - height)),
    )
    image = image.crop((left, top, left + width, top + height))
    image = ImageEnhance.Brightness(image).enhance(random.uniform(0.8, 1.2))
    scale = random.uniform(0.4, 0.8)
    return _jpeg(_scaled(image, scale, scale), random.randint(40, 80))


Transformation = Callable[[Image.Image, Random], Image.Image]
TRANSFORMATIONS: dict[str, Transformation] = {
    "recompressed": recompressed,
    "resized": resized,
    "recoloured": recoloured,
    "cropped": cropped,
    "bordered": bordered,
    "viewer": shown_in_a_viewer,
    "page": shown_on_a_page,
    "all at once": all_at_once,
}


def _scaled(image: Image.Image, across: float, down: float) -> Image.Image:
    size = max(8, round(image.width * across)), max(8, round(image.height * down))
    return image.resize(size, Image.Resampling.BICUBIC)


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def _kept(screen: Image.Image, random: Random) -> Image.Image:
    """Half of all screenshots are sent on as JPEG."""
    return _jpeg(screen, 80) if random.random() < 0.5 else screen


def _screen(random: Random, colour: tuple[int, int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    screen = Image.new("RGB", random.choice([(1280, 800), (1366, 768), (1920, 1080)]), colour)
    return screen, ImageDraw.Draw(screen)


def _placed(image: Image.Image, box: tuple[int, int, int, int], share: float) -> tuple[int, int, int, int]:
    """Where the picture comes to lie: in the middle of `box`, filling that share of it one way."""
    room = box[2] - box[0], box[3] - box[1]
    scale = share * min(room[0] / image.width, room[1] / image.height)
    width, height = max(8, round(image.width * scale)), max(8, round(image.height * scale))
    left, top = box[0] + (room[0] - width) // 2, box[1] + (room[1] - height) // 2
    return left, top, left + width, top + height


def _place(screen: Image.Image, image: Image.Image, box: tuple[int, int, int, int], share: float) -> None:
    left, top, right, bottom = _placed(image, box, share)
    screen.paste(image.resize((right - left, bottom - top), Image.Resampling.BICUBIC), (left, top))
