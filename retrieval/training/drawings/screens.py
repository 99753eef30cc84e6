"""How are screens of programs drawn: in a browser, a desktop window or a telephone?"""

from collections.abc import Callable
from functools import partial
from random import Random

from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.palette import Rgb, mixed, readable_on
from retrieval.training.drawings.registry import Renderer
from retrieval.training.drawings.sheet import Drawing, Sheet
from retrieval.training.drawings.trends import numbers
from retrieval.training.drawings.words import (
    BUTTONS,
    COLUMNS,
    COMPANIES,
    DIALOGS,
    FIELDS,
    GOODS,
    HEADLINES,
    MEASURES,
    MENU,
    NAMES,
    OPTIONS,
    TOPICS,
    Words,
    article,
    number,
)

_TRAFFIC_LIGHTS: tuple[Rgb, ...] = ((255, 95, 87), (254, 188, 46), (40, 200, 64))


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
            for i, rgb in enumerate(_TRAFFIC_LIGHTS if s.chance(0.5) else (s.theme.muted,) * 3):
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


def _sentences(scr: Screen, what: Words, about: Words, look: Words | None = None) -> list[Words]:
    """The kind, its content, and its look: that of the theme unless said."""
    look = look or scr.s.manner()
    return [
        Words(f"a screenshot of {what.en}", f"{what.zh}截图"),
        Words(f"a screenshot of {what.en} {about.en}", f"{about.zh}的{what.zh}截图"),
        Words(f"{what.en} {look.en}", f"{what.zh},{look.zh}"),
    ]


def _login(rng: Random, fonts: Fonts, *, split: bool) -> Drawing:
    """``split``, held out: half a picture, half the form."""
    scr = Screen(
        rng, fonts, menu_share=0.0, aspects=(0.56, 0.8, 1.2, 1.6, 1.78) if not split else (1.5, 1.78, 2.0)
    )
    s, u = scr.s, scr.s.u
    look: Words | None = None
    if split:
        look = Words("beside a coloured half", "左半边为彩色")
        middle = s.w * 0.5
        for i in range(30):
            y = scr.y0 + (s.h - scr.y0) * i / 30
            s.box(0, y, middle, y + s.h / 30, fill=mixed(scr.accent.rgb, s.palette[-1].rgb, i / 30), width=0)
        s.text(
            middle / 2,
            s.h * 0.45,
            s.say(s.pick(COMPANIES)),
            6,
            readable_on(scr.accent.rgb),
            anchor="mm",
            bold=True,
        )
        x, half = s.w * 0.75, s.w * 0.17
    else:
        x, half = s.w / 2, min(34 * u, s.w * 0.4)
        if s.chance(0.6):
            ground = s.pick((mixed(s.theme.paper, scr.accent.rgb, 0.2), scr.accent.rgb, s.theme.panel))
            if ground == scr.accent.rgb:
                look = Words(f"on {article(scr.accent.name.en)} background", f"{scr.accent.name.zh}背景")
            s.box(0, scr.y0, s.w, s.h, fill=ground)
            s.box(
                x - half - 5 * u,
                scr.y0 + 8 * u,
                x + half + 5 * u,
                s.h - 8 * u,
                fill=s.theme.paper,
                outline=s.theme.line,
                radius=2,
            )
    y = scr.y0 + 16 * u
    if s.chance(0.6):
        s.round(x, y, 4.5 * u, fill=scr.accent.rgb)
        y += 10 * u
    s.text(x, y, s.say(Words("Sign in", "登录")), 6, anchor="mm", bold=True)
    y += 9 * u
    for words in (Words("User name", "用户名"), Words("Password", "密码")):
        s.text(x - half, y, s.say(words), 3, s.theme.muted)
        s.box(x - half, y + 2.4 * u, x + half, y + 9 * u, fill=s.theme.paper, outline=s.theme.muted, radius=1)
        if s.chance(0.5):
            s.text(x - half + 2 * u, y + 5.8 * u, "•" * 8 if words.en == "Password" else "a.reed", 3)
        y += 13 * u
    s.box(x - half, y - 0.5 * u, x + half, y + 6.5 * u, fill=scr.accent.rgb, radius=1)
    s.text(
        x,
        y + 3 * u,
        s.say(Words("Sign in", "登录")),
        3.6,
        readable_on(scr.accent.rgb),
        anchor="mm",
        bold=True,
    )
    if s.chance(0.6):
        s.text(
            x, y + 10.5 * u, s.say(Words("Forgot password?", "忘记密码?")), 2.8, scr.accent.rgb, anchor="mm"
        )
    colour = scr.accent.name
    return scr.done(
        _sentences(
            scr,
            Words("a login screen", "登录界面"),
            Words(
                f"with fields for user name and password and {article(colour.en)} button",
                f"含用户名、密码输入框和{colour.zh}按钮",
            ),
            look,
        ),
        colours=[colour.en],
    )


