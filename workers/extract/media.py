"""How is a recording opened, measured and placed in time? Everything that videos and sound files share.

PyAV (FFmpeg) is told the format that the content has, so that no other demuxer ever sees the file: playlists,
concatenations and devices open what they name.
"""

import functools
import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream

from workers.extract import limits, pixels
from workers.extract.assemble import one_line
from workers.extract.base import ExtractionError, Picture, Source, Warning_
from workers.extract.cues import Cue

# The demuxer that may read a media type.
_DEMUXERS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/x-matroska": "matroska",
    "video/webm": "matroska",
    "video/x-msvideo": "avi",
    "video/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp4": "mov",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
}
# Tags kept, by FFmpeg's common names for them. A location is left behind, as in pictures.
_TAGS = (
    "artist",
    "album",
    "album_artist",
    "composer",
    "genre",
    "date",
    "comment",
    "description",
    "copyright",
)
_LONGEST_TAG = 2000
# A header may round; a file that ends this much earlier than it says was cut off.
_TRUNCATED_S, _TRUNCATED_SHARE = 2.0, 0.05
_ID3_HEADER_BYTES = 10
# A packet this long after the one before has a broken time stamp.
_LONGEST_HOLE_S = 3600


@dataclass(slots=True)
class Survey:
    """What one pass over the packets of a file says, without decoding sound or pictures."""

    duration_s: float = 0.0
    video_packets: int = 0
    audio_packets: int = 0
    cues: list[Cue] = field(default_factory=list)
    warnings: list[Warning_] = field(default_factory=list)

    @property
    def parts(self) -> int:
        return max(1, math.ceil(self.duration_s / limits.SECONDS_PER_PART))


@contextmanager
def opened(source: Source) -> Iterator[InputContainer]:
    """The file, its streams known. Raises ExtractionError, also for what FFmpeg raises inside."""
    if source.path.stat().st_size == 0:
        raise ExtractionError("empty_file")
    try:
        with _container(source) as container:
            if not container.streams:
                raise ExtractionError("corrupt", "The file has neither pictures nor sound.")
            yield container
    except MemoryError:
        raise  # PyAV's own is a kind of FFmpegError, too.
    except av.FFmpegError as error:
        raise ExtractionError("corrupt") from error


def _container(source: Source) -> InputContainer:
    with source.path.open("rb") as file:
        file.seek(_tag_bytes(file.read(_ID3_HEADER_BYTES)))
        head = file.read(2)
    # ADTS: AAC without a container. Its frames begin as MP3's do, with the two bits of the layer at zero.
    is_aac = source.media_type == "audio/mpeg" and head[0] == 0xFF and head[1:] and head[1] & 0xF6 == 0xF0
    return _open(source, "aac" if is_aac else _DEMUXERS[source.media_type])


def _tag_bytes(head: bytes) -> int:
    """How much of the file an ID3v2 tag at its beginning takes, given its header."""
    if len(head) < _ID3_HEADER_BYTES or not head.startswith(b"ID3"):
        return 0
    # Seven bits a byte, so that no size looks like the beginning of a frame.
    size = functools.reduce(lambda total, byte: total << 7 | byte & 0x7F, head[6:10], 0)
    return _ID3_HEADER_BYTES + size


def _open(source: Source, demuxer: str) -> InputContainer:
    return av.open(
        str(source.path),
        format=demuxer,
        metadata_errors="replace",
        container_options={"protocol_whitelist": "file"},
    )


def pictures_of(container: InputContainer) -> Any | None:
    """The video stream proper; cover pictures are none."""
    return next((s for s in container.streams.video if not s.disposition & Disposition.attached_pic), None)


def moving(stream: Any) -> bool:
    """Whether the stream has a size and something that can decode it."""
    return bool(stream.codec_context and stream.codec_context.width and stream.codec_context.height)


def origin_s(container: InputContainer) -> float:
    """The moment that players call zero."""
    start = container.start_time
    return start / av.time_base if start is not None and abs(start) < 2**60 else 0.0


def survey(container: InputContainer) -> Survey:
    """Reads the whole file once: how long it really is, and its subtitles, wherever in it they lie."""
    found = Survey()
    subtitles = [s for s in container.streams.subtitles if s.codec_context is not None]
    pictures = pictures_of(container)
    streams = [*([pictures] if pictures else []), *container.streams.audio, *subtitles]
    zero_s = origin_s(container)
    if not streams:
        return found
    for packet in _packets(container, streams, found):
        start_s = time_s(packet, packet.pts if packet.pts is not None else packet.dts)
        if start_s is None:
            continue
        start_s -= zero_s
        lasts_s = time_s(packet, packet.duration) or 0.0
        # FFmpeg cuts what the end of an Ogg file trims off the last packet's length, and may pass below zero: 27 hours.
        end_s = start_s + (lasts_s if lasts_s < _LONGEST_HOLE_S else 0.0)
        kind = packet.stream.type
        if kind == "subtitle":
            if len(found.cues) < limits.MAX_CUES:
                found.cues += _cues(packet, start_s, end_s)
            continue
        found.video_packets += kind == "video"
        found.audio_packets += kind == "audio"
        if start_s < found.duration_s + _LONGEST_HOLE_S:
            found.duration_s = max(found.duration_s, end_s)
    _judge(found, claimed_s=(container.duration or 0) / av.time_base)
    return found


