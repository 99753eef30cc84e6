"""What do the pumps look like, cut open and taken apart?"""

import itertools
from math import cos, pi, radians, sin

import numpy as np
from PIL import Image, ImageFilter

from workers.demo.making.canvas import BLUE, GREY, INK, ORANGE, RED, TEAL, Canvas, Point

STEEL, IRON, BRONZE = "#c4ccd4", "#aab4be", "#d2a45f"


def _callout(canvas: Canvas, number: int, at: Point, balloon: Point) -> None:
    canvas.line([at, balloon], INK, 1.2)
    canvas.circle(*at, 3, INK, None)
    canvas.circle(*balloon, 16, "white", INK, 1.8)
    canvas.text(*balloon, str(number), 16, bold=True, anchor="mm")


def pump_section(*, with_list: bool = True) -> Image.Image:
    """The HX-40 cut along its shaft."""
    canvas = Canvas(1200, 760 if with_list else 560)
    canvas.text(32, 22, "HX-40  Sectional drawing", 24, bold=True)
    canvas.text(32, 58, "Drawing HX40-M-0032 rev. F · dimensions in mm · do not scale", 15, GREY)
    axis = 330.0
    # Volute: above and below the axis, with the discharge nozzle on top.
    canvas.polygon(
        [(170, 190), (330, 190), (350, 240), (350, 420), (330, 486), (170, 486), (150, 420), (150, 240)],
        IRON,
        INK,
        3,
    )
    canvas.box(205, 104, 90, 100, IRON, INK, 3)
    canvas.box(188, 92, 124, 22, IRON, INK, 3)
    canvas.box(60, 278, 100, 104, IRON, INK, 3)
    canvas.box(48, 258, 20, 144, IRON, INK, 3)
    canvas.box(66, 294, 110, 72, "#eaf4fb", None)
    canvas.box(219, 110, 62, 100, "#eaf4fb", None)
    canvas.polygon(
        [(186, 214), (318, 214), (328, 300), (328, 360), (318, 462), (186, 462), (170, 360), (170, 300)],
        "#eaf4fb",
        INK,
        1.5,
    )
    # Impeller: two shrouds with the blade passage between them.
    for side in (-1, 1):
        canvas.polygon(
            [
                (205, axis + side * 24),
                (232, axis + side * 112),
                (250, axis + side * 112),
                (244, axis + side * 30),
            ],
            BRONZE,
            INK,
            2,
        )
        canvas.polygon(
            [
                (262, axis + side * 112),
                (276, axis + side * 112),
                (300, axis + side * 22),
                (268, axis + side * 22),
            ],
            BRONZE,
            INK,
            2,
        )
    canvas.box(350, 226, 44, 210, STEEL, INK, 3)
    # Shaft, sleeve, seal, bearing bracket.
    canvas.box(394, 250, 120, 160, "#f4efe4", INK, 3)
    for x in (420, 462):
        for side in (-1, 1):
            canvas.box(x, axis + (18 if side > 0 else -50), 26, 32, TEAL, INK, 2)
    canvas.box(514, 222, 400, 216, IRON, INK, 3, 10)
    canvas.box(540, 262, 348, 136, "#f6f2dc", INK, 1.5)
    for x in (566, 800):
        for side in (-1, 1):
            canvas.box(x, axis + (22 if side > 0 else -70), 56, 48, STEEL, INK, 2)
            canvas.circle(x + 28, axis + side * 46, 16, "white", INK, 2)
    canvas.box(210, axis - 20, 830, 40, "#dfe5ea", INK, 2.5)
    canvas.box(1040, axis - 60, 60, 120, STEEL, INK, 3)
    canvas.box(640, 438, 60, 78, IRON, INK, 3)
    canvas.box(600, 510, 140, 18, IRON, INK, 3)
    canvas.line([(30, axis), (1140, axis)], RED, 1.2, (22, 6))
    parts = [
        ("Volute casing", (178, 440), (110, 470)),
        ("Impeller, closed", (240, 240), (120, 180)),
        ("Wear ring", (210, 300), (120, 224)),
        ("Casing cover", (372, 250), (372, 160)),
        ("Mechanical seal", (434, 292), (440, 160)),
        ("Shaft 42CrMo4", (700, 330), (700, 180)),
        ("Bearing 6310 C3", (594, 284), (594, 180)),
        ("Bearing 3310 A", (828, 284), (828, 180)),
        ("Bearing bracket", (890, 420), (960, 470)),
        ("Coupling half", (1070, 290), (1070, 190)),
    ]
    for number, (_, at, balloon) in enumerate(parts, 1):
        _callout(canvas, number, at, balloon)
    if with_list:
        for number, (name, _, _) in enumerate(parts, 1):
            column, row = divmod(number - 1, 5)
            canvas.text(80 + column * 420, 570 + row * 34, f"{number}   {name}", 18)
        canvas.text(930, 570, "Inlet DN 65, outlet DN 40", 16, GREY)
        canvas.text(930, 602, "Impeller gap 0.4 ± 0.1", 16, GREY)
        canvas.text(930, 634, "Mass 96 kg", 16, GREY)
    return canvas.finish()


