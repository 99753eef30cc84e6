"""How is a flat drawing made with smooth edges? Drawn at twice its size, then scaled down."""

import itertools
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]

# Debian's fonts-noto-cjk (SIL Open Font License). Only pixels and PDF subsets of it reach the library.
NOTO = Path("/usr/share/fonts/opentype/noto")
SCALE = 2
# Positions inside the font collections: Simplified Chinese, and its fixed-width sister.
SIMPLIFIED, MONOSPACED = 2, 7

INK, GREY, PALE, LINE = "#1d2733", "#66727f", "#f3f5f7", "#c9d1d9"
BLUE, TEAL, ORANGE, RED, GREEN, YELLOW = "#1f5fa8", "#1b8a8f", "#d97a1e", "#c0392b", "#3c8d4f", "#f2c230"


@lru_cache(maxsize=256)
def font(size: int, *, bold: bool = False, mono: bool = False, serif: bool = False) -> ImageFont.FreeTypeFont:
    family = "NotoSerifCJK" if serif else "NotoSansCJK"
    path = NOTO / f"{family}-{'Bold' if bold else 'Regular'}.ttc"
    return ImageFont.truetype(str(path), size, index=MONOSPACED if mono else SIMPLIFIED)


class Canvas:
    """Coordinates are pixels of the finished picture."""

    def __init__(self, width: int, height: int, background: str = "white") -> None:
        self.width, self.height = width, height
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), background)
        self.pen = ImageDraw.Draw(self.image)

    def line(
        self,
        points: Sequence[Point],
        colour: str = INK,
        width: float = 2,
        dash: tuple[float, float] | None = None,
    ) -> None:
        if dash is None:
            scaled = [(x * SCALE, y * SCALE) for x, y in points]
            self.pen.line(scaled, fill=colour, width=round(width * SCALE), joint="curve")
            return
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-6)
            at = 0.0
            while at < length:
                end = min(at + dash[0], length)
                ends = [
                    ((x0 + (x1 - x0) * t / length) * SCALE, (y0 + (y1 - y0) * t / length) * SCALE)
                    for t in (at, end)
                ]
                self.pen.line(ends, fill=colour, width=round(width * SCALE))
                at += sum(dash)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str | None = None,
        outline: str | None = INK,
        line: float = 2,
        radius: float = 0,
    ) -> None:
        self.pen.rounded_rectangle(
            [x * SCALE, y * SCALE, (x + width) * SCALE, (y + height) * SCALE],
            radius * SCALE,
            fill=fill,
            outline=outline,
            width=round(line * SCALE) if outline else 0,
        )

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        fill: str | None = None,
        outline: str | None = INK,
        line: float = 2,
    ) -> None:
        box = [(x - radius) * SCALE, (y - radius) * SCALE, (x + radius) * SCALE, (y + radius) * SCALE]
        self.pen.ellipse(box, fill=fill, outline=outline, width=round(line * SCALE) if outline else 0)

    def arc(
        self, x: float, y: float, radius: float, start: float, end: float, colour: str = INK, line: float = 2
    ) -> None:
        box = [(x - radius) * SCALE, (y - radius) * SCALE, (x + radius) * SCALE, (y + radius) * SCALE]
        self.pen.arc(box, start, end, fill=colour, width=round(line * SCALE))

    def slice(self, x: float, y: float, radius: float, start: float, end: float, fill: str) -> None:
        box = [(x - radius) * SCALE, (y - radius) * SCALE, (x + radius) * SCALE, (y + radius) * SCALE]
        self.pen.pieslice(box, start, end, fill=fill, outline="white", width=3 * SCALE)

    def polygon(
        self, points: Sequence[Point], fill: str | None = None, outline: str | None = INK, line: float = 2
    ) -> None:
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        if fill:
            self.pen.polygon(scaled, fill=fill)
        if outline:
            self.pen.line(
                [*scaled, scaled[0], scaled[1]], fill=outline, width=round(line * SCALE), joint="curve"
            )

    def arrow(self, start: Point, end: Point, colour: str = INK, width: float = 2, head: float = 9) -> None:
        (x0, y0), (x1, y1) = start, end
        length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-6)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        base = (x1 - ux * head, y1 - uy * head)
        self.line([start, base], colour, width)
        half = head * 0.5
        self.polygon(
            [end, (base[0] - uy * half, base[1] + ux * half), (base[0] + uy * half, base[1] - ux * half)],
            fill=colour,
            outline=None,
        )

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 16,
        colour: str = INK,
        *,
        bold: bool = False,
        mono: bool = False,
        serif: bool = False,
        anchor: str = "la",
    ) -> None:
        face = font(round(size * SCALE), bold=bold, mono=mono, serif=serif)
        align = "center" if anchor[0] == "m" else "right" if anchor[0] == "r" else "left"
        if "\n" in words:
            # Pillow anchors several lines only by their first ascender, middle or last descender.
            self.pen.multiline_text(
                (x * SCALE, y * SCALE), words, colour, face, anchor, spacing=size * 0.25 * SCALE, align=align
            )
        else:
            self.pen.text((x * SCALE, y * SCALE), words, colour, face, anchor)

    def text_width(self, words: str, size: float, *, bold: bool = False) -> float:
        return font(round(size * SCALE), bold=bold).getlength(words) / SCALE

    def paragraph(
        self,
        x: float,
        y: float,
        width: float,
        words: str,
        size: float = 16,
        colour: str = INK,
        bold: bool = False,
    ) -> float:
        """Sets `words` in lines no wider than `width`; the y below the last line."""
        face = font(round(size * SCALE), bold=bold)
        for line in wrapped(words, face, width * SCALE):
            self.text(x, y, line, size, colour, bold=bold)
            y += size * 1.45
        return y

    def paste(self, picture: Image.Image, x: float, y: float) -> None:
        self.image.paste(picture, (round(x * SCALE), round(y * SCALE)))

    def finish(self) -> Image.Image:
        return self.image.resize((self.width, self.height), Image.Resampling.LANCZOS)


def wrapped(words: str, face: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Lines of at most `width`: broken at spaces, and between any two Chinese characters."""
    pieces: list[str] = []
    for character in words:
        wide = ord(character) > 0x2E80
        if not pieces or wide or pieces[-1].endswith(" ") or ord(pieces[-1][-1]) > 0x2E80:
            # Closing punctuation stays with the character before it.
            if pieces and character in "，。、；：）”！？":
                pieces[-1] += character
            else:
                pieces.append(character)
        else:
            pieces[-1] += character
    lines = [""]
    for piece in pieces:
        if lines[-1] and face.getlength(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def with_few_colours(picture: Image.Image) -> Image.Image:
    """A palette makes flat drawings three times smaller.

    Maximum coverage keeps small spots of colour, such as a red lamp, within 6 of 255; median cut, Pillow's
    default, turns them brown.
    """
    return picture.quantize(255, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
