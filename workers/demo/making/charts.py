"""How does a table of numbers become a chart? Bars, lines, a pie, in one house style."""

from collections.abc import Mapping, Sequence
from math import cos, pi, sin

from PIL import Image

from workers.demo.making.canvas import BLUE, GREEN, GREY, INK, LINE, ORANGE, RED, TEAL, YELLOW, Canvas, Point

COLOURS = (BLUE, ORANGE, TEAL, RED, GREEN, YELLOW, GREY)
LEFT, TOP, RIGHT, BOTTOM = 84, 132, 32, 76


def _frame(canvas: Canvas, title: str, subtitle: str, ticks: Sequence[float], y_label: str) -> None:
    canvas.text(28, 20, title, 24, bold=True)
    canvas.text(28, 56, subtitle, 15, GREY)
    height = canvas.height - TOP - BOTTOM
    for tick in ticks:
        y = TOP + height * (1 - (tick - ticks[0]) / (ticks[-1] - ticks[0]))
        canvas.line([(LEFT, y), (canvas.width - RIGHT, y)], LINE, 1)
        canvas.text(LEFT - 10, y, f"{tick:g}", 14, GREY, anchor="rm")
    canvas.text(28, TOP - 40, y_label, 14, GREY)


def _legend(canvas: Canvas, names: Sequence[str], y: float) -> None:
    x = canvas.width - RIGHT - sum(canvas.text_width(name, 14) + 44 for name in names) + 20
    for name, colour in zip(names, COLOURS, strict=False):
        canvas.box(x, y + 3, 14, 14, colour, None)
        canvas.text(x + 21, y, name, 14)
        x += canvas.text_width(name, 14) + 44


def bar_chart(
    title: str,
    subtitle: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float]],
    ticks: Sequence[float],
    y_label: str,
    *,
    size: tuple[int, int] = (900, 560),
) -> Image.Image:
    canvas = Canvas(*size)
    _frame(canvas, title, subtitle, ticks, y_label)
    height = canvas.height - TOP - BOTTOM
    group = (canvas.width - LEFT - RIGHT) / len(labels)
    bar = min(group * 0.72 / len(series), 64)
    for index, label in enumerate(labels):
        middle = LEFT + group * (index + 0.5)
        canvas.text(middle, canvas.height - BOTTOM + 12, label, 15, anchor="ma")
        for number, values in enumerate(series.values()):
            top = height * (values[index] - ticks[0]) / (ticks[-1] - ticks[0])
            x = middle - bar * len(series) / 2 + bar * number
            canvas.box(x + 2, TOP + height - top, bar - 4, top, COLOURS[number], None)
            canvas.text(x + bar / 2, TOP + height - top - 6, f"{values[index]:g}", 13, anchor="mb")
    canvas.line([(LEFT, TOP + height), (canvas.width - RIGHT, TOP + height)], INK, 1.5)
    if len(series) > 1:
        _legend(canvas, list(series), canvas.height - 34)
    return canvas.finish()


def line_chart(
    title: str,
    subtitle: str,
    x_ticks: Sequence[tuple[float, str]],
    y_ticks: Sequence[float],
    series: Mapping[str, Sequence[Point]],
    x_label: str,
    y_label: str,
    *,
    marks: Sequence[tuple[Point, str]] = (),
    marks_below: bool = False,
    size: tuple[int, int] = (900, 560),
) -> Image.Image:
    canvas = Canvas(*size)
    _frame(canvas, title, subtitle, y_ticks, y_label)
    height, width = canvas.height - TOP - BOTTOM, canvas.width - LEFT - RIGHT
    first, last = x_ticks[0][0], x_ticks[-1][0]

    def place(point: Point) -> Point:
        x = LEFT + width * (point[0] - first) / (last - first)
        return x, TOP + height * (1 - (point[1] - y_ticks[0]) / (y_ticks[-1] - y_ticks[0]))

    for value, label in x_ticks:
        x = place((value, y_ticks[0]))[0]
        canvas.line([(x, TOP + height), (x, TOP + height + 6)], GREY, 1)
        canvas.text(x, TOP + height + 9, label, 14, GREY, anchor="ma")
    canvas.line([(LEFT, TOP), (LEFT, TOP + height), (canvas.width - RIGHT, TOP + height)], INK, 1.5)
    for (_, points), colour in zip(series.items(), COLOURS, strict=False):
        canvas.line([place(point) for point in points], colour, 2.5)
    for point, label in marks:
        x, y = place(point)
        canvas.circle(x, y, 6, "white", RED, 2.5)
        canvas.text(
            x + 11,
            y + (12 if marks_below else -9),
            label,
            14,
            RED,
            bold=True,
            anchor="la" if marks_below else "ls",
        )
    canvas.text(LEFT + width * 0.36, canvas.height - 38, x_label, 14, GREY, anchor="ma")
    if len(series) > 1:
        _legend(canvas, list(series), canvas.height - 34)
    return canvas.finish()


def pie_chart(
    title: str, subtitle: str, shares: Mapping[str, float], *, size: tuple[int, int] = (820, 520)
) -> Image.Image:
    canvas = Canvas(*size)
    canvas.text(28, 20, title, 24, bold=True)
    canvas.text(28, 56, subtitle, 15, GREY)
    x, y, radius = 240.0, size[1] / 2 + 38, 170.0
    angle, row = -90.0, y - 22.0 * len(shares)
    for (name, share), colour in zip(shares.items(), COLOURS, strict=False):
        sweep = 360 * share / sum(shares.values())
        canvas.slice(x, y, radius, angle, angle + sweep, colour)
        middle = (angle + sweep / 2) * pi / 180
        if share >= 7:
            where = (x + radius * 0.66 * cos(middle), y + radius * 0.66 * sin(middle))
            canvas.text(*where, f"{share:g}%", 16, "white", bold=True, anchor="mm")
        canvas.box(480, row + 3, 16, 16, colour, None)
        canvas.text(506, row, f"{name}  {share:g}%", 17)
        angle, row = angle + sweep, row + 44
    return canvas.finish()