def _wobbly(
    canvas: Canvas, points: list[Point], seed: int, width: float = 2.2, colour: str = "#2b2b33"
) -> None:
    """A line by hand: cut into short pieces, each end a little off, drawn twice."""
    rng = np.random.default_rng(seed)
    for _ in range(2):
        path: list[Point] = []
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            pieces = max(int(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 / 26), 1)
            for piece in range(pieces + 1):
                t = piece / pieces
                path.append(
                    (
                        x0 + (x1 - x0) * t + float(rng.normal(0, 0.9)),
                        y0 + (y1 - y0) * t + float(rng.normal(0, 0.9)),
                    )
                )
        canvas.line(path, colour, width)


def _ring(x: float, y: float, wide: float, tall: float, turn: float = 0) -> list[Point]:
    angles = [radians(degree + turn) for degree in range(0, 366, 6)]
    return [(x + wide * cos(angle), y + tall * sin(angle)) for angle in angles]


def dosing_pump_sketch() -> Image.Image:
    """The DM-12 taken apart, in pencil on squared paper."""
    canvas = Canvas(1150, 640, "#fcfbf5")
    for x in range(0, 1150, 25):
        canvas.line([(x, 0), (x, 640)], "#e3ebee", 1)
    for y in range(0, 640, 25):
        canvas.line([(0, y), (1150, y)], "#e3ebee", 1)
    canvas.text(40, 26, "DM-12 diaphragm pump, exploded view", 26, "#2b2b33", serif=True)
    canvas.text(40, 66, "sketch for assembly training, K. Berg 3/2025", 17, GREY, serif=True)
    axis = 330.0
    _wobbly(canvas, [(50, axis), (1110, axis)], 1, 1, "#9aa4ad")
    _wobbly(canvas, [(70, 230), (230, 230), (230, 430), (70, 430), (70, 230)], 2)
    for y in range(255, 420, 26):
        _wobbly(canvas, [(80, y), (220, y)], y, 1.4)
    _wobbly(canvas, [(230, 316), (290, 316), (290, 344), (230, 344)], 3)
    _wobbly(canvas, _ring(370, axis, 30, 84), 4)
    _wobbly(canvas, _ring(370, axis, 10, 26), 5)
    for degree in range(20, 380, 60):
        _wobbly(
            canvas,
            _ring(500 + 16 * cos(radians(degree)), axis + 78 * sin(radians(degree)), 3, 6),
            degree,
            1.6,
        )
    _wobbly(canvas, _ring(500, axis, 28, 104), 6)
    _wobbly(canvas, _ring(620, axis, 20, 96), 7, 3.4, "#3a5f8a")
    _wobbly(canvas, _ring(632, axis, 12, 60), 8, 1.6, "#3a5f8a")
    _wobbly(canvas, [(740, 220), (850, 220), (850, 440), (740, 440), (740, 220)], 9)
    for y in (196, 150):
        _wobbly(canvas, [(772, y), (818, y), (818, y + 24), (772, y + 24), (772, y)], y)
        _wobbly(canvas, _ring(795, 660 - y - 12, 22, 12), y + 1)
    for y in (260, 300, 360, 400):
        _wobbly(canvas, [(930, y), (1050, y), (1050, y + 10), (930, y + 10), (930, y)], y + 7, 1.6)
        _wobbly(
            canvas, [(1050, y - 7), (1068, y - 7), (1068, y + 17), (1050, y + 17), (1050, y - 7)], y + 9, 1.6
        )
    notes = [
        (86, 460, "motor 0.37 kW"),
        (238, 286, "eccentric"),
        (330, 440, "gear wheel"),
        (452, 462, "intermediate ring"),
        (560, 196, "PTFE diaphragm"),
        (752, 280, "dosing\nhead\nPVDF"),
        (836, 150, "check valve, outlet"),
        (836, 500, "check valve, inlet"),
        (918, 440, "4 × M8  tighten 12 Nm"),
    ]
    for x, y, words in notes:
        canvas.text(x, y, words, 18, "#2b2b33", serif=True)
    canvas.text(
        40,
        580,
        "Change the diaphragm every 8,000 h. Convex side towards the dosing head!",
        20,
        RED,
        serif=True,
    )
    return canvas.finish().filter(ImageFilter.GaussianBlur(0.4))


