"""How are maps and floor plans drawn?"""

import math
from functools import partial
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.palette import LIGHT, Rgb, Theme, mixed
from retrieval.training.drawings.registry import Renderer
from retrieval.training.drawings.sheet import Drawing, Point, Sheet
from retrieval.training.drawings.words import (
    CITIES,
    MEASURES,
    ROOMS,
    Words,
    number,
)

_WATER: tuple[Rgb, ...] = ((170, 211, 223), (160, 200, 240), (205, 225, 240), (150, 190, 215))


def _wobbly(s: Sheet, x: float, y: float, rx: float, ry: float, rough: float = 0.25) -> list[Point]:
    """The outline of a coast about (x, y)."""
    waves = [(s.rng.randrange(2, 9), s.between(0, math.tau), s.between(0, rough)) for _ in range(5)]
    points = []
    for i in range(72):
        a = i * math.tau / 72
        r = 1 + sum(size / 2 * math.sin(n * a + phase) for n, phase, size in waves)
        points.append((x + rx * r * math.cos(a), y + ry * r * math.sin(a)))
    return points


def _pin(s: Sheet, x: float, y: float, size: float, rgb: Rgb) -> None:
    r = size * s.u
    s.shape([(x - r * 0.8, y - r * 1.6), (x + r * 0.8, y - r * 1.6), (x, y)], fill=rgb)
    s.round(x, y - r * 2, r, fill=rgb)
    s.round(x, y - r * 2, r * 0.4, fill=(255, 255, 255))


def _region_map(rng: Random, fonts: Fonts) -> Drawing:
    """A country of regions, shaded by a number."""
    s = Sheet(rng, fonts, aspect=rng.choice((0.8, 1.0, 1.33, 1.6)))
    u, base = s.u, s.pick(s.palette)
    measure, count = s.pick(MEASURES), s.pick((8, 12, 20, 35, 50))
    coast = _wobbly(s, s.w * 0.47, s.h * 0.54, s.w * 0.34, s.h * 0.34)
    mask = Image.new("L", (s.w, s.h))
    ImageDraw.Draw(mask).polygon(coast, fill=255)
    land = np.asarray(mask) > 0
    seeds = np.array(
        [(s.between(0.1, 0.85) * s.w, s.between(0.15, 0.95) * s.h) for _ in range(count)], dtype=np.float32
    )
    # Each pixel belongs to the nearest seed; every other one is fine enough for what is reduced to a third.
    step = 2
    ys, xs = np.mgrid[0 : s.h : step, 0 : s.w : step].astype(np.float32)
    wobble = np.sin(ys / (5 * u)) * 1.6 * u
    away = (xs[..., None] + wobble[..., None] - seeds[:, 0]) ** 2 + (ys[..., None] - seeds[:, 1]) ** 2
    region = away.argmin(axis=-1)
    region = np.repeat(np.repeat(region, step, 0), step, 1)[: s.h, : s.w]
    shaded = s.chance(0.75)
    if shaded:
        fills = [
            mixed(mixed(base.rgb, (255, 255, 255), 0.85), base.rgb, s.rng.random() ** 1.3)
            for _ in range(count)
        ]
    else:
        fills = [s.palette[i % len(s.palette)].rgb for i in range(count)]
    pixels = np.asarray(s.picture).copy()
    sea = s.chance(0.3)
    if sea:
        pixels[:] = s.pick(_WATER)
    colours = np.array(fills, dtype=np.uint8)[region]
    edge = np.zeros_like(land)
    edge[:, 1:] |= region[:, 1:] != region[:, :-1]
    edge[1:, :] |= region[1:, :] != region[:-1, :]
    colours[edge] = (255, 255, 255) if s.chance(0.6) else (90, 90, 90)
    pixels[land] = colours[land]
    s.picture.paste(Image.fromarray(pixels))
    s.line([*coast, coast[0]], s.theme.muted, 0.4)
    if s.chance(0.7):
        s.text(
            4 * u,
            6 * u,
            s.say(Words(f"{measure.en.capitalize()} by region", f"各地区{measure.zh}")),
            5,
            bold=s.chance(0.5),
        )
    legend = shaded and s.chance(0.7)
    if legend:
        for i in range(5):
            x, y = s.w - 12 * u, s.h * 0.35 + i * 5 * u
            s.box(
                x,
                y,
                x + 5 * u,
                y + 5 * u,
                fill=mixed(mixed(base.rgb, (255, 255, 255), 0.85), base.rgb, i / 4),
            )
            s.text(x - u, y + 2.5 * u, str(i * 20), 3, anchor="rm")
    # Of the seeds some lie in the sea and have no land.
    seen = len(np.unique(region[land]))
    return s.done(
        [
            Words(f"a map of {measure.en} by region", f"各地区{measure.zh}地图"),
            Words(
                f"a map of a country with regions shaded in {base.name.en}",
                f"以{base.name.zh}深浅着色的分区地图",
            )
            if shaded
            else Words("a map of a country with regions in many colours", "各区域颜色不同的分区地图"),
            Words(f"a map with {seen} regions", f"含{seen}个区域的地图"),
        ],
        regions=seen,
        shaded=shaded,
    )


