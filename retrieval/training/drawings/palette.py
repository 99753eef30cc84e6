"""Which colours go together in a picture, and what are they called?"""

from dataclasses import dataclass

from retrieval.training.drawings.words import Words

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Colour:
    rgb: Rgb
    name: Words


@dataclass(frozen=True, slots=True)
class Theme:
    """What a picture stands on: ``ink`` for text, ``muted`` for what is less important, ``line`` for rules."""

    name: str
    paper: Rgb
    ink: Rgb
    muted: Rgb
    line: Rgb
    panel: Rgb
    dark: bool = False


_NAMES = {
    "blue": "蓝色",
    "orange": "橙色",
    "green": "绿色",
    "red": "红色",
    "purple": "紫色",
    "brown": "棕色",
    "pink": "粉色",
    "grey": "灰色",
    "yellow": "黄色",
    "teal": "青色",
    "black": "黑色",
    "light blue": "浅蓝色",
    "dark blue": "深蓝色",
    "light green": "浅绿色",
    "dark green": "深绿色",
}


def _palette(text: str) -> tuple[Colour, ...]:
    """``blue 1f77b4, orange ff7f0e`` as colours."""
    colours = []
    for part in text.split(","):
        name, _, code = part.strip().rpartition(" ")
        rgb = (int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16))
        colours.append(Colour(rgb, Words(name, _NAMES[name])))
    return tuple(colours)


# What charts and interfaces of the common tools look like, from muted to loud.
PALETTES: tuple[tuple[Colour, ...], ...] = (
    _palette(
        "blue 1f77b4, orange ff7f0e, green 2ca02c, red d62728, purple 9467bd, brown 8c564b, pink e377c2, grey 7f7f7f"
    ),
    _palette("blue 4472c4, orange ed7d31, grey a5a5a5, yellow ffc000, light blue 5b9bd5, green 70ad47"),
    _palette(
        "blue 4e79a7, orange f28e2b, red e15759, teal 76b7b2, green 59a14f, yellow edc948, purple b07aa1"
    ),
    _palette("teal 01b8aa, grey 374649, red fd625e, yellow f2c80f, light blue 8ad4eb, orange fe9666"),
    _palette("purple 636efa, red ef553b, green 00cc96, pink ff6692, orange ffa15a, light blue 19d3f3"),
    _palette("dark blue 003f5c, purple 7a5195, pink ef5675, orange ffa600, teal 2f9c95"),
    _palette("blue 5470c6, light green 91cc75, yellow fac858, red ee6666, light blue 73c0de, green 3ba272"),
    _palette(
        "blue 0000ff, red ff0000, green 008000, orange ffa500, purple 800080, black 202020, pink ff69b4"
    ),
    _palette("light green 7fc97f, purple beaed4, orange fdc086, yellow eedd66, blue 386cb0, pink f0027f"),
    _palette("dark green 1b5e20, light green 81c784, brown a1672f, yellow fbc02d, teal 00796b"),
    _palette("dark blue 0b2545, blue 1f6fb2, light blue 8ecae6, grey 8d99ae, orange fb8500"),
    _palette("black 222222, grey 777777, red c0392b, light blue 7fb3d5, brown 935116"),
)
LOUD = _palette(
    "red dc143c, teal 008b8b, green 32cd32, orange fa8072, purple 4b0082, yellow ffd700, blue 1e90ff, brown 8b4513,"
    " pink ff1493, dark green 006400, grey 708090, light blue 00bfff, dark blue 000080, light green adff2f"
)

_WHITE = Theme("light", (255, 255, 255), (30, 30, 30), (110, 110, 110), (205, 205, 205), (244, 245, 247))
# Most charts and pages stand on white.
LIGHT: tuple[Theme, ...] = (
    _WHITE,
    _WHITE,
    _WHITE,
    Theme("light", (255, 255, 255), (0, 0, 0), (70, 70, 70), (180, 180, 180), (235, 240, 248)),
    Theme("light", (250, 250, 250), (36, 41, 46), (120, 126, 134), (216, 220, 226), (255, 255, 255)),
    Theme("light", (247, 243, 234), (50, 44, 36), (130, 120, 105), (214, 205, 188), (255, 252, 245)),
    Theme("light", (238, 243, 249), (31, 45, 61), (110, 124, 140), (204, 214, 226), (255, 255, 255)),
)
DARK: tuple[Theme, ...] = (
    Theme("dark", (24, 26, 32), (232, 234, 238), (150, 156, 166), (62, 66, 76), (36, 39, 48), True),
    Theme("dark", (17, 24, 39), (229, 231, 235), (148, 158, 172), (55, 65, 81), (31, 41, 55), True),
    Theme("dark", (40, 42, 54), (248, 248, 242), (150, 155, 175), (78, 82, 102), (56, 58, 74), True),
    Theme("dark", (0, 0, 0), (240, 240, 240), (150, 150, 150), (70, 70, 70), (28, 28, 30), True),
)


def mixed(first: Rgb, second: Rgb, share: float) -> Rgb:
    """``share`` of the second in the first."""
    r, g, b = (round(a + (z - a) * share) for a, z in zip(first, second, strict=True))
    return (r, g, b)


def readable_on(rgb: Rgb) -> Rgb:
    """Black or white, whichever stands out more."""
    return (255, 255, 255) if brightness(rgb) < 150 else (25, 25, 25)


def brightness(rgb: Rgb) -> float:
    """From 0 to 255, as bright as it looks."""
    return 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2]
