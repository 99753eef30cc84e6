"""What is around a program on a screen: a browser, a desktop window, a telephone?"""

from random import Random

from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.palette import Rgb, mixed, readable_on
from retrieval.training.drawings.sheet import Drawing, Sheet
from retrieval.training.drawings.trends import numbers
from retrieval.training.drawings.words import (
    BUTTONS,
    HEADLINES,
    MENU,
    Words,
)

TRAFFIC_LIGHTS: tuple[Rgb, ...] = ((255, 95, 87), (254, 188, 46), (40, 200, 64))


class Screen:
    """A window with what is around it; (x0, y0, x1, y1) is what is left for the program."""

    def __init__(
        self,
        rng: Random,
        fonts: Fonts,
        *,
        dark_share: float = 0.25,
        frames: tuple[str, ...] = ("browser", "window", "bare"),
        aspects: tuple[float, ...] = (1.33, 1.6, 1.6, 1.78, 2.0),
        menu_share: float = 0.6,
        language: str = "",
    ) -> None:
        self.s = s = Sheet(rng, fonts, aspect=rng.choice(aspects), dark_share=dark_share, language=language)
        self.accent = s.pick(s.palette)
        self.x0, self.y0, self.x1, self.y1 = 0.0, 0.0, float(s.w), float(s.h)
        frame = s.pick(frames)
        u = s.u
        bar = mixed(s.theme.paper, s.theme.ink, 0.1)
        if frame == "browser":
            s.box(0, 0, s.w, 9 * u, fill=bar)
            for i, rgb in enumerate(TRAFFIC_LIGHTS if s.chance(0.5) else (s.theme.muted,) * 3):
                s.round((3 + i * 3) * u, 2.4 * u, 0.9 * u, fill=rgb)
            s.box(14 * u, 0.8 * u, 38 * u, 4.4 * u, fill=s.theme.paper, radius=1)
            s.box(12 * u, 5.2 * u, s.w - 8 * u, 8.4 * u, fill=s.theme.paper, radius=2)
            s.text(14 * u, 6.8 * u, "https://intranet.example", 2.4, s.theme.muted)
            self.y0 = 9 * u
        elif frame == "window":
            rgb = s.pick((bar, self.accent.rgb, mixed(s.theme.paper, s.theme.ink, 0.85)))
            s.box(0, 0, s.w, 5.5 * u, fill=rgb)
            s.text(3 * u, 2.8 * u, s.say(s.pick(HEADLINES)), 2.6, readable_on(rgb))
            for i in range(3):
                s.box(
                    s.w - (4 + i * 5) * u, 2 * u, s.w - (2.4 + i * 5) * u, 3.6 * u, outline=readable_on(rgb)
                )
            self.y0 = 5.5 * u
        self.menu = s.chance(menu_share)
        if self.menu:
            self._menu()

    def _menu(self) -> None:
        s, u = self.s, self.s.u
        if s.chance(0.3):
            rgb = s.pick((self.accent.rgb, s.theme.panel, (35, 40, 50)))
            s.box(self.x0, self.y0, self.x1, self.y0 + 8 * u, fill=rgb)
            ink = readable_on(rgb)
            x = 4 * u
            for i, word in enumerate(s.some(MENU, 5)):
                x += s.text(x, self.y0 + 4 * u, s.say(word), 3.2, ink, bold=i == 0) + 6 * u
            s.round(self.x1 - 6 * u, self.y0 + 4 * u, 2.2 * u, fill=mixed(rgb, (255, 255, 255), 0.5))
            self.y0 += 8 * u
            return
        wide = s.pick((9, 26, 30, 34)) * u
        rgb = s.pick((s.theme.panel, s.theme.panel, (38, 42, 52), mixed(self.accent.rgb, (0, 0, 0), 0.45)))
        ink = readable_on(rgb)
        s.box(self.x0, self.y0, self.x0 + wide, self.y1, fill=rgb)
        chosen = s.rng.randrange(5)
        for i, word in enumerate(s.some(MENU, s.pick((6, 7, 9)))):
            y = self.y0 + (7 + i * 8) * u
            if i == chosen:
                s.box(
                    self.x0 + u,
                    y - 3.4 * u,
                    self.x0 + wide - u,
                    y + 3.4 * u,
                    fill=mixed(rgb, self.accent.rgb, 0.55),
                    radius=1,
                )
            s.box(self.x0 + 3 * u, y - 1.3 * u, self.x0 + 5.6 * u, y + 1.3 * u, outline=ink, radius=0.6)
            if wide > 12 * u:
                s.text(self.x0 + 8 * u, y, s.say(word), 3, ink)
        self.x0 += wide

    def heading(self, words: Words, button: bool = True) -> float:
        s, u = self.s, self.s.u
        s.text(self.x0 + 4 * u, self.y0 + 6 * u, s.say(words), 5.5, bold=True)
        if button:
            self.button(self.x1 - 14 * u, self.y0 + 6 * u, s.pick(BUTTONS))
        return self.y0 + 13 * u

    def button(self, x: float, y: float, words: Words, *, plain: bool = False, half: float = 9) -> None:
        s = self.s
        reach = half * s.u
        if plain:
            s.box(
                x - reach,
                y - 2.8 * s.u,
                x + reach,
                y + 2.8 * s.u,
                outline=s.theme.muted,
                fill=s.theme.paper,
                radius=1,
            )
        else:
            s.box(x - reach, y - 2.8 * s.u, x + reach, y + 2.8 * s.u, fill=self.accent.rgb, radius=1)
        s.text(x, y, s.say(words), 3, s.theme.ink if plain else readable_on(self.accent.rgb), anchor="mm")

    def done(self, sentences: list[Words], **facts: object) -> Drawing:
        s = self.s
        if s.chance(0.06):
            # Manuals mark what they speak of.
            x, y = s.between(0.1, 0.7) * s.w, s.between(0.2, 0.8) * s.h
            s.box(
                x,
                y,
                x + 24 * s.u,
                y + 9 * s.u,
                outline=s.pick(((230, 30, 30), (200, 0, 180), (20, 160, 60))),
                width=1,
            )
        drawing = s.done(sentences, **facts)
        drawing.style = "screenshot"
        return drawing