def _list(rng: Random, fonts: Fonts, *, kind: str) -> Drawing:
    """``rows`` or ``grid`` of files; held out, ``mail``: three panes."""
    scr = Screen(rng, fonts, menu_share=0.8)
    s, u = scr.s, scr.s.u
    topic = s.pick(MENU)
    y = scr.heading(topic)
    rows = 0
    if kind == "grid":
        columns = s.pick((3, 4, 5))
        side = (scr.x1 - scr.x0 - 8 * u) / columns
        while y + side * 0.5 < scr.y1 and rows < 40:
            for i in range(columns):
                x = scr.x0 + 4 * u + i * side
                s.box(
                    x,
                    y,
                    x + side * 0.88,
                    y + side * 0.55,
                    fill=mixed(s.pick(s.palette).rgb, s.theme.paper, 0.5),
                    outline=s.theme.line,
                    radius=1,
                )
                s.text(x, y + side * 0.64, s.prose(12), 2.7, width=side * 0.85)
                rows += 1
            y += side * 0.8
        about = Words("with a grid of tiles", "卡片网格排列")
    elif kind == "mail":
        edge = scr.x0 + (scr.x1 - scr.x0) * 0.38
        s.line([(edge, y - 2 * u), (edge, scr.y1)], s.theme.line, 0.5)
        top = y
        while y < scr.y1 - 4 * u:
            if rows == 1:
                s.box(scr.x0, y - 1.5 * u, edge, y + 9 * u, fill=mixed(s.theme.paper, scr.accent.rgb, 0.2))
            s.text(scr.x0 + 3 * u, y + u, s.say(s.pick(NAMES)), 3.2, bold=True)
            s.text(scr.x0 + 3 * u, y + 5 * u, s.prose(30), 2.7, s.theme.muted, width=edge - scr.x0 - 6 * u)
            y += 11.5 * u
            rows += 1
        s.text(edge + 4 * u, top + u, s.say(s.pick(HEADLINES)), 4.4, bold=True)
        s.paragraph(edge + 4 * u, top + 9 * u, scr.x1 - edge - 9 * u, s.pick((5, 8, 10)), 2.9)
        about = Words("with messages beside an open one", "左侧为邮件列表,右侧为打开的邮件")
    else:
        if s.chance(0.6):
            s.box(
                scr.x0 + 4 * u,
                y - 2 * u,
                scr.x0 + 50 * u,
                y + 4 * u,
                fill=s.theme.paper,
                outline=s.theme.line,
                radius=2,
            )
            s.text(scr.x0 + 7 * u, y + u, s.say(MENU[1]), 2.8, s.theme.muted)
            y += 9 * u
        columns = s.pick((2, 3, 4, 5))
        xs = [scr.x0 + 9 * u + (scr.x1 - scr.x0 - 14 * u) * i / columns for i in range(columns)]
        for x, head in zip(xs, s.some(COLUMNS, columns), strict=True):
            s.text(x, y, s.say(head), 2.9, s.theme.muted, bold=True)
        dy = s.pick((6, 8, 10)) * u
        s.line([(scr.x0 + 4 * u, y + 3 * u), (scr.x1 - 4 * u, y + 3 * u)], s.theme.line)
        y += 3 * u + dy / 2
        while y < scr.y1 - 3 * u:
            s.box(
                scr.x0 + 4 * u,
                y - 1.6 * u,
                scr.x0 + 7 * u,
                y + 1.6 * u,
                fill=mixed(s.pick(s.palette).rgb, s.theme.paper, 0.3),
                radius=0.8,
            )
            s.text(xs[0], y, s.prose(18), 3, width=(scr.x1 - scr.x0) / columns * 0.8)
            for i, x in enumerate(xs[1:]):
                if i == 0 and s.chance(0.7):
                    rgb = s.pick(((46, 160, 67), (210, 60, 50), (230, 160, 30)))
                    s.box(
                        x,
                        y - 1.8 * u,
                        x + 11 * u,
                        y + 1.8 * u,
                        fill=mixed(rgb, s.theme.paper, 0.65),
                        radius=2,
                    )
                    s.text(x + 5.5 * u, y, s.say(s.pick(TOPICS)), 2.4, rgb, anchor="mm", width=10 * u)
                else:
                    s.text(x, y, s.say(s.pick(NAMES)), 2.8, s.theme.muted)
            s.line([(scr.x0 + 4 * u, y + dy / 2), (scr.x1 - 4 * u, y + dy / 2)], s.theme.line, 0.3)
            y += dy
            rows += 1
        about = Words(f"with rows in {number(columns).en} columns", f"含{number(columns).zh}列数据行")
    return scr.done(
        _sentences(scr, Words("a list in a web application", "网页应用列表界面"), about), rows=rows
    )


def _tiny_chart(s: Sheet, x0: float, y0: float, x1: float, y1: float, kind: str) -> None:
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


