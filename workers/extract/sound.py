"""What does one time range of a recording sound like, in the form that a speech model takes?"""

from collections.abc import Iterator
from typing import Any

import av
import numpy as np
from av.container import InputContainer

from workers.extract import limits, media
from workers.extract.base import SOUND_RATE_PER_S, Extraction, ExtractionError, Source
from workers.extract.frames import Reading

_FILE = "sound.pcm"
# Samples by which neighbouring packets may be apart and still be neighbours: time stamps are rounded.
_JITTER = SOUND_RATE_PER_S // 20


def extract(source: Source) -> Extraction:
    """The range as 16-bit samples of one channel. A hole in the recording stays a hole: times must not slip."""
    start_s = source.part * limits.SECONDS_PER_PART
    samples = np.zeros(limits.SECONDS_PER_PART * SOUND_RATE_PER_S, dtype="<i2")
    filled = 0
    with media.opened(source) as container:
        if not container.streams.audio:
            raise ExtractionError("no_content", "The recording has no sound.")
        stream = container.streams.audio[0]
        if start_s:
            media.seek(container, stream, start_s)
        for begins_s, heard in _heard(container, stream):
            at = round((begins_s - media.origin_s(container) - start_s) * SOUND_RATE_PER_S)
            if at >= len(samples):
                break
            if abs(at - filled) < _JITTER:
                at = filled
            # A seek lands before the range; what lies there is another part's.
            heard, at = heard[max(0, -at) :], max(0, at)
            heard = heard[: len(samples) - at]
            samples[at : at + len(heard)] = heard
            filled = max(filled, at + len(heard))
    (source.scratch / _FILE).write_bytes(samples[:filled].tobytes())
    return Extraction(sound=_FILE)


def _heard(container: InputContainer, stream: Any) -> Iterator[tuple[float, Any]]:
    """Samples (N,) and the moment of the first. Broken packets are stepped over."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_RATE_PER_S)
    reading = Reading()
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
            for frame in packet.decode():
                begins_s = media.time_s(frame, frame.pts)
                parts = [part.to_ndarray().reshape(-1) for part in resampler.resample(frame)]
                if begins_s is not None and parts:
                    yield begins_s, np.concatenate(parts)
        except StopIteration:
            return
        except MemoryError:
            raise
        except (av.FFmpegError, ValueError) as error:
            if isinstance(error, EOFError) or not reading.failed():
                return
