"""What stands around the marks of a chart: paper, title, axes, ticks and legend, in the look of a kind of tool."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.palette import LOUD, Colour, Rgb, Theme, mixed
from retrieval.training.drawings.sheet import Sheet
from retrieval.training.drawings.words import Words

# A plotting library's box of axes; a spreadsheet's grid; a web page's card; and, held out, a newspaper's.
LOOKS = ("plain", "grid", "web", "news")
_ASPECTS = {
    "plain": (1.0, 1.0, 1.2, 1.33, 1.33, 1.6, 2.0, 0.8),
    "grid": (1.2, 1.5, 1.66, 1.66, 1.78),
    "web": (1.0, 1.33, 1.6, 1.78, 2.2),
    "news": (0.8, 1.0, 1.25, 1.5),
}
_NEWSPAPER = (
    Theme("light", (255, 241, 229), (40, 36, 34), (120, 110, 104), (216, 200, 186), (242, 223, 206)),
    Theme("light", (225, 235, 240), (20, 30, 36), (95, 108, 116), (170, 186, 196), (205, 220, 228)),
    Theme("light", (246, 246, 246), (18, 18, 18), (110, 110, 110), (220, 220, 220), (236, 236, 236)),
)
_NEWS_COLOURS = (0x0F5499, 0x990F3D, 0xFF7FAA, 0x00A0DD, 0x593380)


def step_below(top: float, parts: int) -> float:
    """A round distance of ticks, so that about ``parts`` of them reach ``top``."""
    rough = top / parts
    magnitude = 10.0 ** math.floor(math.log10(rough))
    for factor in (1, 2, 2.5, 5, 10):
        if rough <= factor * magnitude:
            return factor * magnitude
    raise AssertionError("A number lies between a power of ten and the next.")


def written(value: float) -> str:
    if value >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:.3g}"


@dataclass(slots=True)
class Area:
    """Where marks go, in pixels; ``low`` and ``high`` are the ends of the value axis."""

    x0: float
    y0: float
    x1: float
    y1: float
    low: float = 0.0
    high: float = 1.0
    sideways: bool = False

    def at(self, value: float) -> float:
        """The place of a value on the value axis."""
        share = (value - self.low) / (self.high - self.low)
        return (
            self.x0 + share * (self.x1 - self.x0) if self.sideways else self.y1 - share * (self.y1 - self.y0)
        )

    def slot(self, index: float, count: int) -> float:
        """The middle of a category's share of the other axis."""
        share = (index + 0.5) / count
        return (
            self.y0 + share * (self.y1 - self.y0) if self.sideways else self.x0 + share * (self.x1 - self.x0)
        )

    def slot_width(self, count: int) -> float:
        return ((self.y1 - self.y0) if self.sideways else (self.x1 - self.x0)) / count