def _dashboard(rng: Random, fonts: Fonts, *, tiles: bool) -> Drawing:
    """``tiles``, held out: a wall of coloured figures, as on a screen in a corridor."""
    scr = Screen(
        rng,
        fonts,
        dark_share=0.9 if tiles else 0.3,
        frames=("bare",) if tiles else ("browser", "window", "bare"),
        menu_share=0.0 if tiles else 0.6,
    )
    s, u = scr.s, scr.s.u
    if tiles:
        across, down = s.pick((3, 4, 5)), s.pick((2, 3))
        wide, tall = s.w / across, s.h / down
        charts = 0
        for i in range(across * down):
            x, y = i % across * wide, i // across * tall
            rgb = s.pick(s.palette).rgb
            plain = s.chance(0.35)
            s.box(
                x + u,
                y + u,
                x + wide - u,
                y + tall - u,
                fill=s.theme.panel if plain else mixed(rgb, (0, 0, 0), 0.15),
            )
            ink = s.theme.ink if plain else readable_on(rgb)
            s.text(
                x + wide / 2, y + 5 * u, s.say(s.pick(MEASURES)), 3.4, ink, anchor="mm", width=wide - 4 * u
            )
            if plain:
                _tiny_chart(
                    s,
                    x + 4 * u,
                    y + 10 * u,
                    x + wide - 4 * u,
                    y + tall - 5 * u,
                    s.pick(("bars", "line", "area")),
                )
                charts += 1
            else:
                s.text(
                    x + wide / 2,
                    y + tall * 0.55,
                    s.pick((f"{s.rng.randrange(10, 999)}", f"{s.rng.randrange(1, 99)}%")),
                    11,
                    ink,
                    anchor="mm",
                    bold=True,
                )
        about = Words("with large figures on coloured tiles", "彩色磁贴显示大号数字")
        return scr.done(_sentences(scr, Words("a dashboard", "仪表盘"), about), charts=charts)
    if s.theme.paper == (255, 255, 255):
        s.box(scr.x0, scr.y0, scr.x1, scr.y1, fill=(241, 243, 246))
        panel: Rgb = (255, 255, 255)
    else:
        panel = s.theme.panel
    y = scr.y0 + 3 * u
    if s.chance(0.6):
        y = scr.heading(s.pick(HEADLINES), s.chance(0.5)) - 2 * u
    wide = scr.x1 - scr.x0 - 6 * u
    cards = s.pick((0, 3, 4, 5))
    for i in range(cards):
        x = scr.x0 + 3 * u + wide * i / cards
        s.box(x, y, x + wide / cards - 2 * u, y + 16 * u, fill=panel, outline=s.theme.line, radius=1)
        s.text(x + 2 * u, y + 4 * u, s.say(s.pick(MEASURES)), 2.7, s.theme.muted, width=wide / cards - 5 * u)
        s.text(
            x + 2 * u,
            y + 10.5 * u,
            s.pick((f"{s.rng.randrange(10, 9999):,}", f"{s.rng.randrange(1, 99)}%")),
            6,
            bold=True,
        )
    if cards:
        y += 18.5 * u
    charts = 0
    lines = 1 if scr.y1 - y < 45 * u else 2
    tall = (scr.y1 - y - 2 * u) / lines
    for _ in range(lines):
        shares = s.pick(((0.5, 0.5), (0.65, 0.35), (0.33, 0.34, 0.33), (0.4, 0.6)))
        x = scr.x0 + 3 * u
        for share in shares:
            x1 = x + wide * share - 2 * u
            s.box(x, y, x1, y + tall - 2 * u, fill=panel, outline=s.theme.line, radius=1)
            s.text(x + 2 * u, y + 3.6 * u, s.say(s.pick(MEASURES)), 3, bold=True, width=x1 - x - 4 * u)
            kind = s.pick(("bars", "line", "area", "ring", "pie", "rows"))
            if kind == "rows":
                for i in range(int((tall - 12 * u) / (5 * u))):
                    s.text(x + 2 * u, y + (9 + i * 5) * u, s.prose(14), 2.6, width=(x1 - x) * 0.5)
                    s.box(
                        x + (x1 - x) * 0.6,
                        y + (8 + i * 5) * u,
                        x + (x1 - x) * s.between(0.65, 0.95),
                        y + (10.4 + i * 5) * u,
                        fill=scr.accent.rgb,
                    )
            else:
                _tiny_chart(s, x + 3 * u, y + 8 * u, x1 - 3 * u, y + tall - 5 * u, kind)
                charts += 1
            x = x1 + 2 * u
        y += tall
    many = number(charts)
    about = Words(
        f"with {many.en} {'chart' if charts == 1 else 'charts'} on cards", f"卡片上有{many.zh}个图表"
    )
    return scr.done(_sentences(scr, Words("a dashboard", "仪表盘"), about), charts=charts, cards=cards)


def _switch(s: Sheet, x: float, y: float, on: bool, rgb: Rgb) -> None:
    s.box(
        x - 3.2 * s.u, y - 1.8 * s.u, x + 3.2 * s.u, y + 1.8 * s.u, fill=rgb if on else s.theme.line, radius=2
    )
    s.round(x + (1.5 if on else -1.5) * s.u, y, 1.4 * s.u, fill=(255, 255, 255))