def _street_map(rng: Random, fonts: Fonts) -> Drawing:
    """Streets, parks and water, with pins, as in a web map."""
    s = Sheet(rng, fonts, aspect=rng.choice((1.0, 1.33, 1.6)))
    u = s.u
    dark = s.chance(0.15)
    ground: Rgb = (42, 46, 56) if dark else s.pick(((242, 239, 233), (245, 245, 245), (232, 234, 228)))
    road: Rgb = (80, 86, 100) if dark else (255, 255, 255)
    s.box(0, 0, s.w, s.h, fill=ground)
    water = s.chance(0.65)
    for _ in range(s.rng.randrange(1, 5)):
        s.shape(
            _wobbly(s, s.between(0, s.w), s.between(0, s.h), s.between(8, 25) * u, s.between(8, 18) * u),
            fill=(52, 74, 58) if dark else (200, 228, 190),
        )
    if water:
        colour = (28, 52, 82) if dark else s.pick(_WATER)
        y = s.between(0.2, 0.8) * s.h
        points = [(s.w * i / 10, y + s.between(-6, 6) * u) for i in range(11)]
        s.line(points, colour, s.between(5, 14))
    angle = s.between(-0.4, 0.4)
    major: Rgb = s.pick(((255, 212, 120), (250, 190, 130), (255, 255, 255)))
    for horizontal in (True, False):
        at = -0.3 * s.w
        while at < 1.3 * max(s.w, s.h):
            big = s.chance(0.2)
            lean = math.tan(angle) * max(s.w, s.h)
            ends = (
                [(-5.0, at), (s.w + 5.0, at + lean)] if horizontal else [(at, -5.0), (at - lean, s.h + 5.0)]
            )
            if not dark:
                s.line(ends, (215, 212, 205), 2.8 if big else 1.5)
            s.line(
                ends,
                mixed(major, (60, 60, 60), 0.4) if big and dark else major if big else road,
                2.2 if big else 1.1,
            )
            at += s.between(7, 17) * u
    for _ in range(s.rng.randrange(2, 7)):
        s.text(
            s.between(0.05, 0.8) * s.w,
            s.between(0.1, 0.9) * s.h,
            s.say(s.pick(CITIES)),
            3.2,
            (210, 210, 210) if dark else (90, 90, 90),
        )
    pins = s.pick((0, 1, 1, 3, 5))
    route = s.chance(0.3)
    if route:
        points = [(s.w * (0.15 + 0.14 * i), s.h * s.between(0.25, 0.75)) for i in range(6)]
        s.line(points, (50, 110, 230), 1.8)
    pin: Rgb = s.pick(((219, 68, 55), (30, 100, 220)))
    for _ in range(pins):
        _pin(s, s.between(0.1, 0.9) * s.w, s.between(0.2, 0.9) * s.h, 2.6, pin)
    count = number(pins)
    sentences = [
        Words("a street map of a city", "城市街道地图"),
        Words("a map with streets and parks", "含街道和绿地的地图"),
    ]
    if pins:
        sentences.append(
            Words(
                f"a map with {count.en} location {'pin' if pins == 1 else 'pins'}",
                f"标有{count.zh}个位置图钉的地图",
            )
        )
    if route:
        sentences.append(Words("a map with a route marked in blue", "用蓝色标出路线的地图"))
    return s.done(sentences, pins=pins, route=route)