def diaphragm_head(*, chinese: bool) -> Image.Image:
    """A small figure for the dosing pump's manual: the head in section, with its two check valves."""
    names = (
        ("出口单向阀", "隔膜", "泵头", "入口单向阀", "推杆")
        if chinese
        else ("outlet valve", "diaphragm", "dosing head", "inlet valve", "push rod")
    )
    canvas = Canvas(760, 440)
    canvas.box(260, 120, 150, 200, STEEL, INK, 3, 8)
    canvas.box(330, 160, 80, 120, "#eaf4fb", INK, 2, 30)
    for y in (54, 320):
        canvas.box(340, y, 60, 66, STEEL, INK, 3)
        canvas.circle(370, y + 40, 13, ORANGE, INK, 2)
    canvas.polygon([(410, 150), (422, 170), (428, 220), (422, 270), (410, 290)], BLUE, INK, 2)
    canvas.box(428, 204, 180, 32, "#dfe5ea", INK, 2)
    canvas.box(424, 130, 18, 180, IRON, INK, 2)
    canvas.arrow((370, 426), (370, 392), TEAL, 4, 14)
    canvas.arrow((370, 48), (370, 12), TEAL, 4, 14)
    canvas.arrow((560, 260), (500, 260), RED, 3, 12)
    canvas.arrow((500, 260), (560, 260), RED, 3, 12)
    for words, at, end in zip(
        names,
        ((400, 90), (424, 180), (280, 220), (400, 360), (560, 206)),
        ((520, 80), (520, 140), (150, 220), (520, 380), (620, 160)),
        strict=True,
    ):
        canvas.line([at, end], GREY, 1.3)
        canvas.text(
            end[0] + (6 if end[0] > 300 else -6), end[1], words, 19, anchor="lm" if end[0] > 300 else "rm"
        )
    return canvas.finish()


def gauge(canvas: Canvas, x: float, y: float, radius: float, value: float, top: float, unit: str) -> None:
    """A dial: 0 at lower left, `top` at lower right, the needle at `value`."""
    canvas.circle(x, y, radius, "#2c3238", "#15181b", 4)
    canvas.circle(x, y, radius * 0.9, "#fbfbf8", "#8b949c", 2)
    for step in range(0, 51):
        angle = (135 + 270 * step / 50) * pi / 180
        inner = 0.72 if step % 5 == 0 else 0.79
        canvas.line(
            [
                (x + radius * inner * cos(angle), y + radius * inner * sin(angle)),
                (x + radius * 0.84 * cos(angle), y + radius * 0.84 * sin(angle)),
            ],
            RED if step > 40 else INK,
            3 if step % 5 == 0 else 1.5,
        )
        if step % 5 == 0:
            canvas.text(
                x + radius * 0.58 * cos(angle),
                y + radius * 0.58 * sin(angle),
                f"{top * step / 50:g}",
                radius * 0.115,
                bold=True,
                anchor="mm",
            )
    canvas.text(x, y + radius * 0.3, unit, radius * 0.14, anchor="mm")
    canvas.text(x, y - radius * 0.3, "HALDEN", radius * 0.1, BLUE, bold=True, anchor="mm")
    angle = (135 + 270 * value / top) * pi / 180
    across = angle + pi / 2
    canvas.polygon(
        [
            (x + radius * 0.74 * cos(angle), y + radius * 0.74 * sin(angle)),
            (x + radius * 0.04 * cos(across), y + radius * 0.04 * sin(across)),
            (x - radius * 0.18 * cos(angle), y - radius * 0.18 * sin(angle)),
            (x - radius * 0.04 * cos(across), y - radius * 0.04 * sin(across)),
        ],
        "#17191c",
        None,
    )
    canvas.circle(x, y, radius * 0.07, "#17191c", None)