def _settings(rng: Random, fonts: Fonts, *, phone: bool) -> Drawing:
    """``phone``, held out: groups of rows on a narrow screen."""
    scr = Screen(
        rng,
        fonts,
        menu_share=0.0 if phone else 0.7,
        frames=("bare",) if phone else ("browser", "window", "bare"),
        aspects=(0.5, 0.56) if phone else (1.0, 1.33, 1.6),
    )
    s, u = scr.s, scr.s.u
    if phone and not s.theme.dark:
        s.box(0, 0, s.w, s.h, fill=(242, 242, 247))
    y = scr.heading(Words("Settings", "设置"), not phone and s.chance(0.5)) + 3 * u
    rows = switches = 0
    dy = s.pick((9, 11, 13)) * u
    for words in s.some(OPTIONS, 14):
        if y > scr.y1 - 6 * u:
            break
        if phone:
            s.box(
                3 * u,
                y - dy * 0.48,
                s.w - 3 * u,
                y + dy * 0.48,
                fill=s.theme.panel if s.theme.dark else (255, 255, 255),
                radius=1,
            )
            s.box(6 * u, y - 2.6 * u, 11 * u, y + 2.6 * u, fill=s.pick(s.palette).rgb, radius=1)
            s.text(14 * u, y, s.say(words), 4)
        else:
            s.text(scr.x0 + 5 * u, y - (1.6 * u if dy > 9 * u else 0), s.say(words), 3.4)
            if dy > 9 * u:
                s.text(
                    scr.x0 + 5 * u,
                    y + 2.4 * u,
                    s.prose(30),
                    2.4,
                    s.theme.muted,
                    width=(scr.x1 - scr.x0) * 0.55,
                )
            s.line([(scr.x0 + 5 * u, y + dy / 2), (scr.x1 - 5 * u, y + dy / 2)], s.theme.line, 0.3)
        right = scr.x1 - (10 if not phone else 9) * u
        control = s.pick(("switch", "switch", "list", "box") if not phone else ("switch", "switch", "arrow"))
        if control == "switch":
            _switch(s, right, y, s.chance(0.5), scr.accent.rgb)
            switches += 1
        elif control == "list":
            s.box(right - 12 * u, y - 2.6 * u, right + 3 * u, y + 2.6 * u, outline=s.theme.muted, radius=0.8)
            s.text(right - 10.5 * u, y, s.say(s.pick(TOPICS)), 2.6, width=11 * u)
        elif control == "box":
            s.box(
                right - 1.5 * u,
                y - 1.5 * u,
                right + 1.5 * u,
                y + 1.5 * u,
                fill=scr.accent.rgb if s.chance(0.5) else None,
                outline=s.theme.muted,
            )
        else:
            s.text(right, y, "›", 5, s.theme.muted, anchor="mm")
        y += dy
        rows += 1
    count = number(rows)
    return scr.done(
        _sentences(
            scr,
            Words("a settings screen", "设置界面"),
            Words(f"with {count.en} options and switches", f"含{count.zh}个选项和开关"),
        ),
        rows=rows,
        switches=switches,
    )


def _dialog(rng: Random, fonts: Fonts, *, toast: bool) -> Drawing:
    """A box over a dimmed window; ``toast``, held out: only the box, with an icon above."""
    scr = Screen(rng, fonts, aspects=(1.3, 1.6, 2.0) if toast else (1.0, 1.33, 1.6, 1.78))
    s, u = scr.s, scr.s.u
    words = s.pick(DIALOGS)
    look: Words | None = None
    if not toast:
        y = scr.heading(s.pick(MENU))
        while y < scr.y1:
            s.paragraph(scr.x0 + 5 * u, y, scr.x1 - scr.x0 - 12 * u, 1, 3, s.theme.muted)
            y += 7 * u
        if s.chance(0.8):
            look = Words("over a dimmed window", "位于变暗的窗口之上")
            s.picture.paste(s.picture.point(lambda level: level * 0.5))
    half_w, half_h = min(s.between(32, 48) * u, s.w * 0.42), s.between(18, 26) * u
    x, y = s.w / 2, s.h / 2
    if toast:
        s.box(0, 0, s.w, s.h, fill=s.theme.panel)
        half_w, half_h = s.w * 0.44, s.h * 0.42
    s.box(
        x - half_w,
        y - half_h,
        x + half_w,
        y + half_h,
        fill=s.theme.paper,
        outline=s.theme.line,
        radius=0 if s.chance(0.4) else 2,
    )
    titled = not toast and s.chance(0.4)
    if titled:
        s.box(x - half_w, y - half_h, x + half_w, y - half_h + 7 * u, fill=scr.accent.rgb)
    icon = s.pick(((220, 60, 50), (240, 170, 30), (40, 120, 215), (50, 160, 80)))
    if toast:
        s.round(x, y - half_h * 0.45, 8 * u, fill=icon)
        s.text(x, y - half_h * 0.45, s.pick(("!", "?", "i")), 10, (255, 255, 255), anchor="mm", bold=True)
        s.text(x, y + 2 * u, s.say(words), 5.4, anchor="mm", bold=True, width=half_w * 1.9)
        s.text(x, y + 10 * u, s.prose(36), 3.2, s.theme.muted, anchor="mm", width=half_w * 1.7)
    else:
        top = y - half_h + (3.5 if titled else 6) * u
        s.text(
            x - half_w + 4 * u,
            top,
            s.say(words),
            4,
            readable_on(scr.accent.rgb) if titled else None,
            bold=True,
            width=half_w * 1.8,
        )
        left = x - half_w + 4 * u
        if s.chance(0.6):
            s.round(left + 4 * u, y, 4 * u, fill=icon)
            s.text(left + 4 * u, y, s.pick(("!", "?", "i")), 6, (255, 255, 255), anchor="mm", bold=True)
            left += 11 * u
        s.paragraph(left, y - 5 * u, x + half_w - left - 4 * u, s.pick((1, 2, 3)), 3)
    buttons = s.pick((1, 2, 2, 3))
    for i, label in enumerate(s.some(BUTTONS, buttons)):
        bx = x + half_w - (11 + i * 20) * u if not toast else x + (i - (buttons - 1) / 2) * 21 * u
        if bx > x - half_w + 8 * u:
            scr.button(bx, y + half_h - 6 * u, label, plain=i > 0)
    return scr.done(
        _sentences(
            scr,
            Words("a dialog box", "对话框"),
            Words(f"that says: {words.en}", f"提示“{words.zh}”"),
            look,
        ),
        says=words.en,
    )


