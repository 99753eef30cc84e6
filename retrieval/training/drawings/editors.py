"""How are code editors, terminals and spreadsheets drawn?"""

from functools import partial
from random import Random

from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.palette import Rgb, mixed
from retrieval.training.drawings.registry import Renderer
from retrieval.training.drawings.screen_frame import TRAFFIC_LIGHTS, Screen, sentences, tiny_chart
from retrieval.training.drawings.sheet import Drawing
from retrieval.training.drawings.words import (
    COLUMNS,
    FIELDS,
    GOODS,
    MENU,
    Words,
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
        for i, rgb in enumerate(TRAFFIC_LIGHTS):
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
        sentences(
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
        sentences(
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
        tiny_chart(s, a + 5 * u, b + 6 * u, s.w * 0.95 - 5 * u, s.h * 0.92 - 5 * u, s.pick(("bars", "line")))
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
    return scr.done(sentences(scr, Words("a spreadsheet", "电子表格"), about), chart=charted)


def renderers() -> list[Renderer]:
    return [
        Renderer("code-editor", "code editor", "screenshot", partial(_code, kind="editor"), False, 1.2),
        Renderer("code-card", "code editor", "screenshot", partial(_code, kind="slim"), True, 1.0),
        Renderer("terminal-window", "terminal", "screenshot", partial(_terminal, green=False), False, 0.9),
        Renderer("terminal-green", "terminal", "screenshot", partial(_terminal, green=True), True, 0.8),
        Renderer(
            "spreadsheet-light", "spreadsheet", "screenshot", partial(_spreadsheet, dark=False), False, 1.4
        ),
        Renderer(
            "spreadsheet-dark", "spreadsheet", "screenshot", partial(_spreadsheet, dark=True), True, 1.0
        ),
    ]
