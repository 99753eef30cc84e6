"""How are machine-readable codes drawn, alone and on labels?"""

from functools import partial
from random import Random

import numpy as np
from PIL import Image

from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.palette import Rgb, mixed
from retrieval.training.drawings.registry import Renderer
from retrieval.training.drawings.scanning import scanned
from retrieval.training.drawings.sheet import Drawing, Sheet
from retrieval.training.drawings.words import (
    Words,
)


def _qr(rng: Random, fonts: Fonts, *, label: bool) -> Drawing:
    """Finder squares and random cells: what such a code looks like, not one that can be read."""
    s = Sheet(rng, fonts, aspect=rng.choice((1.0, 1.0, 0.8)) if not label else rng.choice((1.5, 2.0)))
    u = s.u
    modules = s.pick((21, 25, 29, 33, 37))
    side = s.between(0.72, 0.94) * s.w if not label else 0.8 * s.h
    side = min(side, s.h * 0.92)
    x0, y0 = ((s.w - side) / 2, (s.h - side) / 2) if not label else (6 * u, 10 * u)
    ink: Rgb = (0, 0, 0) if s.chance(0.75) else mixed(s.pick(s.palette).rgb, (0, 0, 0), 0.45)
    if label:
        s.box(u, u, s.w - u, s.h - u, outline=s.theme.ink, radius=4, width=0.8)
        for i in range(5):
            s.text(
                x0 + side + 5 * u,
                (18 + i * 15) * u,
                s.prose(24),
                5.5 if i else 8,
                bold=i == 0,
                width=s.w - side - 18 * u,
            )
    elif s.h > side + 14 * u:
        s.text(s.w / 2, y0 + side + 6 * u, s.say(Words("Scan me", "扫一扫")), 6, anchor="mm")
    cell = side / modules
    cells = np.random.default_rng(rng.getrandbits(63)).random((modules, modules)) < 0.48
    for fx, fy in ((0, 0), (modules - 7, 0), (0, modules - 7)):
        cells[max(0, fy - 1) : fy + 8, max(0, fx - 1) : fx + 8] = False
        cells[fy : fy + 7, fx : fx + 7] = True
        cells[fy + 1 : fy + 6, fx + 1 : fx + 6] = False
        cells[fy + 2 : fy + 5, fx + 2 : fx + 5] = True
    code = Image.fromarray((cells * 255).astype(np.uint8)).resize(
        (round(cell * modules),) * 2, Image.Resampling.NEAREST
    )
    s.picture.paste(ink, (round(x0), round(y0)), code)
    if not label and s.chance(0.3):
        middle = side * 0.1
        s.box(
            x0 + side / 2 - middle,
            y0 + side / 2 - middle,
            x0 + side / 2 + middle,
            y0 + side / 2 + middle,
            fill=s.theme.paper,
        )
        s.round(x0 + side / 2, y0 + side / 2, middle * 0.75, fill=s.pick(s.palette).rgb)
    if s.chance(0.3):
        scanned(s, strength=0.7)
    place = Words(" on a label with text", "印在带文字标签上的") if label else Words("", "")
    return s.done(
        [
            Words(f"a QR code{place.en}", f"{place.zh}二维码"),
            Words("a square code of small dark and light squares", "由深浅小方块组成的方形二维码"),
        ],
        modules=modules,
    )


def _barcode(rng: Random, fonts: Fonts, *, label: bool) -> Drawing:
    s = Sheet(rng, fonts, aspect=rng.choice((1.3, 1.6, 2.2)) if not label else rng.choice((0.8, 1.0)))
    u = s.u
    x0, x1, y0, y1 = 8 * u, s.w - 8 * u, 10 * u, s.h - 20 * u
    if label:
        s.box(2 * u, 2 * u, s.w - 2 * u, s.h - 2 * u, outline=(0, 0, 0), width=0.8)
        for i in range(4):
            s.text(
                8 * u, (11 + i * 8) * u, s.prose(26), 5.5 if i == 0 else 4, bold=i == 0, width=s.w - 16 * u
            )
        s.line([(2 * u, 42 * u), (s.w - 2 * u, 42 * u)], (0, 0, 0), 0.8)
        y0, y1 = 48 * u, s.h - 16 * u
    thin = (x1 - x0) / s.pick((70, 95, 120))
    x = x0
    while x < x1:
        width = thin * s.pick((1, 1, 2, 3))
        s.box(x, y0, min(x1, x + width - 1), y1, fill=(0, 0, 0))
        x += width + thin * s.pick((1, 1, 2, 3))
    s.text(
        s.w / 2,
        y1 + 6 * u,
        " ".join(str(s.rng.randrange(10)) for _ in range(13)),
        6,
        (0, 0, 0),
        anchor="mm",
        kind="mono",
    )
    if s.chance(0.4):
        scanned(s, strength=0.7)
    place = Words(" on a parcel label", "包裹标签上的") if label else Words("", "")
    return s.done(
        [
            Words(f"a barcode{place.en}", f"{place.zh}条形码"),
            Words("a barcode of black upright stripes with digits below", "黑色竖条、下方有数字的条形码"),
        ],
    )


def renderers() -> list[Renderer]:
    return [
        Renderer("qr-plain", "QR code", "code", partial(_qr, label=False), False, 0.4),
        Renderer("qr-label", "QR code", "code", partial(_qr, label=True), True, 0.5),
        Renderer("barcode-plain", "barcode", "code", partial(_barcode, label=False), False, 0.4),
        Renderer("barcode-label", "barcode", "code", partial(_barcode, label=True), True, 0.5),
    ]