def _packets(container: InputContainer, streams: list[Any], found: Survey) -> "Iterator[Packet[Stream]]":
    try:
        for packet in container.demux(*streams):
            if packet.size:  # The last of each stream is empty.
                yield packet
    except MemoryError:
        raise
    except av.FFmpegError:
        found.warnings.append(Warning_("media_damaged", ""))


def _judge(found: Survey, *, claimed_s: float) -> None:
    missing_s = claimed_s - found.duration_s
    if missing_s > max(_TRUNCATED_S, _TRUNCATED_SHARE * claimed_s) and not found.warnings:
        sentence = f"The recording ends after {found.duration_s:.0f} s; its header says {claimed_s:.0f} s."
        found.warnings.append(Warning_("media_damaged", sentence))
    if found.duration_s > limits.MAX_RECORDING_S:
        found.duration_s = limits.MAX_RECORDING_S
        found.warnings.append(Warning_("recording_capped", ""))


def time_s(packet: Any, ticks: int | None) -> float | None:
    """`ticks` of the packet's or frame's clock in seconds."""
    if ticks is None or not packet.time_base:
        return None
    return float(ticks * packet.time_base)


def _cues(packet: "Packet[Any]", start_s: float, end_s: float) -> Iterator[Cue]:
    """The words of a subtitle packet; pictures of words, as on DVDs, have none."""
    try:
        decoded = packet.stream.decode(packet)
    except MemoryError:
        raise
    except av.FFmpegError:
        return
    for item in decoded:
        words = getattr(item, "dialogue", None) or getattr(item, "text", None) or b""
        if words:
            yield Cue(round(start_s * 1000), round(end_s * 1000), words.decode("utf-8", "replace"))


def subtitle_cues(text: str, demuxer: str) -> list[Cue]:
    """The cues of a subtitle file's text; none when it is no such file."""
    found = Survey()
    try:
        with av.open(io.BytesIO(text.encode("utf-8", "replace")), "r", format=demuxer) as container:
            for packet in _packets(container, list(container.streams.subtitles), found):
                start_s, duration_s = time_s(packet, packet.pts), time_s(packet, packet.duration)
                if start_s is not None and len(found.cues) < limits.MAX_CUES:
                    found.cues += _cues(packet, start_s, start_s + (duration_s or 0.0))
    except MemoryError:
        raise
    except av.FFmpegError:
        return []
    return found.cues


def tags(container: InputContainer) -> dict[str, str]:
    """What the file says about itself, the title among it."""
    # Ogg keeps them with the stream.
    said = {key.lower(): value for stream in container.streams for key, value in stream.metadata.items()}
    said |= {key.lower(): value for key, value in container.metadata.items()}
    kept = {name: one_line(said.get(name, ""))[:_LONGEST_TAG] for name in ("title", *_TAGS)}
    lyrics = next((value for key, value in said.items() if key.startswith(("lyrics", "unsyncedlyrics"))), "")
    return {name: value for name, value in (kept | {"lyrics": lyrics.strip()[:50_000]}).items() if value}


def cover(container: InputContainer, source: Source) -> tuple[Picture, ...]:
    """The first cover picture that can be read, as a figure."""
    covers = [s for s in container.streams.video if s.disposition & Disposition.attached_pic]
    if not covers:
        return ()
    try:
        packet = next(packet for packet in container.demux(covers[0]) if packet.size)
        with pixels.opened(io.BytesIO(bytes(packet))) as image:
            if min(image.size) < limits.MIN_FIGURE_SIDE_PX:
                return ()
            picture = pixels.upright(image, limits.MAX_KEYFRAME_SIDE_PX)
    except MemoryError:
        raise
    except (StopIteration, ExtractionError, av.FFmpegError):
        return ()  # An ornament: the recording is what counts.
    file = pixels.store(picture, source.scratch, "cover")
    return (Picture("figure", file=file, width_px=picture.width, height_px=picture.height),)


def seek(container: InputContainer, stream: Any, seconds: float) -> bool:
    """To the last keyframe before. False where the file's index is broken: then the position is the beginning."""
    target_s = seconds + origin_s(container)
    try:
        container.seek(int(target_s / stream.time_base), stream=stream, backward=True)
    except MemoryError:
        raise
    except av.FFmpegError:
        return False
    return True
