"""What does the training film show? Five scenes drawn frame by frame, and what is said in them, in two languages."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import cos, radians, sin
from pathlib import Path

import av
from PIL import Image

from workers.demo.making.canvas import BLUE, GREEN, GREY, INK, LINE, PALE, RED, TEAL, YELLOW, Canvas

WIDTH, HEIGHT = 640, 360
FRAMES_PER_S = 12
# Constant quality: letters stay sharp, and half a minute of drawings takes 300 kB.
_QUALITY = 27

# A scene draws itself at a share (0 to 1) of its time.
Scene = Callable[[float], Canvas]


def _title(_share: float) -> Canvas:
    canvas = Canvas(WIDTH, HEIGHT, "#14324f")
    canvas.text(320, 96, "Halden Pumps", 24, "#9fc3e6", anchor="mm")
    canvas.text(320, 160, "Replacing the mechanical seal", 36, "white", bold=True, anchor="mm")
    canvas.text(320, 212, "HX-40 · kit HX-40-S2", 24, "white", anchor="mm")
    canvas.text(320, 290, "Training film 12", 20, "#9fc3e6", anchor="mm")
    return canvas


def _nut(share: float) -> Canvas:
    """A spanner turns the hub."""
    canvas = Canvas(WIDTH, HEIGHT, PALE)
    canvas.text(24, 18, "Step 1  Loosen the hub", 30, bold=True)
    canvas.text(24, 62, "CLOCKWISE  顺时针", 26, RED, bold=True)
    x, y, turn = 330.0, 225.0, -60 + 100 * share
    canvas.circle(x, y, 104, "#aab4be", INK, 3)
    canvas.circle(x, y, 46, "#d2a45f", INK, 3)
    corners = [(x + 30 * cos(radians(turn + 60 * n)), y + 30 * sin(radians(turn + 60 * n))) for n in range(6)]
    canvas.polygon(corners, "#c4ccd4", INK, 3)
    ux, uy = cos(radians(turn)), sin(radians(turn))
    canvas.line([(x + 30 * ux, y + 30 * uy), (x + 205 * ux, y + 205 * uy)], BLUE, 20)
    canvas.arc(x, y, 128, -70, -20, RED, 6)
    return canvas


def _sign(share: float) -> Canvas:
    """A lamp blinks over a warning in two languages."""
    canvas = Canvas(WIDTH, HEIGHT, YELLOW)
    canvas.box(14, 14, 612, 332, None, INK, 8, 14)
    canvas.polygon([(92, 56), (160, 172), (24, 172)], "white", INK, 6)
    canvas.text(92, 132, "!", 66, INK, bold=True, anchor="mm")
    canvas.text(180, 44, "DANGER  危险", 46, RED, bold=True)
    canvas.text(180, 110, "Rotating shaft  旋转轴", 32, INK, bold=True)
    canvas.text(46, 200, "Lock out before opening the cover", 29, INK, bold=True)
    canvas.text(46, 254, "开盖之前先上锁挂牌", 40, INK, bold=True)
    canvas.circle(590, 50, 15, RED if int(share * 12) % 2 else "#f7d9d5", INK, 2)
    return canvas


def _chart(share: float) -> Canvas:
    """The temperature after the start is drawn as it rises."""
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.text(24, 16, "Seal chamber temperature after start", 26, bold=True)
    left, bottom = 84.0, 300.0
    for degrees in (20, 30, 40, 50, 60):
        at = bottom - (degrees - 20) * 5.4
        canvas.line([(left, at), (610, at)], LINE, 1.5)
        canvas.text(left - 12, at, f"{degrees} °C", 18, GREY, anchor="rm")
    for minutes in (0, 10, 20, 30):
        canvas.text(left + minutes * 17, bottom + 22, f"{minutes} min", 18, GREY, anchor="mm")
    points = []
    for step in range(max(2, round(30 * share)) + 1):
        degrees = 21 + 34 * (1 - 2.718 ** (-step / 7))
        points.append((left + step * 17, bottom - (degrees - 20) * 5.4))
    canvas.line(points, TEAL, 5)
    canvas.circle(*points[-1], 7, TEAL, None)
    return canvas


def _end(_share: float) -> Canvas:
    canvas = Canvas(WIDTH, HEIGHT, "#e8f3ea")
    canvas.circle(110, 150, 56, GREEN, None)
    canvas.line([(84, 152), (104, 172), (140, 126)], "white", 11)
    canvas.text(200, 96, "Leak check", 40, bold=True)
    canvas.text(200, 156, "after 2 hours, at full pressure", 28)
    canvas.text(200, 216, "Form QA-117", 28, GREY)
    return canvas


SCENES: tuple[tuple[Scene, float], ...] = ((_title, 5), (_nut, 9), (_sign, 7), (_chart, 7), (_end, 5))

# Begin, end, words: what is said and stands nowhere on the screen.
ENGLISH: tuple[tuple[float, float, str], ...] = (
    (0.5, 4.5, "Welcome to the workshop in Halden. This takes two people about three hours."),
    (5.5, 9.5, "Turn the spanner clockwise to loosen it, not the other way round."),
    (9.8, 13.5, "If it does not move, warm the hub with hot water, never with a flame."),
    (
        14.5,
        20.0,
        "Before anyone puts a hand inside, padlock the breaker and keep the key in your own pocket.",
    ),
    (
        21.5,
        27.0,
        "While the faces run in, the housing gets warm. Fifty-five degrees is nothing to worry about.",
    ),
    (28.5, 32.5, "Come back with a dry paper towel and look for drops below the gland."),
)
CHINESE: tuple[tuple[float, float, str], ...] = (
    (0.5, 4.5, "欢迎来到哈尔登车间。两个人大约需要三个小时。"),
    (5.5, 9.5, "松开螺母时扳手要顺时针转，不要转反了。"),
    (9.8, 13.5, "如果拧不动，用热水加热轮毂，绝不能用明火。"),
    (14.5, 20.0, "把手伸进去之前，给断路器挂上挂锁，钥匙放在自己口袋里。"),
    (21.5, 27.0, "密封面磨合时壳体会发热，五十五度属于正常。"),
    (28.5, 32.5, "两小时后带一张干纸巾回来，看看压盖下面有没有水滴。"),
)


def save_film(path: Path) -> None:
    """The film as MP4, and its subtitles beside it. One thread: the same bytes each time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"crf": str(_QUALITY), "preset": "slow", "threads": "1"}
    with av.open(
        str(path), "w", container_options={"movflags": "faststart", "fflags": "+bitexact"}
    ) as container:
        container.metadata["title"] = "Replacing the mechanical seal of the HX-40"
        stream = container.add_stream("libx264", rate=FRAMES_PER_S, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, picture in enumerate(_pictures()):
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for language, lines in (("en", ENGLISH), ("zh", CHINESE)):
        path.with_suffix(f".{language}.srt").write_text(_subrip(lines), encoding="utf-8")


def _pictures() -> Iterator[Image.Image]:
    for scene, seconds in SCENES:
        frames = round(seconds * FRAMES_PER_S)
        for number in range(frames):
            yield scene(number / frames).finish()


def _subrip(lines: Sequence[tuple[float, float, str]]) -> str:
    return "\n".join(
        f"{number}\n{_stamp(start)} --> {_stamp(end)}\n{words}\n"
        for number, (start, end, words) in enumerate(lines, 1)
    )


def _stamp(seconds: float) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"