def _chat(rng: Random, fonts: Fonts, *, phone: bool) -> Drawing:
    """``phone``, held out: bubbles on a narrow screen with a keyboard."""
    scr = Screen(
        rng,
        fonts,
        menu_share=0.0 if phone else 0.75,
        frames=("bare",) if phone else ("browser", "window", "bare"),
        aspects=(0.5, 0.56) if phone else (1.33, 1.6, 1.0),
    )
    s, u = scr.s, scr.s.u
    person = s.pick(NAMES)
    bar = s.pick((s.theme.panel, scr.accent.rgb))
    s.box(scr.x0, scr.y0, scr.x1, scr.y0 + 10 * u, fill=bar)
    s.round(scr.x0 + 7 * u, scr.y0 + 5 * u, 3 * u, fill=s.pick(s.palette).rgb)
    s.text(scr.x0 + 13 * u, scr.y0 + 5 * u, s.say(person), 4, readable_on(bar), bold=True)
    y, bottom = scr.y0 + 14 * u, scr.y1 - (62 if phone else 12) * u
    messages = 0
    wide = scr.x1 - scr.x0
    avatars = s.chance(0.6) and not phone
    while y < bottom - 8 * u:
        mine = s.chance(0.45)
        lines = s.pick((1, 1, 2, 3))
        tall = (4 + lines * 4.6) * u
        if y + tall > bottom:
            break
        length = wide * s.between(0.3, 0.62)
        rgb = scr.accent.rgb if mine else mixed(s.theme.paper, s.theme.ink, 0.1)
        x0 = scr.x1 - 4 * u - length if mine else scr.x0 + (11 if avatars else 4) * u
        if avatars and not mine:
            s.round(scr.x0 + 6 * u, y + 3 * u, 3 * u, fill=s.pick(s.palette).rgb)
        s.box(x0, y, x0 + length, y + tall, fill=rgb, radius=3)
        s.paragraph(x0 + 3 * u, y + 2.6 * u, length - 6 * u, lines, 3, readable_on(rgb))
        y += tall + 4 * u
        messages += 1
    s.box(
        scr.x0 + 4 * u,
        bottom + 2 * u,
        scr.x1 - 12 * u,
        bottom + 9 * u,
        fill=s.theme.paper,
        outline=s.theme.line,
        radius=3,
    )
    s.round(scr.x1 - 6.5 * u, bottom + 5.5 * u, 3.2 * u, fill=scr.accent.rgb)
    if phone:
        s.box(0, bottom + 12 * u, s.w, s.h, fill=mixed(s.theme.paper, s.theme.ink, 0.18))
        for r in range(4):
            keys = 10 - r
            for k in range(keys):
                w = s.w / 10.6
                x = s.w / 2 + (k - (keys - 1) / 2) * w
                at = bottom + (19 + r * 11) * u
                s.box(x - w * 0.42, at - 4 * u, x + w * 0.42, at + 4 * u, fill=s.theme.paper, radius=1)
    return scr.done(
        _sentences(
            scr,
            Words("a chat window", "聊天窗口"),
            Words(f"with speech bubbles, a conversation with {person.en}", f"与{person.zh}对话、含聊天气泡"),
        ),
        messages=messages,
    )


_CODE = (
    "def load(path):",
    "    with open(path) as file:",
    "        return json.load(file)",
    "import os, sys",
    "for row in table:",
    "    if row.total > limit:",
    "        total += row.total",
    "class Report(Base):",
    "    def __init__(self):",
    "        self.rows = []",
    "return None",
    "    print(total)",
    "const items = [];",
    "function draw(chart) {",
    "    chart.update();",
    "}",
    "if (error) throw error;",
    "SELECT name, total",
    "FROM orders WHERE id = 7",
    "# read the settings",
    "// sort by date",
    "    values = sorted(values)",
    "try:",
    "except ValueError:",
)
_COMMANDS = (
    "$ ls -l",
    "total 48",
    "drwxr-xr-x 2 root root 4096",
    "$ git status",
    "On branch main",
    "nothing to commit",
    "$ make test",
    "12 passed in 3.4s",
    "$ ping server",
    "64 bytes from 10.0.0.7",
    "$ docker ps",
    "CONTAINER ID  IMAGE",
    "$ cat notes.txt",
    "Error: file not found",
    "$ cd reports",
    "-rw-r--r-- 1 ann 812",
    "Downloading 42%",
    "INFO started",
    "WARN slow query",
    "$ python run.py",
    "done.",
)


