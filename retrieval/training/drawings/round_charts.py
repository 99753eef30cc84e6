"""How are charts without axes drawn: pies, rings, heat maps and tables of numbers?"""

import math
from functools import partial
from random import Random

from retrieval.training.drawings.chart_frame import LOOKS, Frame
from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.palette import mixed, readable_on
from retrieval.training.drawings.registry import Renderer
from retrieval.training.drawings.sheet import Drawing, Sheet
from retrieval.training.drawings.words import (
    COLUMNS,
    GROUPS,
    MEASURES,
    MONTHS,
    WEEKDAYS,
    Words,
    article,
    number,
)


def _pie(rng: Random, fonts: Fonts, *, look: str, ring: bool) -> Drawing:
    label = Words("donut chart", "环形图") if ring else Words("pie chart", "饼图")
    frame = Frame(rng, fonts, look)
    s = frame.sheet
    by, words = s.pick(GROUPS)
    # As many slices as the palette has colours, so that each has its own.
    names = s.some(words, min(len(s.palette), s.pick((2, 3, 3, 4, 4, 5, 6, 7))))
    shares = [s.between(0.4, 1.0) for _ in names]
    if s.chance(0.4):
        shares[0] = sum(shares[1:]) * s.between(1.2, 2.5)
    total = sum(shares)
    shares = [round(100 * share / total, 1) for share in shares]
    colours = s.palette[: len(names)]
    measure = s.pick(MEASURES)
    area = frame.begin(
        Words(f"{measure.en.capitalize()} by {by.en}", f"{measure.zh}构成"),
        legend=list(zip(names, colours, strict=True)),
    )
    radius = min(area.x1 - area.x0, area.y1 - area.y0) / 2 * s.between(0.75, 0.98)
    x, y = (area.x0 + area.x1) / 2, (area.y0 + area.y1) / 2
    start = s.pick((-90.0, -90.0, 0.0, s.between(0, 360)))
    edge = s.theme.paper if s.chance(0.6) else None
    inner = radius * s.between(0.45, 0.7)
    told = s.chance(0.5)
    pulled = s.rng.randrange(len(names)) if not ring and s.chance(0.15) else -1
    for i, (share, colour) in enumerate(zip(shares, colours, strict=True)):
        end = start + share * 3.6
        middle = math.radians((start + end) / 2)
        shift = 0.1 * radius if i == pulled else 0.0
        cx, cy = x + shift * math.cos(middle), y + shift * math.sin(middle)
        s.d.pieslice(
            (cx - radius, cy - radius, cx + radius, cy + radius), start, end, colour.rgb, edge, s.px(0.5)
        )
        if told and share > 7:
            reach = (radius + inner) / 2 if ring else radius * 0.62
            s.text(
                cx + reach * math.cos(middle),
                cy + reach * math.sin(middle),
                f"{share:.0f}%",
                3.4,
                readable_on(colour.rgb),
                anchor="mm",
            )
        start = end
    if ring:
        s.round(x, y, inner, fill=s.picture.getpixel((round(area.x0), round(area.y1) - 1)))  # type: ignore[arg-type]
        if s.chance(0.5):
            s.text(x, y, f"{max(shares):.0f}%", radius / s.u * 0.3, anchor="mm", bold=True)
    best = names[shares.index(max(shares))]
    half = max(shares) > 50
    count = number(len(names))
    coloured = colours[shares.index(max(shares))].name
    return s.done(
        [
            Words(f"a {label.en} of {measure.en} by {by.en}", f"各{by.zh}{measure.zh}占比的{label.zh}"),
            Words(
                f"a {label.en} with {count.en} slices, the largest {coloured.en} for {best.en}",
                f"含{count.zh}个扇区的{label.zh},最大的为{coloured.zh}的{best.zh}",
            ),
            Words(f"a {label.en} where one slice takes more than half", f"一个部分超过一半的{label.zh}")
            if half
            else Words(f"a {label.en} {s.manner().en}", f"{label.zh},{s.manner().zh}"),
        ],
        shares=shares,
        largest=best.en,
        colours=[colour.name.en for colour in colours],
    )


_RAMPS = (
    (((255, 255, 229), (35, 132, 67)), Words("green", "绿色")),
    (((247, 251, 255), (8, 48, 107)), Words("blue", "蓝色")),
    (((255, 245, 240), (165, 15, 21)), Words("red", "红色")),
    (((255, 247, 188), (204, 76, 2)), Words("orange", "橙色")),
    (((252, 251, 253), (63, 0, 125)), Words("purple", "紫色")),
    (((68, 1, 84), (253, 231, 37)), Words("purple to yellow", "紫色到黄色")),
)


