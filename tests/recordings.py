"""Small videos and sounds for tests, made by the library that reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.subtitles.subtitle import SubtitleSet
from PIL import Image, ImageDraw, ImageFont

SIZE = (320, 180)
FRAMES_PER_S = 10
CODECS = {
    "mp4": ("libx264", "aac"),
    "mov": ("libx264", "aac"),
    "mkv": ("libx264", "aac"),
    "webm": ("libvpx", "libopus"),
    "avi": ("mpeg4", "libmp3lame"),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A colour with words on it, for some seconds."""

    seconds: float
    colour: str
    words: str = ""

    def picture(self, size: tuple[int, int]) -> Image.Image:
        image = Image.new("RGB", size, self.colour)
        draw = ImageDraw.Draw(image)
        # An edge, so that no picture is blank.
        draw.rectangle((5, 5, size[0] // 3, size[1] // 3), fill="white", outline="black", width=3)
        draw.text(
            (size[0] // 10, size[1] // 2), self.words, fill="white", font=ImageFont.load_default(size[1] // 7)
        )
        return image


THREE_SCENES = (Scene(4, "darkred", "VALVE 17"), Scene(5, "darkgreen", "OPEN"), Scene(3, "navy", "CLOSED"))


def make_video(
    path: Path,
    scenes: Sequence[Scene] = THREE_SCENES,
    *,
    size: tuple[int, int] = SIZE,
    subtitles: Sequence[tuple[float, float, str]] = (),
    subtitle_codec: str = "mov_text",
    title: str = "",
    sound: bool = False,
    keyframe_every: int = 25,
) -> Path:
    video_codec, audio_codec = CODECS[path.suffix[1:]]
    with av.open(str(path), "w") as container:
        if title:
            container.metadata["title"] = title
        stream = container.add_stream(video_codec, rate=FRAMES_PER_S)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = keyframe_every
        # Every frame is one that others build on, so that each is looked at, and times are exact.
        stream.codec_context.max_b_frames = 0
        words = container.add_stream(subtitle_codec) if subtitles else None
        if words is not None:
            words.codec_context.subtitle_header = _ASS_HEADER
        noise = container.add_stream(audio_codec, rate=48_000) if sound else None
        if noise is not None:
            noise.codec_context.layout = "mono"
        number = 0
        for scene in scenes:
            picture = scene.picture(size)
            for _ in range(round(scene.seconds * FRAMES_PER_S)):
                frame = av.VideoFrame.from_image(picture)
                frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
                number += 1
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if noise is not None:
            for frame in _tone(number / FRAMES_PER_S, 48_000):
                container.mux(noise.encode(frame))
            container.mux(noise.encode(None))
        for start_s, end_s, text in subtitles:
            assert words is not None
            packet = words.codec_context.encode_subtitle(
                SubtitleSet.create(
                    f"0,0,Default,,0,0,0,,{text}".encode(),
                    0,
                    round((end_s - start_s) * 1000),
                    round(start_s * 1_000_000),
                )
            )
            packet.stream = words
            packet.time_base = Fraction(1, 1000)
            packet.pts = packet.dts = round(start_s * 1000)
            packet.duration = round((end_s - start_s) * 1000)
            container.mux(packet)
    return path


def make_sound(path: Path, seconds: float = 2.0, **tags: str) -> Path:
    codec = {"mp3": "libmp3lame", "wav": "pcm_s16le", "m4a": "aac", "flac": "flac", "ogg": "libopus"}[
        path.suffix[1:]
    ]
    with av.open(str(path), "w") as container:
        container.metadata.update(tags)
        stream = container.add_stream(codec, rate=48_000)
        stream.codec_context.layout = "mono"
        for frame in _tone(seconds, 48_000):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def subrip(cues: Sequence[tuple[float, float, str]]) -> str:
    return "\n".join(
        f"{number}\n{_stamp(start)} --> {_stamp(end)}\n{text}\n"
        for number, (start, end, text) in enumerate(cues, 1)
    )


def _stamp(seconds: float) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"


def _tone(seconds: float, rate: int) -> list[av.AudioFrame]:
    samples = (np.sin(np.arange(round(seconds * rate)) * 2 * np.pi * 440 / rate) * 8000).astype(np.int16)
    frames = []
    for start in range(0, len(samples), 960):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 960], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        frames.append(frame)
    return frames


# One line each, as the format wants them.
_ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""  # noqa: E501 - the format has one line for all columns