def _code(rng: Random, fonts: Fonts, *, kind: str) -> Drawing:
    """``editor``; held out, ``slim``: no window, coloured lines on a rounded card, as shared on pages."""
    slim = kind == "slim"
    scr = Screen(
        rng,
        fonts,
        dark_share=0.65,
        menu_share=0.0,
        frames=("bare",) if slim else ("window", "window", "bare"),
        language="en",
    )
    s, u = scr.s, scr.s.u
    kinds: tuple[Rgb, ...] = (
        (198, 120, 221),
        (97, 175, 239),
        (152, 195, 121),
        (229, 192, 123),
        (224, 108, 117),
    )
    if not s.theme.dark:
        kinds = ((0, 0, 200), (160, 30, 120), (0, 120, 40), (150, 90, 0), (180, 40, 40))
    x0, y0, x1, y1 = scr.x0, scr.y0, scr.x1, scr.y1
    if slim:
        s.box(0, 0, s.w, s.h, fill=scr.accent.rgb)
        x0, y0, x1, y1 = 8 * u, 8 * u, s.w - 8 * u, s.h - 8 * u
        s.box(x0, y0, x1, y1, fill=s.theme.paper, radius=3)
        for i, rgb in enumerate(_TRAFFIC_LIGHTS):
            s.round(x0 + (5 + i * 4) * u, y0 + 5 * u, 1.3 * u, fill=rgb)
        y0 += 9 * u
    else:
        if s.chance(0.75):
            s.box(x0, y0, x0 + 6 * u, y1, fill=mixed(s.theme.panel, s.theme.ink, 0.1))
            s.box(x0 + 6 * u, y0, x0 + 30 * u, y1, fill=s.theme.panel)
            for i in range(s.rng.randrange(5, 13)):
                s.text(
                    x0 + s.pick((9, 12)) * u,
                    y0 + (6 + i * 5.4) * u,
                    s.pick(("main.py", "app.js", "tests", "index.html", "data.csv", "README", "src")),
                    2.6,
                    s.theme.muted,
                )
            x0 += 30 * u
        s.box(x0, y0, x1, y0 + 5.5 * u, fill=s.theme.panel)
        s.box(x0, y0, x0 + 18 * u, y0 + 5.5 * u, fill=s.theme.paper)
        s.text(x0 + 3 * u, y0 + 2.8 * u, "main.py", 2.6)
        y0 += 7 * u
        if s.chance(0.5):
            s.box(scr.x0, y1 - 3.5 * u, x1, y1, fill=scr.accent.rgb)
            y1 -= 3.5 * u
    y, n = y0 + 3 * u, 1
    size = s.between(2.6, 3.6)
    indent = 0
    while y < y1 - 2 * u:
        if not slim:
            s.text(x0 + 5 * u, y, str(n), size, s.theme.muted, anchor="rm", kind="mono")
        line = s.pick(_CODE)
        if s.chance(0.86):
            x = x0 + 8 * u + indent * 4 * u + (len(line) - len(line.lstrip())) * size * 0.5 * u
            for word in line.split():
                comment = line[0] in "#/"
                fill = (120, 140, 120) if comment else s.pick((s.theme.ink, *kinds))
                if x > x1 - 6 * u:
                    break
                x += s.text(x, y, word, size, fill, kind="mono") + size * 0.6 * u
        indent = max(0, min(3, indent + s.pick((-1, 0, 0, 1))))
        y += size * 1.6 * u
        n += 1
    return scr.done(
        _sentences(
            scr,
            Words("a code editor", "代码编辑器"),
            Words("with lines of coloured source code", "含多行彩色源代码"),
        ),
        lines=n - 1,
    )


def _terminal(rng: Random, fonts: Fonts, *, green: bool) -> Drawing:
    """Black windows of commands; held out, ``green`` on black without a window."""
    scr = Screen(
        rng,
        fonts,
        dark_share=1.0,
        menu_share=0.0,
        frames=("bare",) if green else ("window", "window", "bare"),
        aspects=(1.2, 1.5, 1.8),
        language="en",
    )
    s, u = scr.s, scr.s.u
    ground: Rgb = (
        (2, 10, 4) if green else s.pick(((12, 12, 12), (24, 24, 30), (1, 36, 86), (48, 10, 36), (0, 43, 54)))
    )
    s.box(0, scr.y0, s.w, s.h, fill=ground)
    size = s.between(3, 4.2) if not green else s.between(4.2, 5.5)
    y, lines = scr.y0 + 4 * u, 0
    stop = s.between(0.5, 1.0) * s.h
    while y < stop - 2 * u:
        line = s.pick(_COMMANDS)
        if green:
            s.text(3 * u, y, line, size, (60, 230, 90), kind="mono")
        else:
            x = 3 * u
            if line.startswith("$"):
                x += s.text(x, y, "ann@host:~", size, (90, 210, 110), kind="mono") + u
            ink = (230, 90, 80) if "Error" in line else (230, 190, 80) if "WARN" in line else (222, 222, 222)
            s.text(x, y, line, size, ink, kind="mono")
        y += size * 1.5 * u
        lines += 1
    s.box(3 * u, y - 1.6 * u, 5 * u, y + 1.6 * u, fill=(60, 230, 90) if green else (222, 222, 222))
    return scr.done(
        _sentences(
            scr,
            Words("a terminal window", "命令行终端窗口"),
            Words("with commands on a dark ground", "深色底上有命令"),
        ),
        lines=lines,
    )


