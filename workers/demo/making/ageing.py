"""What turns clean pixels into a scan or a photograph? A turn, uneven light, noise, a camera's blur."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from workers.demo.making.canvas import font


def scanned(page: Image.Image, *, seed: int, degrees: float, grey: bool = True) -> Image.Image:
    """As from an office scanner: turned by `degrees`, speckled, with the lid's shadow at one edge."""
    rng = np.random.default_rng(seed)
    turned = page.rotate(degrees, Image.Resampling.BICUBIC, fillcolor="#fbfaf6")
    pixels = np.asarray(turned.filter(ImageFilter.GaussianBlur(0.55)), dtype=np.float64)
    height, width = pixels.shape[:2]
    light = (
        0.965 + 0.025 * np.linspace(0, 1, width)[None, :, None] * np.linspace(1, 0.6, height)[:, None, None]
    )
    shadow = 1 - 0.28 * np.exp(-np.arange(width) / 9.0)[None, :, None]
    noise = rng.normal(0, 4.5, (height, width, 1))
    pixels = pixels * light * shadow + noise
    for _ in range(140):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        pixels[y : y + 2, x : x + 1 + int(rng.integers(0, 2))] -= 70
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return picture.convert("L") if grey else picture


def photographed(
    scene: Image.Image,
    *,
    seed: int,
    corners: Sequence[tuple[float, float]],
    backdrop: str,
    warmth: float = 1.0,
) -> Image.Image:
    """As by a hand-held camera: `scene` with its corners (from top left, clockwise, as shares) off square."""
    width, height = scene.size
    rng = np.random.default_rng(seed)
    target = [(x * width, y * height) for x, y in corners]
    source = [(0, 0), (width, 0), (width, height), (0, height)]
    # The eight numbers of the projective map from the frame to the scene: two equations a corner.
    rows, right = [], []
    for (tx, ty), (sx, sy) in zip(target, source, strict=True):
        rows += [[tx, ty, 1, 0, 0, 0, -sx * tx, -sx * ty], [0, 0, 0, tx, ty, 1, -sy * tx, -sy * ty]]
        right += [sx, sy]
    map_ = np.linalg.solve(np.asarray(rows, dtype=float), np.asarray(right, dtype=float))
    method = Image.Transform.PERSPECTIVE
    warped = scene.transform(scene.size, method, map_.tolist(), Image.Resampling.BICUBIC)
    mask = Image.new("L", scene.size, 255).transform(
        scene.size, method, map_.tolist(), Image.Resampling.BICUBIC
    )
    frame = Image.new("RGB", scene.size, backdrop)
    shadow = Image.new("L", scene.size, 0)
    shadow.paste(mask.point([value // 3 for value in range(256)]), (8, 12))
    frame.paste("#101010", (0, 0), shadow.filter(ImageFilter.GaussianBlur(9)))
    frame.paste(warped, (0, 0), mask)
    pixels = np.asarray(frame.filter(ImageFilter.GaussianBlur(0.6)), dtype=np.float32)
    rows_, columns = np.mgrid[0:height, 0:width]
    distance = np.hypot((columns - width * 0.42) / width, (rows_ - height * 0.38) / height)
    light = (1.06 - 0.42 * distance**1.6)[:, :, None]
    tint = np.asarray([warmth, 1.0, 2 - warmth], dtype=np.float32)
    pixels = pixels * light * tint + rng.normal(0, 3.2, (height, width, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def brushed_metal(width: int, height: int, *, seed: int, tone: int = 196) -> Image.Image:
    rng = np.random.default_rng(seed)
    grain = rng.normal(0, 16, (height, width))
    kernel = np.ones(41) / 41
    streaks = np.apply_along_axis(lambda row: np.convolve(row, kernel, mode="same"), 1, grain)
    sheen = 14 * np.sin(np.linspace(0, 3.1, height))[:, None]
    grey = np.clip(tone + streaks * 2.2 + sheen, 0, 255).astype(np.uint8)
    return Image.merge("RGB", [Image.fromarray(grey)] * 3)


def handwritten(
    page: Image.Image, x: float, y: float, words: str, *, size: int = 30, seed: int, colour: str = "#23408e"
) -> None:
    """Writes on `page` as with a pen: each letter a little turned, lifted and scaled."""
    rng = np.random.default_rng(seed)
    ink = Image.new("RGBA", page.size, (0, 0, 0, 0))
    for character in words:
        face = font(size + int(rng.integers(-1, 2)), serif=False)
        advance = face.getlength(character)
        tile = Image.new("RGBA", (size * 3, size * 3), (0, 0, 0, 0))
        ImageDraw.Draw(tile).text((size, size * 2), character, colour, face, "ls")
        # Slanted like a right-hander's writing, then turned a little.
        tile = tile.transform(
            tile.size, Image.Transform.AFFINE, (1, 0.18, -0.18 * size * 2, 0, 1, 0), Image.Resampling.BICUBIC
        )
        tile = tile.rotate(float(rng.normal(0, 2.5)), Image.Resampling.BICUBIC)
        ink.alpha_composite(tile, (max(int(x) - size, 0), max(int(y + rng.normal(0, 1.1)) - size * 2, 0)))
        x += advance * 0.97
    page.paste(ink, (0, 0), ink)
