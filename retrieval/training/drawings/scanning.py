"""What does a scanner do to a page?"""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from retrieval.training.drawings.fonts import loaded
from retrieval.training.drawings.palette import Rgb
from retrieval.training.drawings.sheet import Sheet


def scanned(s: Sheet, *, strength: float = 1.0, colour: bool = False) -> None:
    """Turns the sheet into a scan of itself: askew, grey or yellowed, speckled, with dark edges at times.

    ``colour`` keeps colours, for a sheet whose sentences name one."""
    picture = s.picture
    grey = not colour and s.chance(0.7)
    if s.chance(0.8):
        picture = picture.rotate(
            s.between(-2.2, 2.2) * strength,
            resample=Image.Resampling.BILINEAR,
            fillcolor=s.pick((s.theme.paper, (225, 225, 225), (30, 30, 30))),
        )
    if s.chance(0.3):
        picture = picture.filter(ImageFilter.GaussianBlur(s.between(0.4, 1.0)))
    pixels = np.asarray(picture.convert("L") if grey else picture, dtype=np.float32)
    noise = np.random.default_rng(s.rng.getrandbits(63))
    amount = s.between(2, 16) * strength
    pixels = pixels + noise.normal(0, amount, pixels.shape).astype(np.float32)
    if s.chance(0.35):
        # Paper lies higher at one side: a slow change of light across the page.
        shade = np.linspace(s.between(0.78, 1.0), 1.0, pixels.shape[1], dtype=np.float32)
        pixels = pixels * (shade[None, :, None] if pixels.ndim == 3 else shade[None, :])
    if grey and s.chance(0.45):
        # A fax or a photocopy knows black and white only.
        pixels = np.where(pixels > s.between(120, 190), 255.0, 0.0).astype(np.float32)
    elif s.chance(0.4):
        pixels = 255 - (255 - pixels) * s.between(0.6, 1.3)
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).convert("RGB")
    d = ImageDraw.Draw(picture)
    for _ in range(s.rng.randrange(0, 14)):
        x, y, r = s.between(0, s.w), s.between(0, s.h), s.between(0.1, 0.5) * s.u
        d.ellipse((x - r, y - r, x + r, y + r), fill=(40, 40, 40))
    if s.chance(0.2):
        edge = s.between(0.5, 2.5) * s.u
        d.rectangle((0, 0, edge, s.h) if s.chance(0.5) else (0, 0, s.w, edge), fill=(25, 25, 25))
    s.picture = picture
    s.d = ImageDraw.Draw(picture)


def stamp(s: Sheet, x: float, y: float, words: str, rgb: Rgb, *, seal: bool = False) -> None:
    """A rubber stamp, turned a little; as a ``seal`` a ring with a star, as Chinese companies use."""
    side = round(26 * s.u)
    ink = Image.new("L", (side, side))
    d = ImageDraw.Draw(ink)
    width = s.px(0.9)
    if seal:
        d.ellipse((2, 2, side - 3, side - 3), outline=220, width=width)
        points = []
        for i in range(10):
            r = side * (0.2 if i % 2 == 0 else 0.08)
            a = -math.pi / 2 + i * math.pi / 5
            points.append((side / 2 + r * math.cos(a), side / 2 + r * math.sin(a)))
        d.polygon(points, fill=220)
        for i in range(9):
            a = math.pi * (0.95 + i * 0.1375)
            cx, cy, r = (
                side / 2 + side * 0.37 * math.cos(a),
                side / 2 + side * 0.37 * math.sin(a),
                side * 0.045,
            )
            d.rectangle((cx - r, cy - r, cx + r, cy + r), outline=220, width=s.px(0.5))
    else:
        d.rectangle((2, side * 0.33, side - 3, side * 0.67), outline=220, width=width)
        font = loaded(
            s.face("sans", True), max(6, min(round(side * 0.24), round(side * 1.4 / max(2, len(words)))))
        )
        d.text((side / 2, side / 2), words, fill=220, font=font, anchor="mm")
    ink = ink.rotate(s.between(-25, 25), resample=Image.Resampling.BILINEAR)
    s.picture.paste(rgb, (round(x - side / 2), round(y - side / 2)), ink)


def signature(s: Sheet, x: float, y: float, width: float, rgb: Rgb) -> None:
    """A scrawl from left to right about the line y."""
    points = []
    turns = s.rng.randrange(3, 7)
    for i in range(40):
        t = i / 39
        loop = t * turns * math.tau
        points.append(
            (
                x + width * t + math.sin(loop) * width * 0.05,
                y + math.cos(loop * s.between(0.97, 1.03)) * s.u * (3.2 - 2 * t),
            )
        )
    s.line(points, rgb, 0.5)