def _island_map(rng: Random, fonts: Fonts) -> Drawing:
    """Held out: islands in a sea with a grid of degrees and towns."""
    s = Sheet(rng, fonts, aspect=rng.choice((1.0, 1.4, 1.7)))
    u = s.u
    s.box(0, 0, s.w, s.h, fill=s.pick(_WATER))
    land = s.pick(((238, 226, 190), (214, 226, 180), (250, 244, 225)))
    for i in range(1, 6):
        s.line([(s.w * i / 6, 0), (s.w * i / 6, s.h)], (255, 255, 255), 0.25)
        s.line([(0, s.h * i / 6), (s.w, s.h * i / 6)], (255, 255, 255), 0.25)
    islands = s.pick((2, 3, 4, 6))
    towns = 0
    # Each in a cell of its own, so that none grows together with another and the count holds.
    across = 2 if islands <= 4 else 3
    wide, tall = s.w / across, s.h / 2
    cells = s.some([(c, r) for c in range(across) for r in range(2)], islands)
    for c, r in cells:
        x, y = (c + s.between(0.46, 0.54)) * wide, (r + s.between(0.46, 0.54)) * tall
        coast = _wobbly(s, x, y, s.between(0.18, 0.29) * wide, s.between(0.18, 0.29) * tall)
        s.shape(coast, fill=land, outline=(130, 120, 95), width=0.5)
        for _ in range(2):
            tx, ty = x + s.between(-0.1, 0.1) * wide, y + s.between(-0.1, 0.1) * tall
            s.round(tx, ty, 0.9 * u, fill=(40, 40, 40))
            s.text(tx + 2 * u, ty, s.say(s.pick(CITIES)), 3)
            towns += 1
    s.box(1.5 * u, 1.5 * u, s.w - 1.5 * u, s.h - 1.5 * u, outline=(70, 70, 70), width=0.8)
    s.shape([(s.w - 9 * u, 14 * u), (s.w - 7 * u, 5 * u), (s.w - 5 * u, 14 * u)], fill=(60, 60, 60))
    count = number(islands)
    return s.done(
        [
            Words("a map of islands in the sea", "海上岛屿地图"),
            Words(
                f"a map with {count.en} islands and {towns} towns", f"含{count.zh}个岛屿和{towns}个城镇的地图"
            ),
        ],
        islands=islands,
    )


