"""How are whiteboards drawn, flat and as photographs of them?"""

from functools import partial
from random import Random

import numpy as np
from PIL import Image

from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.palette import LIGHT, Rgb
from retrieval.training.drawings.registry import Renderer
from retrieval.training.drawings.sheet import Drawing, Sheet
from retrieval.training.drawings.words import (
    REGIONS,
    STEPS,
    TASKS,
    TOPICS,
    Words,
)


def _whiteboard(rng: Random, fonts: Fonts, *, photo: bool) -> Drawing:
    """Marker sketches; ``photo``, held out: the board hangs on a wall and is lit from one side."""
    s = Sheet(rng, fonts, aspect=rng.choice((1.33, 1.5, 1.78)), theme=LIGHT[0], kind="hand")
    u = s.u
    s.shake = 0.4
    markers: tuple[Rgb, ...] = ((30, 70, 180), (200, 40, 40), (30, 130, 60), (30, 30, 30))
    x0, y0, x1, y1 = 0.0, 0.0, float(s.w), float(s.h)
    board: Rgb = s.pick(((250, 250, 250), (240, 243, 244), (233, 236, 240)))
    if photo:
        s.d.rectangle((0, 0, s.w, s.h), fill=s.pick(((176, 160, 140), (150, 165, 170), (205, 198, 186))))
        x0, y0, x1, y1 = 8 * u, 9 * u, s.w - 8 * u, s.h - 14 * u
        s.d.rectangle((x0 - 2 * u, y0 - 2 * u, x1 + 2 * u, y1 + 2 * u), fill=(140, 144, 148))
        s.d.rectangle((x0 + 15 * u, y1 + 2 * u, x1 - 15 * u, y1 + 4 * u), fill=(110, 114, 118))
    s.d.rectangle((x0, y0, x1, y1), fill=board)
    ink = s.pick(markers)
    s.text(x0 + 6 * u, y0 + 9 * u, s.say(s.pick(TOPICS)), 9, ink)
    s.line([(x0 + 6 * u, y0 + 15 * u), (x0 + 40 * u, y0 + 15 * u)], ink, 0.8)
    half = (x0 + x1) / 2
    parts: list[str] = s.some(("boxes", "list", "chart", "circles"), 2)
    for part, left in zip(parts, (x0 + 5 * u, half + 3 * u), strict=True):
        right, top, bottom = left + (x1 - x0) / 2 - 10 * u, y0 + 22 * u, y1 - 6 * u
        ink = s.pick(markers)
        if part == "boxes":
            tall = (bottom - top) / 3
            for i in range(3):
                y = top + i * tall
                s.box(left + 6 * u, y, right - 6 * u, y + tall * 0.6, outline=ink, width=0.9)
                s.text((left + right) / 2, y + tall * 0.3, s.say(s.pick(STEPS)), 5, ink, anchor="mm")
                if i < 2:
                    s.arrow(
                        [((left + right) / 2, y + tall * 0.62), ((left + right) / 2, y + tall * 0.97)],
                        ink,
                        0.9,
                    )
        elif part == "list":
            for i in range(4):
                y = top + (i + 0.4) * (bottom - top) / 4
                s.box(left, y - 2 * u, left + 4 * u, y + 2 * u, outline=ink, width=0.7)
                s.text(left + 7 * u, y, s.say(s.pick(TASKS)), 6, ink)
        elif part == "chart":
            s.line([(left, top), (left, bottom), (right, bottom)], ink, 0.9)
            other = s.pick(markers)
            s.line(
                [
                    (
                        left + (right - left) * i / 5,
                        bottom - (bottom - top) * (0.1 + 0.15 * i + s.between(0, 0.12)),
                    )
                    for i in range(6)
                ],
                other,
                1.1,
            )
        else:
            for _ in range(4):
                x, y = s.between(left + 8 * u, right - 8 * u), s.between(top + 7 * u, bottom - 7 * u)
                s.round(x, y, 8 * u, 6 * u, outline=s.pick(markers), width=0.8)
                s.text(x, y, s.say(s.pick(REGIONS)), 4, ink, anchor="mm")
    if photo:
        light = np.linspace(s.between(0.6, 0.8), 1.05, s.w, dtype=np.float32)
        if s.chance(0.5):
            light = light[::-1]
        pixels = np.asarray(s.picture, dtype=np.float32) * light[None, :, None]
        s.picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).rotate(
            s.between(-3, 3), resample=Image.Resampling.BILINEAR, fillcolor=(150, 145, 140)
        )
    drawing = s.done(
        [
            Words(
                "a whiteboard with sketches and notes in coloured marker", "画有彩色记号笔草图和笔记的白板"
            ),
            Words("a hand-drawn whiteboard from a meeting", "会议上的手绘白板"),
        ],
        parts=parts,
    )
    drawing.style = "handwritten"
    return drawing


def renderers() -> list[Renderer]:
    return [
        Renderer("whiteboard-flat", "whiteboard", "drawing", partial(_whiteboard, photo=False), False, 0.9),
        Renderer("whiteboard-photo", "whiteboard", "drawing", partial(_whiteboard, photo=True), True, 0.9),
    ]