def _heat(rng: Random, fonts: Fonts, *, look: str) -> Drawing:
    frame = Frame(rng, fonts, look)
    s = frame.sheet
    rows = list(s.pick((WEEKDAYS, *(words for _, words in GROUPS[:4]))))[: s.pick((4, 5, 6, 7))]
    columns = list(s.pick((MONTHS, GROUPS[5][1], tuple(Words(str(h), str(h)) for h in range(24)))))
    columns = columns[: s.pick((6, 8, 10, 12, 20))]
    measure = s.pick(MEASURES)
    (low, high), hue = s.pick(_RAMPS)
    area = frame.begin(Words(f"{measure.en.capitalize()}", f"{measure.zh}热力图"))
    room = max(s.width_of(s.say(row), 3.4) for row in rows) + 2 * s.u
    x0, y0, x1, y1 = area.x0 + room, area.y0, area.x1 - 8 * s.u, area.y1 - 6 * s.u
    dx, dy = (x1 - x0) / len(columns), (y1 - y0) / len(rows)
    cx, cy, wide = s.between(0, 1), s.between(0, 1), s.between(0.25, 0.6)
    told = len(columns) <= 8 and s.chance(0.4)
    gap = s.pick((0.0, 0.0, 0.4)) * s.u
    values: list[list[float]] = []
    for r, row in enumerate(rows):
        s.text(x0 - s.u, y0 + (r + 0.5) * dy, s.say(row), 3.4, s.theme.muted, anchor="rm")
        values.append([])
        for c in range(len(columns)):
            near = math.exp(-(((c / len(columns) - cx) ** 2 + (r / len(rows) - cy) ** 2) / wide**2))
            value = round(min(1.0, max(0.0, near + s.between(-0.25, 0.25))), 2)
            values[-1].append(value)
            rgb = mixed(low, high, value)
            s.box(
                x0 + c * dx, y0 + r * dy, x0 + (c + 1) * dx - gap, y0 + (r + 1) * dy - gap, fill=rgb, width=0
            )
            if told:
                s.text(
                    x0 + (c + 0.5) * dx,
                    y0 + (r + 0.5) * dy,
                    f"{value * 100:.0f}",
                    3,
                    readable_on(rgb),
                    anchor="mm",
                )
    every = max(1, math.ceil(len(columns) / 10))
    for c in range(0, len(columns), every):
        s.text(x0 + (c + 0.5) * dx, y1 + s.u, s.say(columns[c]), 3.2, s.theme.muted, anchor="mt")
    for i in range(30):
        at = y0 + (y1 - y0) * i / 30
        s.box(x1 + 3 * s.u, at, x1 + 6 * s.u, at + (y1 - y0) / 30, fill=mixed(high, low, i / 30), width=0)
    height, width = number(len(rows)), number(len(columns))
    return s.done(
        [
            Words(f"a heat map of {measure.en}", f"{measure.zh}的热力图"),
            Words(f"a heat map from light to dark in {hue.en}", f"{hue.zh}色阶的热力图"),
            Words(
                f"a heat map with {height.en} rows and {width.en} columns of coloured cells",
                f"{height.zh}行{width.zh}列彩色方格的热力图",
            ),
        ],
        values=values,
        colours=[hue.en],
    )


def _cells(s: Sheet, rows: int, columns: int) -> list[list[str]]:
    by, words = s.pick(GROUPS)
    heads = [s.say(by).capitalize(), *(s.say(word) for word in s.some(COLUMNS, columns - 1))]
    body = []
    for i in range(rows - 1):
        digits = [
            s.pick((f"{s.rng.randrange(1000):,}", f"{s.between(0, 100):.1f}%", f"{s.between(1, 99):.2f}"))
            for _ in heads[1:]
        ]
        body.append([s.say(words[i % len(words)]), *digits])
    return [heads, *body]