def _floor_plan(rng: Random, fonts: Fonts, *, blueprint: bool) -> Drawing:
    """Rooms by cutting a rectangle again and again; ``blueprint``, held out: white on blue."""
    paper = Theme(
        "blueprint", (24, 62, 128), (236, 242, 252), (170, 195, 235), (70, 105, 170), (30, 70, 140), True
    )
    s = Sheet(rng, fonts, aspect=rng.choice((1.0, 1.33, 1.6, 0.8)), theme=paper if blueprint else LIGHT[0])
    u = s.u
    if blueprint:
        for i in range(1, 40):
            s.line([(i * 5 * u, 0), (i * 5 * u, s.h)], (38, 78, 146), 0.2)
            s.line([(0, i * 5 * u), (s.w, i * 5 * u)], (38, 78, 146), 0.2)
    wall = s.theme.ink
    tinted = not blueprint and s.chance(0.4)
    rooms: list[tuple[float, float, float, float]] = [(8 * u, 10 * u, s.w - 8 * u, s.h - 8 * u)]
    target = s.pick((4, 5, 6, 7, 9))
    while len(rooms) < target:
        rooms.sort(key=lambda r: (r[2] - r[0]) * (r[3] - r[1]))
        x0, y0, x1, y1 = rooms.pop()
        share = s.between(0.36, 0.64)
        if x1 - x0 > y1 - y0:
            middle = x0 + (x1 - x0) * share
            rooms += [(x0, y0, middle, y1), (middle, y0, x1, y1)]
        else:
            middle = y0 + (y1 - y0) * share
            rooms += [(x0, y0, x1, middle), (x0, middle, x1, y1)]
    thick = s.between(0.9, 1.8) if not blueprint else 0.7
    names = [s.pick(ROOMS) for _ in rooms]
    for (x0, y0, x1, y1), name in zip(rooms, names, strict=True):
        s.box(
            x0,
            y0,
            x1,
            y1,
            fill=mixed((255, 255, 255), s.pick(s.palette).rgb, 0.22) if tinted else None,
            outline=wall,
            width=thick,
        )
        s.text((x0 + x1) / 2, (y0 + y1) / 2 - 2 * u, s.say(name), 3.4, anchor="mm", width=(x1 - x0) * 0.9)
        s.text(
            (x0 + x1) / 2,
            (y0 + y1) / 2 + 3 * u,
            f"{s.between(6, 48):.1f} m²",
            2.7,
            s.theme.muted,
            anchor="mm",
            width=(x1 - x0) * 0.9,
        )
    for x0, y0, x1, _y1 in rooms:
        r = 8 * u
        if x1 - x0 > 1.6 * r:
            # A door: a gap in the wall, its leaf, and the quarter circle it sweeps.
            dx = x0 + s.between(2 * u, x1 - x0 - r - 2 * u)
            s.line([(dx, y0), (dx + r, y0)], s.theme.paper, thick + 0.4)
            s.line([(dx, y0), (dx, y0 + r)], wall, 0.4)
            s.d.arc((dx - r, y0 - r, dx + r, y0 + r), 0, 90, wall, 1)
        if s.chance(0.4):
            s.box(x1 - 9 * u, y0 + 2.5 * u, x1 - 3 * u, y0 + 6 * u, outline=s.theme.muted)
    x0, x1 = 8 * u, s.w - 8 * u
    s.line([(x0, 5 * u), (x1, 5 * u)], s.theme.muted, 0.35)
    for x in (x0, x1):
        s.line([(x, 3.5 * u), (x, 6.5 * u)], s.theme.muted, 0.35)
    count = number(len(rooms))
    look = (
        Words("as a blue print with white lines", "蓝底白线的")
        if blueprint
        else Words("with walls and doors", "含墙体和门的")
    )
    return s.done(
        [
            Words(f"a floor plan with {count.en} rooms", f"含{count.zh}个房间的平面图"),
            Words(f"a floor plan of a building {look.en}", f"{look.zh}建筑平面图"),
        ],
        rooms=len(rooms),
    )


def renderers() -> list[Renderer]:
    return [
        Renderer("map-regions", "map", "map", _region_map, False, 1.2),
        Renderer("map-streets", "map", "map", _street_map, False, 1.2),
        Renderer("map-islands", "map", "map", _island_map, True, 1.6),
        Renderer(
            "floor-plan-ink", "floor plan", "drawing", partial(_floor_plan, blueprint=False), False, 1.3
        ),
        Renderer(
            "floor-plan-blueprint", "floor plan", "drawing", partial(_floor_plan, blueprint=True), True, 1.3
        ),
    ]