class Frame:
    """One chart's surroundings. Call ``begin`` first, then ``axes`` where there are any, draw, then ``legend``."""

    def __init__(self, rng: Random, fonts: Fonts, look: str, *, aspect: float | None = None) -> None:
        self.look = look
        shape = aspect or rng.choice(_ASPECTS[look])
        serif = look == "plain" and rng.random() < 0.15
        self.sheet = s = Sheet(
            rng,
            fonts,
            aspect=shape,
            dark_share={"plain": 0.06, "grid": 0.08, "web": 0.35}.get(look, 0.0),
            kind="serif" if serif else "sans",
            theme=rng.choice(_NEWSPAPER) if look == "news" else None,
        )
        if look == "plain" and rng.random() < 0.3:
            s.palette = rng.sample(LOUD, 8)
        self.area = Area(0, 0, 0, 0)
        self._spare_right = 0.0

    def begin(self, title: Words, *, legend: Sequence[tuple[Words, Colour]] = ()) -> Area:
        """Paper, title, and room for the legend; returns what is left."""
        s, u = self.sheet, self.sheet.u
        top, left, right, bottom = 4 * u, 4 * u, s.w - 4 * u, s.h - 4 * u
        if self.look == "web" and s.chance(0.5):
            s.box(2 * u, 2 * u, s.w - 2 * u, s.h - 2 * u, fill=s.theme.panel, outline=s.theme.line, radius=3)
            top, left, right, bottom = 6 * u, 6 * u, s.w - 6 * u, s.h - 6 * u
        elif self.look == "grid" and s.chance(0.5):
            s.box(0, 0, s.w - 1, s.h - 1, outline=s.theme.line)
        elif self.look == "news":
            s.box(0, 0, s.w, 1.2 * u, fill=(227, 18, 11) if s.chance(0.5) else s.theme.ink)
            s.box(4 * u, 0, 14 * u, 3.4 * u, fill=(227, 18, 11) if s.chance(0.5) else s.theme.ink)
            top = 6 * u
        text = s.say(title)
        if self.look == "news":
            s.text(left, top, text, 6.5, anchor="lt", bold=True)
            s.text(left, top + 8.5 * u, s.prose(30), 3.6, s.theme.muted, anchor="lt")
            s.text(left, bottom, s.prose(26), 2.8, s.theme.muted, anchor="lb")
            top, bottom = top + 15 * u, bottom - 5 * u
        elif self.look == "web":
            s.text(left, top, text, s.between(4.5, 6), anchor="lt", bold=s.chance(0.6))
            top += 9 * u
        # A Chinese chart of figures and letters alone would show no Chinese.
        elif s.language == "zh" or s.chance(0.75):
            s.text((left + right) / 2, top, text, s.between(4.5, 6.5), anchor="mt", bold=s.chance(0.3))
            top += 9 * u
        if legend:
            top, right, bottom = self._legend(legend, left, top, right, bottom)
        self.area = Area(left, top, right, bottom)
        return self.area

    def _legend(
        self, legend: Sequence[tuple[Words, Colour]], left: float, top: float, right: float, bottom: float
    ) -> tuple[float, float, float]:
        s, u = self.sheet, self.sheet.u
        place = {
            "plain": s.pick(("right", "none", "top")),
            "grid": s.pick(("bottom", "bottom", "right")),
        }.get(self.look, "top")
        size = 3.6
        if place == "right":
            width = min(0.3 * s.w, max(s.width_of(s.say(w), size) for w, _ in legend) + 6 * u)
            y = top + (0 if s.chance(0.5) else max(0.0, (bottom - top) / 2 - len(legend) * 3 * u))
            for words, colour in legend:
                s.box(right - width, y, right - width + 3 * u, y + 3 * u, fill=colour.rgb)
                s.text(right - width + 4.5 * u, y + 1.5 * u, s.say(words), size, width=width - 4 * u)
                y += 6 * u
            return top, right - width - 3 * u, bottom
        if place == "none":
            return top, right, bottom
        y = top + 2 * u if place == "top" else bottom - 2 * u
        lengths = [s.width_of(s.say(words), size) + 8 * u for words, _ in legend]
        x = left if place == "top" else max(left, (left + right - sum(lengths)) / 2)
        for (words, colour), length in zip(legend, lengths, strict=True):
            if x + length > right + 4 * u:
                break
            s.round(x + 1.5 * u, y, 1.5 * u, fill=colour.rgb) if self.look == "web" else s.box(
                x, y - 1.5 * u, x + 3 * u, y + 1.5 * u, fill=colour.rgb
            )
            s.text(x + 4.5 * u, y, s.say(words), size)
            x += length
        return (top + 6 * u, right, bottom) if place == "top" else (top, right, bottom - 6 * u)

    def axes(
        self,
        high: float,
        labels: Sequence[str],
        *,
        low: float = 0.0,
        sideways: bool = False,
        names: tuple[str, str] = ("", ""),
        ticks_x: Sequence[float] | None = None,
    ) -> Area:
        """Draws both axes. ``labels`` are the categories in order, or with ``ticks_x`` the words at those shares."""
        s, u, area = self.sheet, self.sheet.u, self.area
        area.sideways = sideways
        step = step_below(high - low, s.pick((4, 5, 6)))
        area.low = low
        area.high = high if self.look == "plain" else low + step * math.ceil((high - low) / step - 1e-9)
        size = s.between(3.0, 4.0)
        values = [low + step * i for i in range(50) if low + step * i <= area.high * 1.0001]
        value_words = [written(value) for value in values]
        wide = max(s.width_of(word, size) for word in value_words)
        label_wide = max((s.width_of(label, size) for label in labels), default=0.0)
        turned = (
            not sideways and ticks_x is None and label_wide > (area.x1 - area.x0) / max(1, len(labels)) * 0.95
        )
        room_left = min(0.35 * s.w, label_wide) if sideways else wide
        news = self.look == "news" and not sideways
        area.x0 += 1 * u if news else room_left + 2.5 * u
        if news:
            area.x1 -= wide + 2 * u
        named = self.look in ("plain", "grid") and any(names) and s.chance(0.7)
        if named:
            area.x0 += 5 * u
            area.y1 -= 5 * u
        area.y1 -= min(0.25 * s.h, label_wide) + 2.5 * u if turned else 5.5 * u
        if self.look == "plain" and s.theme.paper == (255, 255, 255) and s.chance(0.12):
            s.box(area.x0, area.y0, area.x1, area.y1, fill=(234, 234, 242))
        self._grid(values, value_words, size, news)
        self._labels(labels, size, turned, ticks_x)
        if named:
            s.text((area.x0 + area.x1) / 2, s.h - 3 * u, names[0], 4, anchor="mb")
            s.turned(5 * u, (area.y0 + area.y1) / 2, names[1], 4)
        return area

    def _grid(self, values: Sequence[float], words: Sequence[str], size: float, news: bool) -> None:
        s, u, area = self.sheet, self.sheet.u, self.area
        lines = {"plain": s.chance(0.35), "grid": True, "web": True, "news": True}[self.look]
        for value, word in zip(values, words, strict=True):
            at = area.at(value)
            if area.sideways:
                if lines:
                    s.line([(at, area.y0), (at, area.y1)], s.theme.line, 0.35)
                s.text(at, area.y1 + 1.5 * u, word, size, s.theme.muted, anchor="mt")
            else:
                if lines:
                    s.line([(area.x0, at), (area.x1, at)], s.theme.line, 0.35)
                if news:
                    s.text(s.w - 4 * u, at, word, size, s.theme.muted, anchor="rm")
                else:
                    s.text(area.x0 - 1.5 * u, at, word, size, s.theme.muted, anchor="rm")
        edge: Rgb = s.theme.ink if self.look == "plain" else mixed(s.theme.line, s.theme.ink, 0.3)
        if self.look == "plain" and s.chance(0.5):
            s.box(area.x0, area.y0, area.x1, area.y1, outline=edge, width=0.5)
        elif self.look != "web":
            s.line([(area.x0, area.y1), (area.x1, area.y1)], edge, 0.5)
            if self.look == "plain" or area.sideways:
                s.line([(area.x0, area.y0), (area.x0, area.y1)], edge, 0.5)

    def _labels(
        self, labels: Sequence[str], size: float, turned: bool, ticks_x: Sequence[float] | None
    ) -> None:
        s, u, area = self.sheet, self.sheet.u, self.area
        count = len(labels)
        if ticks_x is not None:
            for share, label in zip(ticks_x, labels, strict=True):
                x = area.x0 + share * (area.x1 - area.x0)
                s.text(x, area.y1 + 1.5 * u, label, size, s.theme.muted, anchor="mt")
                if self.look == "plain":
                    s.line([(x, area.y1), (x, area.y1 + u)], s.theme.ink, 0.4)
            return
        every = max(1, math.ceil(count / 14))
        for index in range(0, count, every):
            at = area.slot(index, count)
            if area.sideways:
                s.text(
                    area.x0 - 1.5 * u, at, labels[index], size, s.theme.muted, anchor="rm", width=0.34 * s.w
                )
            elif turned:
                length = s.width_of(labels[index], size)
                s.turned(
                    at, area.y1 + 1.5 * u + min(length, 0.25 * s.h) / 2, labels[index], size, s.theme.muted
                )
            else:
                s.text(at, area.y1 + 1.5 * u, labels[index], size, s.theme.muted, anchor="mt")