def _spreadsheet(rng: Random, fonts: Fonts, *, dark: bool) -> Drawing:
    """``dark``, held out: a dark sheet with a side pane."""
    scr = Screen(
        rng,
        fonts,
        dark_share=1.0 if dark else 0.0,
        menu_share=0.0,
        frames=("window", "bare") if not dark else ("bare",),
    )
    s, u = scr.s, scr.s.u
    y = scr.y0
    green = s.pick(((33, 115, 70), (52, 120, 200), (15, 157, 88)))
    if not dark and s.chance(0.85):
        s.box(0, y, s.w, y + 5 * u, fill=green)
        x = 3 * u
        for word in s.some(MENU, 6):
            x += s.text(x, y + 2.5 * u, s.say(word), 2.5, (255, 255, 255)) + 4 * u
        y += 5 * u
        s.box(0, y, s.w, y + 11 * u, fill=(243, 243, 243))
        for i in range(int(s.w / (7 * u)) - 1):
            s.box(
                (3 + i * 7) * u,
                y + 2 * u,
                (7 + i * 7) * u,
                y + 6 * u,
                fill=s.pick((s.theme.line, mixed(s.pick(s.palette).rgb, (255, 255, 255), 0.3))),
            )
        y += 11 * u
    s.box(12 * u, y + u, s.w - 3 * u, y + 4.5 * u, fill=s.theme.paper, outline=s.theme.line)
    s.text(14 * u, y + 2.8 * u, f"=SUM(B2:B{s.rng.randrange(5, 30)})", 2.5)
    y += 6 * u
    x1 = s.w * 0.74 if dark else float(s.w)
    dx, dy, head = s.between(14, 22) * u, s.between(4.4, 5.8) * u, 6 * u
    columns, rows = int((x1 - head) / dx) + 1, int((s.h - y) / dy)
    s.box(0, y, x1, y + dy, fill=mixed(s.theme.paper, s.theme.ink, 0.08))
    s.box(0, y, head, s.h, fill=mixed(s.theme.paper, s.theme.ink, 0.08))
    filled_rows, filled_columns = s.rng.randrange(4, max(5, rows)), s.rng.randrange(2, max(3, columns))
    tint = mixed(s.theme.paper, s.pick(s.palette).rgb, 0.3)
    if s.chance(0.5):
        s.box(head, y + dy, head + filled_columns * dx, y + 2 * dy, fill=tint)
    for c in range(columns):
        x = head + c * dx
        if x + dx * 0.5 < x1:
            s.text(x + dx / 2, y + dy / 2, "ABCDEFGHIJKLMNOPQRST"[c], 2.6, s.theme.muted, anchor="mm")
    for r in range(1, rows + 1):
        at = y + (r + 0.5) * dy
        s.text(head / 2, at, str(r), 2.5, s.theme.muted, anchor="mm")
        if r <= filled_rows:
            for c in range(filled_columns):
                x = head + c * dx
                if x + dx > x1:
                    break
                if r == 1:
                    s.text(x + u, at, s.say(s.pick(COLUMNS)), 2.8, bold=True, width=dx - 2 * u)
                elif c == 0:
                    s.text(x + u, at, s.say(s.pick(GOODS)), 2.8, width=dx - 2 * u)
                elif s.chance(0.9):
                    s.text(x + dx - u, at, f"{s.rng.randrange(1, 9999):,}", 2.7, anchor="rm")
        s.line([(0, y + r * dy), (x1, y + r * dy)], s.theme.line, 0.3)
    for c in range(columns + 1):
        x = head + c * dx
        if x < x1:
            s.line([(x, y), (x, s.h)], s.theme.line, 0.3)
    c, r = s.rng.randrange(max(1, columns - 1)), s.rng.randrange(1, max(2, rows - 1))
    s.box(head + c * dx, y + r * dy, head + (c + 1) * dx, y + (r + 1) * dy, outline=green, width=0.9)
    charted = not dark and s.chance(0.25)
    if charted:
        a, b = s.w * 0.55, y + (s.h - y) * 0.25
        s.box(a, b, s.w * 0.95, s.h * 0.92, fill=s.theme.paper, outline=s.theme.muted)
        _tiny_chart(s, a + 5 * u, b + 6 * u, s.w * 0.95 - 5 * u, s.h * 0.92 - 5 * u, s.pick(("bars", "line")))
    if dark:
        s.box(x1, scr.y0, s.w, s.h, fill=s.theme.panel)
        for i, words in enumerate(s.some(FIELDS, 6)):
            s.text(x1 + 3 * u, scr.y0 + (8 + i * 12) * u, s.say(words), 2.8)
            s.box(
                x1 + 3 * u,
                scr.y0 + (10.5 + i * 12) * u,
                s.w - 3 * u,
                scr.y0 + (15 + i * 12) * u,
                outline=s.theme.muted,
            )
    about = (
        Words("with a chart over the cells", "单元格上有图表")
        if charted
        else Words("with rows and columns of cells", "含行列单元格")
    )
    return scr.done(_sentences(scr, Words("a spreadsheet", "电子表格"), about), chart=charted)


