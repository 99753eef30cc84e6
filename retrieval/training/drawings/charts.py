"""How are charts with two axes drawn: lines, bars, areas, points, distributions?"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

from retrieval.training.drawings.chart_frame import LOOKS, Frame, written
from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.palette import Colour, mixed, readable_on
from retrieval.training.drawings.registry import Renderer
from retrieval.training.drawings.sheet import Drawing, Sheet
from retrieval.training.drawings.trends import TRENDS, numbers, trend_of
from retrieval.training.drawings.words import (
    GROUPS,
    MEASURES,
    MONTHS,
    PERIODS,
    PRODUCTS,
    REGIONS,
    YEARS,
    Words,
    article,
    listed,
    number,
)


def _time(s: Sheet, count: int) -> tuple[Words, list[Words]]:
    """A time axis of ``count`` steps with its unit."""
    if count <= 7:
        unit, words = s.pick(PERIODS)
        start = s.rng.randrange(len(words) - count + 1)
        return unit, list(words[start : start + count])
    if count <= 12:
        return PERIODS[0][0], list(MONTHS[:count])
    if count <= len(YEARS):
        return PERIODS[2][0], list(YEARS[len(YEARS) - count :])
    return Words("day", "日"), [Words(str(i + 1), str(i + 1)) for i in range(count)]


def _titled(s: Sheet, measure: Words, by: Words) -> Words:
    return s.pick(
        (
            Words(f"{measure.en.capitalize()} by {by.en}", f"各{by.zh}{measure.zh}"),
            Words(measure.en.capitalize(), measure.zh),
        )
    )


def _many_series(s: Sheet, trend: str, count: int, points: int) -> tuple[list[list[float]], list[str], Words]:
    """Series with the sentence part about how they go."""
    if count == 2 and trend in ("rising", "falling") and s.chance(0.4):
        other = "falling" if trend == "rising" else "rising"
        series = [numbers(s.rng, trend, points), numbers(s.rng, other, points)]
        series[1] = [value / max(series[1]) * max(series[0]) for value in series[1]]
        words = Words("one rising and the other falling", "一条上升,另一条下降")
    else:
        series = [numbers(s.rng, trend, points) for _ in range(count)]
        top = max(series[0])
        for i in range(1, count):
            size = s.between(0.35, 1.0)
            series[i] = [value / max(series[i]) * top * size for value in series[i]]
        base = TRENDS[trend]
        if count == 1:
            words = base
        elif count == 2:
            words = Words(f"both {base.en}", f"两者均{base.zh}")
        else:
            words = Words(f"all {base.en}", f"全部{base.zh}")
    series = [[round(value, 6) for value in values] for values in series]
    return series, [trend_of(values) for values in series], words


def _named(s: Sheet, count: int) -> list[Words]:
    return s.some(s.pick((REGIONS, PRODUCTS)), count)


def _coloured(colours: Sequence[Colour]) -> Words:
    return listed(list(dict.fromkeys(colour.name for colour in colours)))


def _trend_sentences(
    s: Sheet, label: Words, measure: Words, unit: Words, count: int, how: Words, colours: Sequence[Colour]
) -> list[Words]:
    a = article(label.en)
    series = number(count)
    coloured = _coloured(colours)
    return [
        s.pick(
            (
                Words(
                    f"{a} of {measure.en} by {unit.en}, {how.en}",
                    f"按{unit.zh}显示{measure.zh}的{label.zh},{how.zh}",
                ),
                Words(f"{a} showing {measure.en} {how.en}", f"显示{measure.zh}{how.zh}的{label.zh}"),
            )
        ),
        Words(
            f"{a} with {series.en} series in {coloured.en}, {how.en}"
            if count != 1
            else f"{a} with one {coloured.en} series, {how.en}",
            f"含{series.zh}个数据系列的{label.zh},颜色为{coloured.zh},{how.zh}",
        ),
        Words(f"{a} {s.manner().en}", f"{label.zh},{s.manner().zh}"),
    ]


def _trend_chart(
    rng: Random,
    fonts: Fonts,
    *,
    look: str,
    label: Words,
    counts: Sequence[int],
    points: Sequence[int],
    mark: Callable[[Frame, list[list[float]], list[Colour]], None],
    flat_low: bool = False,
) -> Drawing:
    """A chart over time: the marks differ, the frame and the sentences do not."""
    frame = Frame(rng, fonts, look)
    s = frame.sheet
    trend = s.pick(tuple(TRENDS))
    count, steps = s.pick(counts), s.pick(points)
    if trend == "seasonal":
        steps = max(steps, 12)
    series, trends, how = _many_series(s, trend, count, steps)
    measure = s.pick(MEASURES)
    unit, labels = _time(s, steps)
    colours = s.colours(count)
    names = _named(s, count)
    frame.begin(_titled(s, measure, unit), legend=list(zip(names, colours, strict=True)) if count > 1 else ())
    top = max(map(max, series)) * s.between(1.02, 1.2)
    bottom = min(map(min, series))
    low = 0.0 if not flat_low or trend == "flat" or s.chance(0.6) else bottom - (top - bottom) * 0.08
    frame.axes(top, [s.say(w) for w in labels], low=max(0.0, low), names=(s.say(unit), s.say(measure)))
    mark(frame, series, colours)
    return s.done(
        _trend_sentences(s, label, measure, unit, count, how, colours),
        values=series,
        trends=trends,
        colours=[colour.name.en for colour in colours],
    )


def _mark_line(frame: Frame, series: list[list[float]], colours: list[Colour], *, dots: bool = False) -> None:
    s, area = frame.sheet, frame.area
    width = {"plain": s.between(0.6, 1.1), "news": 1.8}.get(frame.look, s.between(0.8, 1.6))
    shape = s.pick(("round", "square", "diamond"))
    only_dots = dots and s.chance(0.4)
    for values, colour in zip(series, colours, strict=True):
        points = [(area.slot(i, len(values)), area.at(v)) for i, v in enumerate(values)]
        if not only_dots:
            s.line(points, colour.rgb, width)
        if dots:
            r = s.between(1.0, 1.8) * s.u
            for x, y in points:
                if shape == "round":
                    s.round(x, y, r, fill=colour.rgb)
                elif shape == "square":
                    s.box(x - r, y - r, x + r, y + r, fill=colour.rgb)
                else:
                    s.shape([(x - r, y), (x, y - r), (x + r, y), (x, y + r)], fill=colour.rgb)


def _mark_area(frame: Frame, series: list[list[float]], colours: list[Colour]) -> None:
    s, area = frame.sheet, frame.area
    count = len(series[0])
    base = [0.0] * count
    below = area.at(area.low)
    for values, colour in zip(series, colours, strict=True):
        tops = [b + v for b, v in zip(base, values, strict=True)]
        edge = [(area.slot(i, count), area.at(v)) for i, v in enumerate(tops)]
        floor = [(area.slot(i, count), min(below, area.at(v))) for i, v in enumerate(base)]
        s.shape(
            [*edge, *floor[::-1]], fill=mixed(colour.rgb, s.theme.paper, 0.25 if len(series) > 1 else 0.45)
        )
        s.line(edge, colour.rgb, 0.9)
        base = tops


def _area(rng: Random, fonts: Fonts, *, look: str) -> Drawing:
    """An area stands on zero; several are stacked, so the axis reaches their sum."""
    label = Words("area chart", "面积图")
    frame = Frame(rng, fonts, look)
    s = frame.sheet
    trend = s.pick(("rising", "falling", "flat", "peak", "seasonal"))
    count = s.pick((1, 1, 1, 2, 3))
    steps = s.pick((8, 12, 18, 30))
    if trend == "seasonal":
        steps = max(steps, 12)
    series = [numbers(s.rng, trend, steps)]
    for _ in range(count - 1):
        # The same course at another size, so that the stack goes the same way as each of its layers.
        size = s.between(0.3, 0.9)
        series.append([round(value * size, 6) for value in series[0]])
    total = [sum(values) for values in zip(*series, strict=True)]
    how = TRENDS[trend]
    measure = s.pick(MEASURES)
    unit, labels = _time(s, steps)
    colours = s.colours(count)
    frame.begin(
        _titled(s, measure, unit),
        legend=list(zip(_named(s, count), colours, strict=True)) if count > 1 else (),
    )
    frame.axes(
        max(total) * s.between(1.02, 1.2), [s.say(w) for w in labels], names=(s.say(unit), s.say(measure))
    )
    _mark_area(frame, series, colours)
    stacked = Words("stacked area chart", "堆积面积图") if count > 1 else label
    return s.done(
        _trend_sentences(s, stacked, measure, unit, count, how, colours),
        values=series,
        trends=[trend_of(values) for values in series],
        colours=[colour.name.en for colour in colours],
    )


def _mark_bars(frame: Frame, series: list[list[float]], colours: list[Colour]) -> None:
    s, area = frame.sheet, frame.area
    count = len(series[0])
    slot = area.slot_width(count)
    part = slot * s.between(0.5, 0.85) / len(series)
    radius = s.between(0, 1.5) if frame.look == "web" else 0
    edge = s.theme.ink if frame.look == "plain" and s.chance(0.15) else None
    for n, (values, colour) in enumerate(zip(series, colours, strict=True)):
        for i, value in enumerate(values):
            start = area.slot(i, count) + (n - len(series) / 2) * part
            zero, at = area.at(area.low), area.at(value)
            if area.sideways:
                s.box(zero, start, at, start + part * 0.94, fill=colour.rgb, outline=edge, radius=radius)
            else:
                s.box(start, at, start + part * 0.94, zero, fill=colour.rgb, outline=edge, radius=radius)


def _bars(rng: Random, fonts: Fonts, *, look: str, sideways: bool) -> Drawing:
    """Bars of categories: which is the highest, or over time: which way they go."""
    label = Words("horizontal bar chart", "条形图") if sideways else Words("vertical bar chart", "柱状图")
    if not sideways and rng.random() < 0.5:
        return _trend_chart(
            rng, fonts, look=look, label=label, counts=(1,), points=(5, 6, 7, 10, 12, 18), mark=_mark_bars
        )
    frame = Frame(rng, fonts, look)
    s = frame.sheet
    by, words = s.pick(GROUPS)
    names = s.some(words, s.pick((3, 4, 5, 6, 7, 8)))
    top = s.pick((1, 10, 50, 100, 800, 5000)) * s.between(0.7, 1.0)
    values = [round(top * s.between(0.12, 0.9), 3) for _ in names]
    values[s.rng.randrange(len(values))] = round(top, 3)
    ordered = s.chance(0.35)
    if ordered:
        values.sort(reverse=True)
    measure = s.pick(MEASURES)
    each = s.chance(0.3)
    colours = [s.palette[i % len(s.palette)] for i in range(len(names))] if each else s.colours(1)
    frame.begin(_titled(s, measure, by))
    area = frame.axes(
        top * s.between(1.02, 1.15),
        [s.say(w) for w in names],
        sideways=sideways,
        names=(s.say(measure), s.say(by)) if sideways else (s.say(by), s.say(measure)),
    )
    if each:
        slot = area.slot_width(len(names)) * s.between(0.5, 0.85)
        for i, (value, colour) in enumerate(zip(values, colours, strict=True)):
            middle = area.slot(i, len(names))
            if sideways:
                s.box(area.x0, middle - slot / 2, area.at(value), middle + slot / 2, fill=colour.rgb)
            else:
                s.box(middle - slot / 2, area.at(value), middle + slot / 2, area.y1, fill=colour.rgb)
    else:
        _mark_bars(frame, [values], colours)
    if s.chance(0.25):
        for i, value in enumerate(values):
            middle = area.slot(i, len(names))
            if sideways:
                s.text(area.at(value) + s.u, middle, written(value), 3)
            else:
                s.text(middle, area.at(value) - s.u, written(value), 3, anchor="mb")
    best = names[values.index(max(values))]
    a, bars = article(label.en), number(len(names))
    coloured = Words("many colours", "多种颜色") if each else colours[0].name
    sentences = [
        Words(f"{a} of {measure.en} by {by.en}", f"各{by.zh}{measure.zh}的{label.zh}"),
        Words(
            f"{a} with {bars.en} bars in {coloured.en}, the {'longest' if sideways else 'tallest'} for {best.en}",
            f"含{bars.zh}根{coloured.zh}柱条的{label.zh},{best.zh}最高",
        ),
        Words(f"{a} {s.manner().en}", f"{label.zh},{s.manner().zh}"),
    ]
    if ordered:
        sentences.append(Words(f"{a} sorted from high to low", f"从高到低排列的{label.zh}"))
    return s.done(
        sentences,
        values=values,
        highest=best.en,
        ordered=ordered,
        colours=[colour.name.en for colour in dict.fromkeys(colours)],
    )


def _several_bars(rng: Random, fonts: Fonts, *, look: str, stacked: bool) -> Drawing:
    frame = Frame(rng, fonts, look)
    s = frame.sheet
    by, words = s.pick((*GROUPS[:4], *PERIODS))
    names = (
        list(words[: s.pick((4, 5, 6))])
        if by.en in ("month", "year", "weekday")
        else s.some(words, s.pick((3, 4, 5)))
    )
    count = s.pick((2, 3, 4)) if stacked else s.pick((2, 2, 3))
    sideways = s.chance(0.3)
    label = Words("stacked bar chart", "堆积柱状图") if stacked else Words("grouped bar chart", "分组柱状图")
    measure = s.pick(MEASURES)
    top = s.pick((1, 10, 100, 800, 5000)) * s.between(0.7, 1.0)
    series = [[round(top * s.between(0.15, 1.0), 3) for _ in names] for _ in range(count)]
    colours, parts = s.colours(count), _named(s, count)
    frame.begin(_titled(s, measure, by), legend=list(zip(parts, colours, strict=True)))
    whole = stacked and s.chance(0.2)
    if whole:
        sums = [sum(values) for values in zip(*series, strict=True)]
        series = [
            [round(100 * v / total, 3) for v, total in zip(values, sums, strict=True)] for values in series
        ]
    reach = max(map(sum, zip(*series, strict=True))) if stacked else max(map(max, series))
    area = frame.axes(reach * (1.0 if whole else 1.08), [s.say(w) for w in names], sideways=sideways)
    if stacked:
        thick = area.slot_width(len(names)) * s.between(0.45, 0.8)
        for i in range(len(names)):
            start = 0.0
            middle = area.slot(i, len(names))
            for values, colour in zip(series, colours, strict=True):
                begin, end = area.at(start), area.at(start + values[i])
                if sideways:
                    s.box(begin, middle - thick / 2, end, middle + thick / 2, fill=colour.rgb)
                else:
                    s.box(middle - thick / 2, end, middle + thick / 2, begin, fill=colour.rgb)
                start += values[i]
    else:
        _mark_bars(frame, series, colours)
    a, many = article(label.en), number(count)
    lying = Words("horizontal ", "横向") if sideways else Words("", "")
    coloured = _coloured(colours)
    return s.done(
        [
            Words(f"{a} of {measure.en} by {by.en}", f"各{by.zh}{measure.zh}的{label.zh}"),
            Words(
                f"{article(lying.en + label.en)} with {many.en} series in {coloured.en}",
                f"{lying.zh}{label.zh},含{many.zh}个系列,颜色为{coloured.zh}",
            ),
            Words(
                f"{a} comparing {listed(parts).en} by {by.en}", f"按{by.zh}比较{listed(parts).zh}的{label.zh}"
            ),
        ],
        values=series,
        colours=[colour.name.en for colour in colours],
    )


def _scatter(rng: Random, fonts: Fonts, *, look: str) -> Drawing:
    frame = Frame(rng, fonts, look)
    s = frame.sheet
    course = s.pick(("rising", "falling", "none"))
    count, groups = s.pick((30, 60, 120, 250)), s.pick((1, 1, 2, 3))
    first, second = s.some(MEASURES, 2)
    colours = s.colours(groups)
    frame.begin(
        Words(f"{first.en} / {second.en}", f"{first.zh}与{second.zh}"),
        legend=list(zip(_named(s, groups), colours, strict=True)) if groups > 1 else (),
    )
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    top = s.pick((1, 10, 100))
    area = frame.axes(
        top, [written(t * top) for t in ticks], ticks_x=ticks, names=(s.say(first), s.say(second))
    )
    spread = s.between(0.05, 0.12)
    size = s.between(0.8, 1.7) * s.u * (0.7 if count > 100 else 1)
    bubbles = s.chance(0.15)
    hollow = s.chance(0.25)
    slope = s.between(0.6, 0.85)
    xs, ys = [], []
    for i in range(count):
        group = i % groups
        if course == "none":
            x, y = s.between(0.04, 0.96), s.between(0.04, 0.96)
        else:
            x = s.between(0.03, 0.97)
            level = 0.5 + slope * (x - 0.5) * (1 if course == "rising" else -1)
            y = level + rng.gauss(0, spread) + (group - (groups - 1) / 2) * 0.08
            y = min(0.98, max(0.02, y))
        xs.append(round(x, 3))
        ys.append(round(y, 3))
        r = size * (s.between(0.7, 3.0) if bubbles else 1)
        rgb = colours[group].rgb
        s.round(
            area.x0 + x * (area.x1 - area.x0),
            area.y1 - y * (area.y1 - area.y0),
            r,
            fill=None if hollow else rgb,
            outline=rgb,
            width=0.5,
        )
    if course != "none" and s.chance(0.3):
        ends = [(t, 0.5 + slope * (t - 0.5) * (1 if course == "rising" else -1)) for t in (0.02, 0.98)]
        s.line(
            [(area.x0 + x * (area.x1 - area.x0), area.y1 - y * (area.y1 - area.y0)) for x, y in ends],
            s.theme.ink,
            0.6,
        )
    how = {
        "rising": Words("rising together", "呈正相关"),
        "falling": Words("one falling as the other rises", "呈负相关"),
        "none": Words("with no relation", "无明显关系"),
    }[course]
    coloured = _coloured(colours)
    return s.done(
        [
            Words(
                f"a scatter plot of {first.en} against {second.en}, {how.en}",
                f"{first.zh}与{second.zh}的散点图,{how.zh}",
            ),
            Words(
                f"a scatter plot with points in {coloured.en}, {how.en}",
                f"散点图,点的颜色为{coloured.zh},{how.zh}",
            ),
            Words(f"a scatter plot {s.manner().en}", f"散点图,{s.manner().zh}"),
        ],
        course=course,
        x=xs,
        y=ys,
        colours=[colour.name.en for colour in colours],
    )


def _histogram(rng: Random, fonts: Fonts, *, look: str) -> Drawing:
    frame = Frame(rng, fonts, look)
    s = frame.sheet
    shape = s.pick(("bell", "right", "left", "two"))
    bins = s.pick((10, 14, 18, 24, 32))
    values = []
    for i in range(bins):
        t = (i + 0.5) / bins
        height = {
            "bell": math.exp(-(((t - 0.5) / 0.2) ** 2)),
            "right": math.exp(-(((t - 0.15) / (0.1 if t < 0.15 else 0.32)) ** 2)),
            "left": math.exp(-(((t - 0.85) / (0.1 if t > 0.85 else 0.32)) ** 2)),
            "two": math.exp(-(((t - 0.25) / 0.11) ** 2)) + 0.8 * math.exp(-(((t - 0.75) / 0.11) ** 2)),
        }[shape]
        values.append(round(100 * max(0.01, height * s.between(0.88, 1.12)), 1))
    measure = s.pick(MEASURES)
    colour = s.colours(1)[0]
    frame.begin(
        s.pick((Words(f"Distribution of {measure.en}", f"{measure.zh}分布"), Words("Histogram", "直方图")))
    )
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    top = s.pick((4, 20, 100, 400))
    area = frame.axes(
        max(values) * 1.08,
        [written(t * top) for t in ticks],
        ticks_x=ticks,
        names=(s.say(measure), s.say(Words("count", "频数"))),
    )
    # Bars of a histogram touch: a thin edge at most keeps them apart.
    edge = s.pick((None, s.theme.paper, s.theme.ink))
    for i, value in enumerate(values):
        x = area.x0 + (area.x1 - area.x0) * i / bins
        s.box(
            x,
            area.at(value),
            x + (area.x1 - area.x0) / bins,
            area.y1,
            fill=colour.rgb,
            outline=edge,
            width=0.3,
        )
    if s.chance(0.3):
        s.line([(area.slot(i, bins), area.at(v)) for i, v in enumerate(values)], s.theme.ink, 0.7)
    how = {
        "bell": Words("bell-shaped", "呈钟形分布"),
        "right": Words("with a long tail to the right", "向右拖尾"),
        "left": Words("with a long tail to the left", "向左拖尾"),
        "two": Words("with two peaks", "有两个峰"),
    }[shape]
    return s.done(
        [
            Words(
                f"a histogram of the distribution of {measure.en}, {how.en}",
                f"{measure.zh}分布的直方图,{how.zh}",
            ),
            Words(f"{article(colour.name.en)} histogram {how.en}", f"{colour.name.zh}直方图,{how.zh}"),
            Words(f"a histogram {s.manner().en}", f"直方图,{s.manner().zh}"),
        ],
        shape=shape,
        values=values,
        colours=[colour.name.en],
    )


def _box_plot(rng: Random, fonts: Fonts, *, look: str) -> Drawing:
    frame = Frame(rng, fonts, look)
    s = frame.sheet
    by, words = s.pick(GROUPS)
    names = s.some(words, s.pick((3, 4, 5, 6)))
    measure, colour = s.pick(MEASURES), s.colours(1)[0]
    frame.begin(_titled(s, measure, by))
    sideways = s.chance(0.3)
    area = frame.axes(100, [s.say(w) for w in names], sideways=sideways)
    thick = area.slot_width(len(names)) * s.between(0.3, 0.6) / 2
    medians = []

    def place(along: float, across: float) -> tuple[float, float]:
        return (along, across) if sideways else (across, along)

    for i in range(len(names)):
        low, high = s.between(5, 30), s.between(70, 98)
        first, third = s.between(low + 5, 45), s.between(52, high - 5)
        median = s.between(first + 2, third - 2)
        medians.append(round(median, 1))
        middle = area.slot(i, len(names))
        ends = [area.at(v) for v in (low, first, median, third, high)]
        s.line([place(ends[0], middle), place(ends[4], middle)], s.theme.ink, 0.5)
        for end in (ends[0], ends[4]):
            s.line([place(end, middle - thick / 2), place(end, middle + thick / 2)], s.theme.ink, 0.5)
        (ax, ay), (bx, by_) = place(ends[1], middle - thick), place(ends[3], middle + thick)
        s.box(ax, ay, bx, by_, fill=colour.rgb, outline=s.theme.ink, width=0.5)
        s.line([place(ends[2], middle - thick), place(ends[2], middle + thick)], readable_on(colour.rgb), 0.8)
        for _ in range(s.rng.randrange(3)):
            x, y = place(area.at(s.pick((low - 4, high + 1))), middle)
            s.round(x, y, 0.7 * s.u, outline=s.theme.ink)
    count = number(len(names))
    return s.done(
        [
            Words(f"a box plot of {measure.en} by {by.en}", f"各{by.zh}{measure.zh}的箱线图"),
            Words(
                f"a box plot with {count.en} boxes in {colour.name.en} and whiskers",
                f"含{count.zh}个{colour.name.zh}箱体的箱线图",
            ),
        ],
        medians=medians,
        colours=[colour.name.en],
    )


def renderers() -> list[Renderer]:
    """Each kind in each look; the newspaper's look is held out."""
    line = Words("line chart", "折线图")
    dotted = Words("line chart with dot markers", "带标记点的折线图")
    kinds: list[tuple[str, str, float, Callable[..., Drawing], dict[str, Any]]] = [
        (
            "line",
            line.en,
            1.6,
            _trend_chart,
            {
                "label": line,
                "counts": (1, 1, 1, 2, 3, 4),
                "points": (6, 8, 12, 18, 40),
                "mark": _mark_line,
                "flat_low": True,
            },
        ),
        (
            "dotted-line",
            dotted.en,
            0.8,
            _trend_chart,
            {
                "label": dotted,
                "counts": (1, 1, 2, 3, 5),
                "points": (6, 8, 12, 16),
                "mark": partial(_mark_line, dots=True),
                "flat_low": True,
            },
        ),
        ("vertical-bars", "vertical bar chart", 1.4, _bars, {"sideways": False}),
        ("horizontal-bars", "horizontal bar chart", 1.1, _bars, {"sideways": True}),
        ("stacked-bars", "stacked bar chart", 0.9, _several_bars, {"stacked": True}),
        ("grouped-bars", "grouped bar chart", 0.9, _several_bars, {"stacked": False}),
        ("area", "area chart", 1.0, _area, {}),
        ("scatter", "scatter plot", 1.0, _scatter, {}),
        ("histogram", "histogram", 0.8, _histogram, {}),
        ("box", "box plot", 0.5, _box_plot, {}),
    ]
    return [
        Renderer(f"{name}-{look}", label, "chart", partial(draw, look=look, **more), look == "news", weight)
        for name, label, weight, draw, more in kinds
        for look in LOOKS
    ]
