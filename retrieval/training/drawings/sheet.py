"""What does a renderer draw on, and what does it hand back?

A sheet is three times as large as the picture that is kept, so that reducing it smooths edges as a real thumbnail's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any, TypeVar

from PIL import Image, ImageDraw

from retrieval.training.drawings.fonts import Face, Fonts, loaded
from retrieval.training.drawings.palette import DARK, LIGHT, PALETTES, Colour, Rgb, Theme, brightness
from retrieval.training.drawings.words import PROSE_EN, PROSE_ZH, Words

Item = TypeVar("Item")
Point = tuple[float, float]


@dataclass(slots=True)
class Drawing:
    """A finished picture with what is true of it. ``facts`` are what the sentences were written from."""

    picture: Image.Image
    sentences: list[Words]
    facts: dict[str, Any] = field(default_factory=dict)
    style: str = ""


class Sheet:
    """A canvas in one language and one theme. Sizes are in units of a hundredth of the short side."""

    def __init__(
        self,
        rng: Random,
        fonts: Fonts,
        *,
        aspect: float = 1.0,
        theme: Theme | None = None,
        kind: str = "sans",
        dark_share: float = 0.0,
        language: str = "",
    ) -> None:
        self.rng = rng
        self.language = language or ("zh" if rng.random() < 0.42 else "en")
        short = rng.choice((300, 324, 336, 360, 400))
        self.w, self.h = (round(short * aspect), short) if aspect >= 1 else (short, round(short / aspect))
        self.u = short / 100
        self.theme = theme or rng.choice(DARK if rng.random() < dark_share else LIGHT)
        self.palette = list(rng.choice(PALETTES))
        if self.theme.dark:
            # What is dark itself would not be seen.
            self.palette = [colour for colour in self.palette if brightness(colour.rgb) > 80]
        self.fonts = fonts
        self._faces: dict[tuple[str, bool], Face] = {}
        self.kind = kind
        # How far hand-drawn lines stray, in units; 0 draws with a ruler.
        self.shake = 0.0
        self.picture = Image.new("RGB", (self.w, self.h), self.theme.paper)
        self.d = ImageDraw.Draw(self.picture)

    # Choices

    def pick(self, items: Sequence[Item]) -> Item:
        return self.rng.choice(items)

    def some(self, items: Sequence[Item], count: int) -> list[Item]:
        return self.rng.sample(list(items), min(count, len(items)))

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def between(self, low: float, high: float) -> float:
        return self.rng.uniform(low, high)

    def colours(self, count: int) -> list[Colour]:
        start = self.rng.randrange(len(self.palette))
        return [self.palette[(start + i) % len(self.palette)] for i in range(count)]

    # Text

    def say(self, words: Words) -> str:
        return words.spoken(self.language)

    def prose(self, length: int) -> str:
        """Running text of about ``length`` Latin characters' width."""
        if self.language == "zh":
            start = self.rng.randrange(len(PROSE_ZH) - 40)
            return PROSE_ZH[start : start + max(2, length // 2)]
        start = self.rng.randrange(len(PROSE_EN) - 30)
        return " ".join(PROSE_EN[start : start + max(1, length // 5)]).capitalize()

    def face(self, kind: str = "", bold: bool = False) -> Face:
        """One face of each kind and weight for a whole picture, as a designer would choose."""
        key = (kind or self.kind, bold)
        if key not in self._faces:
            self._faces[key] = self.pick(self.fonts.choose(self.language, *key))
        return self._faces[key]

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float,
        fill: Rgb | None = None,
        *,
        anchor: str = "lm",
        bold: bool = False,
        kind: str = "",
        width: float | None = None,
    ) -> float:
        """Writes in pixels from (x, y), ``size`` in units, and returns the width; ``width`` cuts what is too long."""
        font = loaded(self.face(kind, bold), max(5, round(size * self.u)))
        length = font.getlength(words)
        if width is not None and length > width:
            words = words[: max(1, int(len(words) * width / length))]
            length = font.getlength(words)
        self.d.text((x, y), words, fill=fill or self.theme.ink, font=font, anchor=anchor)
        return float(length)

    def width_of(self, words: str, size: float, *, bold: bool = False, kind: str = "") -> float:
        return float(loaded(self.face(kind, bold), max(5, round(size * self.u))).getlength(words))

    def turned(
        self, x: float, y: float, words: str, size: float, fill: Rgb | None = None, *, degrees: float = 90
    ) -> None:
        """Text turned about its middle at (x, y)."""
        font = loaded(self.face(), max(5, round(size * self.u)))
        left, top, right, bottom = font.getbbox(words)
        mask = Image.new("L", (max(1, int(right - left) + 4), max(1, int(bottom - top) + 4)))
        ImageDraw.Draw(mask).text((2 - left, 2 - top), words, fill=255, font=font)
        mask = mask.rotate(degrees, expand=True, resample=Image.Resampling.BILINEAR)
        self.picture.paste(
            fill or self.theme.ink, (round(x - mask.width / 2), round(y - mask.height / 2)), mask
        )

    def paragraph(
        self,
        x: float,
        y: float,
        width: float,
        lines: int,
        size: float,
        fill: Rgb | None = None,
        *,
        leading: float = 1.6,
        kind: str = "",
    ) -> float:
        """Lines of running text, the last one shorter. Returns the y below them."""
        # A Latin letter is about half as wide as its size.
        length = int(width / (size * self.u * 0.5)) + 6
        for number in range(lines):
            last = number == lines - 1
            self.text(
                x,
                y,
                self.prose(length),
                size,
                fill,
                anchor="lt",
                kind=kind,
                width=width * (self.between(0.3, 0.8) if last else self.between(0.92, 1.0)),
            )
            y += size * self.u * leading
        return y

    # Shapes

    def px(self, units: float) -> int:
        return max(1, round(units * self.u))

    def line(self, points: Sequence[Point], fill: Rgb | None = None, width: float = 0.5) -> None:
        colour = fill or self.theme.ink
        if self.shake:
            points = self._shaken(points)
        self.d.line([*points], fill=colour, width=self.px(width), joint="curve" if width > 0.7 else None)

    def dashed(
        self, start: Point, end: Point, fill: Rgb | None = None, width: float = 0.4, dash: float = 2
    ) -> None:
        length = math.dist(start, end)
        count = max(1, int(length / (dash * self.u * 2)))
        for i in range(count):
            a, z = i / count, (i + 0.55) / count
            self.d.line(
                [
                    (start[0] + (end[0] - start[0]) * a, start[1] + (end[1] - start[1]) * a),
                    (start[0] + (end[0] - start[0]) * z, start[1] + (end[1] - start[1]) * z),
                ],
                fill=fill or self.theme.ink,
                width=self.px(width),
            )

    def _shaken(self, points: Sequence[Point]) -> list[Point]:
        stray = self.shake * self.u
        shaken: list[Point] = []
        for start, end in pairwise(points):
            parts = max(2, int(math.dist(start, end) / (6 * self.u)))
            for i in range(parts + 1):
                share = i / parts
                shaken.append(
                    (
                        start[0] + (end[0] - start[0]) * share + self.between(-stray, stray),
                        start[1] + (end[1] - start[1]) * share + self.between(-stray, stray),
                    )
                )
        return shaken

    def box(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        *,
        fill: Rgb | None = None,
        outline: Rgb | None = None,
        width: float = 0.4,
        radius: float = 0.0,
    ) -> None:
        x0, x1 = min(x0, x1), max(x0, x1)
        y0, y1 = min(y0, y1), max(y0, y1)
        if self.shake and outline is not None:
            if fill is not None:
                self.d.rectangle((x0, y0, x1, y1), fill=fill)
            self.line([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], outline, width)
        elif radius:
            reach = min(radius * self.u, (x1 - x0) / 2, (y1 - y0) / 2)
            self.d.rounded_rectangle((x0, y0, x1, y1), reach, fill, outline, self.px(width))
        else:
            self.d.rectangle((x0, y0, x1, y1), fill, outline, self.px(width))

    def round(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float | None = None,
        *,
        fill: Rgb | None = None,
        outline: Rgb | None = None,
        width: float = 0.4,
    ) -> None:
        """An ellipse about (x, y), radii in pixels."""
        ry = rx if ry is None else ry
        if self.shake and outline is not None:
            if fill is not None:
                self.d.ellipse((x - rx, y - ry, x + rx, y + ry), fill=fill)
            turn = [i * math.tau / 14 for i in range(15)]
            self.line([(x + rx * math.cos(a), y + ry * math.sin(a)) for a in turn], outline, width)
        else:
            self.d.ellipse((x - rx, y - ry, x + rx, y + ry), fill, outline, self.px(width))

    def shape(
        self,
        points: Sequence[Point],
        *,
        fill: Rgb | None = None,
        outline: Rgb | None = None,
        width: float = 0.4,
    ) -> None:
        if fill is not None:
            self.d.polygon([*points], fill=fill)
        if outline is not None:
            self.line([*points, points[0]], outline, width)

    def arrow(
        self, points: Sequence[Point], fill: Rgb | None = None, width: float = 0.5, head: float = 2.4
    ) -> None:
        """A line along the points with a head at the last one."""
        self.line(points, fill, width)
        (x0, y0), (x1, y1) = points[-2], points[-1]
        angle = math.atan2(y1 - y0, x1 - x0)
        reach = head * self.u
        wings = [
            (x1 - reach * math.cos(angle + turn), y1 - reach * math.sin(angle + turn))
            for turn in (0.42, -0.42)
        ]
        self.d.polygon([(x1, y1), *wings], fill=fill or self.theme.ink)

    def curve(self, start: Point, end: Point, fill: Rgb | None = None, width: float = 0.6) -> None:
        """A line that leaves and arrives level, as in mind maps."""
        middle = (start[0] + end[0]) / 2
        points = []
        for i in range(17):
            t = i / 16
            a, b, c, e = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            points.append(
                (
                    a * start[0] + b * middle + c * middle + e * end[0],
                    a * start[1] + b * start[1] + c * end[1] + e * end[1],
                )
            )
        self.line(points, fill, width)

    def done(self, sentences: list[Words], **facts: Any) -> Drawing:
        """The drawing with what every sheet knows of itself."""
        facts |= {"text_language": self.language, "dark": self.theme.dark}
        return Drawing(self.picture, sentences, facts, "rendered")

    def manner(self) -> Words:
        """How the sheet looks, for the end of a sentence."""
        ground = (
            Words("on a dark background", "深色背景")
            if self.theme.dark
            else Words("on a light background", "浅色背景")
        )
        tongue = (
            Words("with Chinese text", "中文文字")
            if self.language == "zh"
            else Words("with English text", "英文文字")
        )
        return Words(f"{ground.en}, {tongue.en}", f"{ground.zh},{tongue.zh}")
