"""How are screens of everyday programs drawn: sign-in, lists, dashboards, settings, dialogs, chats?"""

from functools import partial
from random import Random

from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.palette import Rgb, mixed, readable_on
from retrieval.training.drawings.registry import Renderer
from retrieval.training.drawings.screen_frame import Screen, sentences, tiny_chart
from retrieval.training.drawings.sheet import Drawing, Sheet
from retrieval.training.drawings.words import (
    BUTTONS,
    COLUMNS,
    COMPANIES,
    DIALOGS,
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
        sentences(
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
        sentences(scr, Words("a list in a web application", "网页应用列表界面"), about), rows=rows
    )


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
                tiny_chart(
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
        return scr.done(sentences(scr, Words("a dashboard", "仪表盘"), about), charts=charts)
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
                tiny_chart(s, x + 3 * u, y + 8 * u, x1 - 3 * u, y + tall - 5 * u, kind)
                charts += 1
            x = x1 + 2 * u
        y += tall
    many = number(charts)
    about = Words(
        f"with {many.en} {'chart' if charts == 1 else 'charts'} on cards", f"卡片上有{many.zh}个图表"
    )
    return scr.done(sentences(scr, Words("a dashboard", "仪表盘"), about), charts=charts, cards=cards)


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
        sentences(
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
        sentences(
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
        sentences(
            scr,
            Words("a chat window", "聊天窗口"),
            Words(f"with speech bubbles, a conversation with {person.en}", f"与{person.zh}对话、含聊天气泡"),
        ),
        messages=messages,
    )


def renderers() -> list[Renderer]:
    return [
        Renderer("login-card", "login screen", "screenshot", partial(_login, split=False), False, 1.0),
        Renderer("login-split", "login screen", "screenshot", partial(_login, split=True), True, 1.0),
        Renderer("list-rows", "list screen", "screenshot", partial(_list, kind="rows"), False, 1.0),
        Renderer("list-tiles", "list screen", "screenshot", partial(_list, kind="grid"), False, 0.7),
        Renderer("list-mail", "list screen", "screenshot", partial(_list, kind="mail"), True, 1.2),
        Renderer("dashboard-cards", "dashboard", "screenshot", partial(_dashboard, tiles=False), False, 1.8),
        Renderer("dashboard-tiles", "dashboard", "screenshot", partial(_dashboard, tiles=True), True, 1.4),
        Renderer(
            "settings-page", "settings screen", "screenshot", partial(_settings, phone=False), False, 1.2
        ),
        Renderer(
            "settings-phone", "settings screen", "screenshot", partial(_settings, phone=True), True, 1.0
        ),
        Renderer("dialog-over", "dialog box", "screenshot", partial(_dialog, toast=False), False, 1.3),
        Renderer("dialog-icon", "dialog box", "screenshot", partial(_dialog, toast=True), True, 1.0),
        Renderer("chat-desktop", "chat window", "screenshot", partial(_chat, phone=False), False, 1.2),
        Renderer("chat-phone", "chat window", "screenshot", partial(_chat, phone=True), True, 1.0),
    ]