def _web_form(rng: Random, fonts: Fonts, *, steps: bool) -> Drawing:
    """``steps``, held out: a form in stages with a bar of them above."""
    scr = Screen(rng, fonts, menu_share=0.3, aspects=(0.75, 1.0, 1.33))
    s, u = scr.s, scr.s.u
    y = scr.heading(s.pick(HEADLINES), False) + 2 * u
    left, right = scr.x0 + 6 * u, scr.x1 - 6 * u
    if steps:
        for i in range(4):
            x = left + (right - left) * (i + 0.5) / 4
            s.line([(left, y), (right, y)], s.theme.line, 0.6) if i == 0 else None
            s.round(x, y, 3 * u, fill=scr.accent.rgb if i < 2 else s.theme.line)
            s.text(x, y, str(i + 1), 3, (255, 255, 255), anchor="mm", bold=True)
        y += 9 * u
    columns = s.pick((1, 1, 2)) if not steps else 2
    fields = 0
    while y < scr.y1 - 22 * u:
        for c in range(columns):
            x0 = left + (right - left) * c / columns
            x1 = left + (right - left) * (c + 1) / columns - (3 * u if columns > 1 else 0)
            s.text(x0, y, s.say(s.pick(FIELDS)), 3)
            kind = s.pick(("text", "text", "list", "ticks"))
            if kind == "ticks":
                for i in range(3):
                    x = x0 + i * (x1 - x0) / 3
                    s.round(x + 1.6 * u, y + 5.4 * u, 1.5 * u, outline=s.theme.muted)
                    if i == 0:
                        s.round(x + 1.6 * u, y + 5.4 * u, 0.8 * u, fill=scr.accent.rgb)
                    s.text(x + 4.4 * u, y + 5.4 * u, s.say(s.pick(TOPICS)), 2.7, width=(x1 - x0) / 3 - 5 * u)
            else:
                s.box(x0, y + 2.4 * u, x1, y + 8.4 * u, fill=s.theme.paper, outline=s.theme.muted, radius=1)
                if kind == "list":
                    s.shape(
                        [(x1 - 4 * u, y + 4.6 * u), (x1 - 2 * u, y + 4.6 * u), (x1 - 3 * u, y + 6.2 * u)],
                        fill=s.theme.muted,
                    )
                elif s.chance(0.5):
                    s.text(x0 + 2 * u, y + 5.4 * u, s.say(s.pick(NAMES)), 2.8)
            fields += 1
        y += 12.5 * u
    scr.button(left + 9 * u, scr.y1 - 8 * u, s.pick(BUTTONS))
    scr.button(left + 30 * u, scr.y1 - 8 * u, BUTTONS[1], plain=True)
    count = number(fields)
    return scr.done(
        _sentences(
            scr,
            Words("a web form", "网页表单"),
            Words(
                f"with {count.en} fields and {article(scr.accent.name.en)} button",
                f"含{count.zh}个字段和{scr.accent.name.zh}按钮",
            ),
        ),
        fields=fields,
        colours=[scr.accent.name.en],
    )


def renderers() -> list[Renderer]:
    rows: list[tuple[str, str, Callable[..., Drawing], bool, float]] = [
        ("login-card", "login screen", partial(_login, split=False), False, 1.0),
        ("login-split", "login screen", partial(_login, split=True), True, 1.0),
        ("list-rows", "list screen", partial(_list, kind="rows"), False, 1.0),
        ("list-tiles", "list screen", partial(_list, kind="grid"), False, 0.7),
        ("list-mail", "list screen", partial(_list, kind="mail"), True, 1.2),
        ("dashboard-cards", "dashboard", partial(_dashboard, tiles=False), False, 1.8),
        ("dashboard-tiles", "dashboard", partial(_dashboard, tiles=True), True, 1.4),
        ("settings-page", "settings screen", partial(_settings, phone=False), False, 1.2),
        ("settings-phone", "settings screen", partial(_settings, phone=True), True, 1.0),
        ("dialog-over", "dialog box", partial(_dialog, toast=False), False, 1.3),
        ("dialog-icon", "dialog box", partial(_dialog, toast=True), True, 1.0),
        ("chat-desktop", "chat window", partial(_chat, phone=False), False, 1.2),
        ("chat-phone", "chat window", partial(_chat, phone=True), True, 1.0),
        ("code-editor", "code editor", partial(_code, kind="editor"), False, 1.2),
        ("code-card", "code editor", partial(_code, kind="slim"), True, 1.0),
        ("terminal-window", "terminal", partial(_terminal, green=False), False, 0.9),
        ("terminal-green", "terminal", partial(_terminal, green=True), True, 0.8),
        ("spreadsheet-light", "spreadsheet", partial(_spreadsheet, dark=False), False, 1.4),
        ("spreadsheet-dark", "spreadsheet", partial(_spreadsheet, dark=True), True, 1.0),
        ("web-form-plain", "web form", partial(_web_form, steps=False), False, 1.3),
        ("web-form-steps", "web form", partial(_web_form, steps=True), True, 1.0),
    ]
    return [
        Renderer(name, label, "screenshot", draw, held, weight) for name, label, draw, held, weight in rows
    ]
