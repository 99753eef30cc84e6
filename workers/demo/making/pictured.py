"""Pictures and a film without a single letter: only what they show can find them. Their names say nothing, either."""

from collections.abc import Callable
from fractions import Fraction
from math import cos, pi, sin
from pathlib import Path

import av
from PIL import Image, ImageDraw

SIZE = (640, 480)
# Drawn larger and scaled down: Pillow draws without smoothing.
_FINER = 2
FRAMES_PER_S, SCENE_S = 5, 4
_COLOURS = ("#4472c4", "#ed7d31", "#a5a5a5", "#ffc000", "#70ad47")


def pie_chart() -> Image.Image:
    image, pen = _sheet()
    start = -90.0
    for share, colour in zip((0.34, 0.26, 0.18, 0.13, 0.09), _COLOURS, strict=True):
        pen.pieslice((280, 120, 1000, 840), start, start + 360 * share, fill=colour, outline="white", width=6)
        start += 360 * share
    return _smoothed(image)


def flag() -> Image.Image:
    """Three upright stripes: blue, white and red."""
    image, pen = _sheet()
    for place, colour in enumerate(("#0055a4", "#ffffff", "#ef4135")):
        left = 1280 * place // 3
        pen.rectangle((left, 0, left + 1280 // 3 + 1, 960), fill=colour)
    return _smoothed(image)


def bar_chart() -> Image.Image:
    image, pen = _sheet()
    pen.line((140, 80, 140, 860), fill="#404040", width=4)
    pen.line((140, 860, 1200, 860), fill="#404040", width=4)
    for place, height in enumerate((300, 460, 380, 620, 540, 700)):
        left = 200 + 165 * place
        pen.rectangle((left, 860 - height, left + 110, 858), fill=_COLOURS[0])
    return _smoothed(image)


def flow_diagram() -> Image.Image:
    image, pen = _sheet()
    boxes = ((480, 60, 800, 200), (480, 560, 800, 700), (900, 330, 1220, 470), (480, 790, 800, 920))
    for box in boxes:
        pen.rounded_rectangle(box, 20, fill="#dae8fc", outline="#33506f", width=5)
    pen.polygon(((640, 290), (800, 400), (640, 510), (480, 400)), fill="#fff2cc", outline="#8a6d1c", width=5)
    for start, end in (
        ((640, 200), (640, 290)),
        ((640, 510), (640, 560)),
        ((800, 400), (900, 400)),
        ((640, 700), (640, 790)),
    ):
        _arrow(pen, start, end)
    return _smoothed(image)


SCENES: tuple[Callable[[], Image.Image], ...] = (flag, flow_diagram, pie_chart, bar_chart)


def save_scenes(path: Path) -> None:
    """A silent film, one scene after the other. One thread: the same bytes each time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"crf": "26", "preset": "slow", "threads": "1"}
    with av.open(
        str(path), "w", container_options={"movflags": "faststart", "fflags": "+bitexact"}
    ) as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_S, options=options)
        (stream.width, stream.height), stream.pix_fmt = SIZE, "yuv420p"
        for number in range(len(SCENES) * SCENE_S * FRAMES_PER_S):
            picture = SCENES[number // (SCENE_S * FRAMES_PER_S)]()
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _sheet() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (SIZE[0] * _FINER, SIZE[1] * _FINER), "white")
    return image, ImageDraw.Draw(image)


def _smoothed(image: Image.Image) -> Image.Image:
    return image.resize(SIZE, Image.Resampling.BOX)


def _arrow(pen: ImageDraw.ImageDraw, start: tuple[int, int], end: tuple[int, int]) -> None:
    pen.line((start, end), fill="#33506f", width=6)
    along = 0.0 if end[0] > start[0] else pi / 2
    tips = [(end[0] - 26 * cos(along + turn), end[1] - 26 * sin(along + turn)) for turn in (-0.5, 0.5)]
    pen.polygon((end, *tips), fill="#33506f")
