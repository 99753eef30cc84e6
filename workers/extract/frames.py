"""Which frames of a time range of a video are looked at? Decoded once, thinned out, upright."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.codec.context import ThreadType
from av.container import InputContainer
from PIL import Image

from workers.extract import limits, media
from workers.extract.base import ExtractionError
from workers.extract.shots import Frame, Pixels

# Of the thumbnails that cuts are found in: smaller ones lose lines of text, larger ones find the same cuts.
_SMALL_SIDE_PX = 256


@dataclass(slots=True)
class Reading:
    """How a stream turned out: packets or frames that could not be decoded, and the end of the last packet."""

    broken: int = 0
    end_ms: int = 0

    def failed(self) -> bool:
        """One more. True when there is hope for the rest."""
        self.broken += 1
        return self.broken < limits.MAX_BROKEN_FRAMES


def prepare(stream: Any) -> None:
    """Caps and speed of the decoder, before its first packet. Raises ExtractionError for too large frames."""
    context = stream.codec_context
    if context.width * context.height > limits.MAX_FRAME_PIXELS:
        raise ExtractionError(
            "too_many_pixels",
            f"The video has {context.width} × {context.height} pixels, more than the limit. Scale it down.",
        )
    # The size may change in the middle of a stream.
    context.options = {"max_pixels": str(limits.MAX_FRAME_PIXELS)}
    # More threads hold more frames, and the limit on processor time counts them all.
    context.thread_count = 1
    context.thread_type = ThreadType.NONE
    rate = float(stream.average_rate or 25)
    heavy = context.width * context.height * rate > limits.MAX_DECODED_PIXELS_PER_S
    context.skip_frame = "NONKEY" if heavy else "NONREF"


def sampled(
    container: InputContainer, stream: Any, start_ms: int, end_ms: int, reading: Reading
) -> Iterator[Frame]:
    """Up to SAMPLES_PER_S frames a second with start_ms <= time < end_ms, in order; each slot's first."""
    if start_ms:
        media.seek(container, stream, start_ms / 1000)
    last_slot = -1
    for decoded in _decoded(container, stream, end_ms, reading):
        time_ms = frame_ms(container, decoded)
        if time_ms is None or time_ms < start_ms:
            continue
        if time_ms >= end_ms:
            return
        # Slots count from the beginning of the file, so that every part samples the same frames.
        slot = time_ms * limits.SAMPLES_PER_S // 1000
        if slot <= last_slot:
            continue
        last_slot = slot
        try:
            yield Frame(time_ms, small(decoded), _picture_of(decoded))
        except (av.FFmpegError, ValueError) as error:
            if isinstance(error, MemoryError):
                raise
            if not reading.failed():
                return


def frame_ms(container: InputContainer, frame: Any) -> int | None:
    ticks = frame.pts if frame.pts is not None else frame.dts
    seconds = media.time_s(frame, ticks)
    return None if seconds is None else max(0, round((seconds - media.origin_s(container)) * 1000))


def _decoded(container: InputContainer, stream: Any, end_ms: int, reading: Reading) -> Iterator[Any]:
    """Decoded frames. Broken packets are stepped over; past the end by a second, reading stops."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except MemoryError:
            raise
        except av.FFmpegError:
            reading.failed()
            return
        start = media.time_s(packet, packet.dts if packet.dts is not None else packet.pts)
        if start is not None:
            starts_ms = (start - media.origin_s(container)) * 1000
            if starts_ms > end_ms + 1000:
                return
            shown = media.time_s(packet, packet.pts)
            shown_ms = starts_ms if shown is None else (shown - media.origin_s(container)) * 1000
            lasts_ms = (media.time_s(packet, packet.duration) or 0.0) * 1000
            reading.end_ms = max(reading.end_ms, round(shown_ms + lasts_ms))
        try:
            yield from packet.decode()  # The last packet is empty, and fetches what the decoder holds.
        except (MemoryError, EOFError) as error:
            if isinstance(error, MemoryError):
                raise
            return
        except av.FFmpegError:
            if not reading.failed():
                return


def small(frame: Any) -> Pixels:
    """(H, W, 3) of at most _SMALL_SIDE_PX a side, blue first; not turned, since only differences count."""
    width, height = _within(frame.width, frame.height, _SMALL_SIDE_PX)
    pixels: Pixels = np.ascontiguousarray(frame.reformat(width, height, "bgr24").to_ndarray())
    return pixels


def _picture_of(frame: Any) -> Callable[[], Image.Image]:
    return lambda: picture(frame, limits.MAX_OCR_SIDE_PX)


def picture(frame: Any, side_px: int) -> Image.Image:
    """Upright, no side longer than `side_px`."""
    width, height = _within(frame.width, frame.height, side_px)
    image: Image.Image = frame.reformat(width, height, "rgb24").to_image()
    # FFmpeg's display matrix turns counter-clockwise, as Pillow does.
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image


def _within(width: int, height: int, side_px: int) -> tuple[int, int]:
    scale = min(1.0, side_px / max(width, height, 1))
    return max(2, round(width * scale)), max(2, round(height * scale))