def _table(rng: Random, fonts: Fonts, *, kind: str) -> Drawing:
    """``ruled``, ``striped``, or, held out, ``book``: rules above and below only, as in print."""
    s = Sheet(
        rng,
        fonts,
        aspect=rng.choice((1.0, 1.33, 1.6, 2.0, 2.6)),
        kind="serif" if kind == "book" else rng.choice(("sans", "sans", "serif")),
        dark_share=0.1 if kind == "striped" else 0.0,
    )
    u = s.u
    rows, columns = s.pick((4, 5, 6, 8, 10, 12)), s.pick((3, 4, 5, 6))
    cells = _cells(s, rows, columns)
    x0, x1 = 4 * u, s.w - 4 * u
    y0 = 14 * u if s.chance(0.5) else 5 * u
    subject = s.pick(MEASURES)
    if y0 > 6 * u:
        s.text(x0 if s.chance(0.6) else s.w / 2 - 12 * u, 8 * u, s.say(subject).capitalize(), 5.5, bold=True)
    dy = min(10 * u, (s.h - y0 - 4 * u) / rows)
    first = s.between(1.0, 1.8)
    unit = (x1 - x0) / (columns - 1 + first)
    edges = [x0, *(x0 + unit * (first + i) for i in range(columns))]
    colour = s.pick(s.palette)
    y1 = y0 + rows * dy
    filled = kind == "striped" or (kind == "ruled" and s.chance(0.4))
    head_ink = s.theme.ink
    if filled:
        head = colour.rgb if kind == "striped" else s.theme.panel
        head_ink = readable_on(head)
        s.box(x0, y0, x1, y0 + dy, fill=head)
    if kind == "striped":
        for r in range(2, rows, 2):
            s.box(x0, y0 + r * dy, x1, y0 + (r + 1) * dy, fill=mixed(s.theme.paper, colour.rgb, 0.14))
    for r, row in enumerate(cells):
        for c, cell in enumerate(row):
            width = edges[c + 1] - edges[c] - 2 * u
            size = min(4.2, dy / u * 0.55)
            ink = head_ink if r == 0 else s.theme.ink
            if c == 0:
                s.text(edges[c] + u, y0 + (r + 0.5) * dy, cell, size, ink, bold=r == 0, width=width)
            else:
                s.text(
                    edges[c + 1] - u,
                    y0 + (r + 0.5) * dy,
                    cell,
                    size,
                    ink,
                    anchor="rm",
                    bold=r == 0,
                    width=width,
                )
    rule = mixed(s.theme.line, s.theme.ink, s.between(0.1, 0.8))
    if kind == "ruled":
        for r in range(rows + 1):
            s.line([(x0, y0 + r * dy), (x1, y0 + r * dy)], rule, 0.4)
        for x in edges:
            s.line([(x, y0), (x, y1)], rule, 0.4)
    elif kind == "book":
        for y, width in ((y0, 0.9), (y0 + dy, 0.5), (y1, 0.9)):
            s.line([(x0, y), (x1, y)], s.theme.ink, width)
    elif s.chance(0.5):
        s.line([(x0, y1), (x1, y1)], rule, 0.4)
    many, wide = number(rows), number(columns)
    look = {
        "ruled": Words("with ruled lines", "带网格线的"),
        "striped": Words(
            f"with {article(colour.name.en)} header and striped rows", f"{colour.name.zh}表头、隔行着色的"
        ),
        "book": Words("with rules above and below", "三线"),
    }[kind]
    return s.done(
        [
            Words(
                f"a table of {subject.en}" if y0 > 6 * u else "a table of numbers",
                f"{subject.zh}表格" if y0 > 6 * u else "数据表格",
            ),
            Words(f"a table {look.en}", f"{look.zh}表格"),
            Words(f"a table with {many.en} rows and {wide.en} columns", f"{many.zh}行{wide.zh}列的表格"),
        ],
        rows=rows,
        columns=columns,
    )


def renderers() -> list[Renderer]:
    made = []
    for look in LOOKS:
        held_out = look == "news"
        made.append(
            Renderer(f"pie-{look}", "pie chart", "chart", partial(_pie, look=look, ring=False), held_out, 1.1)
        )
        made.append(
            Renderer(
                f"donut-{look}", "donut chart", "chart", partial(_pie, look=look, ring=True), held_out, 0.7
            )
        )
        made.append(Renderer(f"heat-{look}", "heatmap", "chart", partial(_heat, look=look), held_out, 0.6))
    made.append(Renderer("table-ruled", "table", "table", partial(_table, kind="ruled"), weight=1.4))
    made.append(Renderer("table-striped", "table", "table", partial(_table, kind="striped"), weight=1.4))
    made.append(Renderer("table-book", "table", "table", partial(_table, kind="book"), True, 1.6))
    return made