def sentences(scr: Screen, what: Words, about: Words, look: Words | None = None) -> list[Words]:
    """The kind, its content, and its look: that of the theme unless said."""
    look = look or scr.s.manner()
    return [
        Words(f"a screenshot of {what.en}", f"{what.zh}截图"),
        Words(f"a screenshot of {what.en} {about.en}", f"{about.zh}的{what.zh}截图"),
        Words(f"{what.en} {look.en}", f"{what.zh},{look.zh}"),
    ]


def tiny_chart(s: Sheet, x0: float, y0: float, x1: float, y1: float, kind: str) -> None:
    colour = s.pick(s.palette).rgb
    if kind == "bars":
        count = s.pick((5, 7, 9))
        step = (x1 - x0) / count
        for i in range(count):
            s.box(x0 + i * step, y1 - (y1 - y0) * s.between(0.2, 1), x0 + (i + 0.7) * step, y1, fill=colour)
    elif kind in ("line", "area"):
        values = numbers(s.rng, s.pick(("rising", "falling", "peak")), 12)
        top = max(values)
        points = [(x0 + (x1 - x0) * i / 11, y1 - (y1 - y0) * v / top) for i, v in enumerate(values)]
        if kind == "area":
            s.shape([*points, (x1, y1), (x0, y1)], fill=mixed(colour, s.theme.panel, 0.5))
        s.line(points, colour, 0.8)
    else:
        r = min(x1 - x0, y1 - y0) / 2
        x, y, start = (x0 + x1) / 2, (y0 + y1) / 2, -90.0
        for share, part in zip((0.45, 0.3, 0.25), s.colours(3), strict=True):
            s.d.pieslice((x - r, y - r, x + r, y + r), start, start + share * 360, part.rgb)
            start += share * 360
        if kind == "ring":
            s.round(x, y, r * 0.6, fill=s.theme.panel)
