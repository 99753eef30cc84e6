"""Where does one shot of a video end and the next begin, and which frame shows a shot best?

Cuts are PySceneDetect's AdaptiveDetector's: a frame that differs from the one before much more than its neighbours
do. So a slide that gives way to another is a cut, though both are white, and a quick pan is none. Shots are kept
within a floor and a ceiling on length. Frames are seen once, in order; of the current shot a few are held.
"""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scenedetect import FrameTimecode
from scenedetect.common import Timecode
from scenedetect.detectors import AdaptiveDetector

from workers.extract import limits

logging.getLogger("pyscenedetect").setLevel(logging.WARNING)

Pixels = npt.NDArray[np.uint8]

# How much more than its neighbours a frame must differ (the detector's own default), and by how much at least, in
# mean steps of 0 to 255 over hue, saturation, brightness and edges. Edges tell slides apart: measured at 256 pixels,
# a slide of text differs from the next by 1.2 and more with them, by 0.3 without, and by 0.6 from itself with one
# line more.
_RATIO, _LEAST_DIFFERENCE = 3.0, 0.5
_WEIGHTS = AdaptiveDetector.Components(1, 1, 1, 1)
# A keyframe of a poorly compressed video differs as much, but everywhere a little: there is no cut between two frames
# of which no block differs by this. One line of text changes its blocks by 20 and more.
_ALIKE = 8.0
_BLOCK_PX = 16
# Neighbours on either side: a quarter of a second at SAMPLES_PER_S.
_NEIGHBOURS = 2
# Frames of one shot that are held, 6 MB each at full HD; when there are more, every other one goes.
_MOST_CANDIDATES = 16
# Two candidates a second are as good as eight.
_CANDIDATE_GAP_MS = 400
# A frame this uniform shows nothing: black before the title, a white flash. Standard deviation of brightness.
_BLANK = 4.0
# How much a frame at either end of the shot counts, against one in the middle: it may be half dissolved.
_EDGE_WEIGHT = 0.4


@dataclass(frozen=True, slots=True)
class Frame:
    """A sampled frame. `small` (H, W, 3) is a thumbnail in OpenCV's order of channels."""

    time_ms: int
    small: Pixels
    picture: Callable[[], Image.Image]


@dataclass(frozen=True, slots=True)
class Shot:
    """`picture` is None where nothing is to be seen from beginning to end."""

    start_ms: int
    end_ms: int
    picture: Image.Image | None
    small: Pixels | None


@dataclass(frozen=True, slots=True)
class _Candidate:
    time_ms: int
    small: Pixels
    picture: Image.Image
    sharpness: float


class ShotFinder:
    def __init__(self, start_ms: int) -> None:
        self._detector = AdaptiveDetector(
            adaptive_threshold=_RATIO,
            # The floor is kept below: the detector would let a false cut hide the true one that follows.
            min_scene_len=0,
            window_width=_NEIGHBOURS,
            weights=_WEIGHTS,
            min_content_val=_LEAST_DIFFERENCE,
        )
        self._start_ms = start_ms
        self._held: list[_Candidate] = []
        # The last frames: those around a cut, which the detector names when it has seen what follows.
        self._recent: deque[tuple[int, Pixels]] = deque(maxlen=2 * _NEIGHBOURS + 2)
        self._shots: list[Shot] = []

    def add(self, frame: Frame) -> None:
        """Frames must come in order of time."""
        if frame.time_ms - self._start_ms >= limits.MAX_SHOT_MS:
            self._close(self._start_ms + limits.MAX_SHOT_MS)
        self._look(frame.time_ms, frame.small)
        self._hold(frame)

    def finish(self, end_ms: int) -> list[Shot]:
        """All shots, the last one ending at `end_ms`."""
        # The detector wants to see what comes after a frame: the last one stays.
        for later in range(1, _NEIGHBOURS + 1):
            if self._recent:
                self._look(self._recent[-1][0] + later, self._recent[-1][1])
        if end_ms > self._start_ms:
            self._close(end_ms)
        if len(self._shots) > 1 and self._shots[-1].end_ms - self._shots[-1].start_ms < limits.MIN_SHOT_MS:
            rest = self._shots.pop()
            last = self._shots.pop()
            self._shots.append(Shot(last.start_ms, rest.end_ms, last.picture, last.small))
        return self._shots

    def _look(self, time_ms: int, small: Pixels) -> None:
        self._recent.append((time_ms, small))
        for cut in self._detector.process_frame(_timecode(time_ms), small):
            cut_ms = round(cut.seconds * 1000)
            before = [picture for at_ms, picture in self._recent if at_ms < cut_ms]
            # A flash is part of the shot that follows it.
            if cut_ms - self._start_ms >= limits.MIN_SHOT_MS and not (before and alike(before[-1], small)):
                self._close(cut_ms)

    def _close(self, end_ms: int) -> None:
        own = [candidate for candidate in self._held if candidate.time_ms < end_ms]
        self._held = self._held[len(own) :]
        best = _best(own, (self._start_ms + end_ms) / 2, (end_ms - self._start_ms) / 2)
        shot = Shot(self._start_ms, end_ms, best.picture if best else None, best.small if best else None)
        self._shots.append(shot)
        self._start_ms = end_ms

    def _hold(self, frame: Frame) -> None:
        # The first frame after a cut comes at once: the shot may have no other.
        gap_ms = frame.time_ms - self._held[-1].time_ms if self._held else _CANDIDATE_GAP_MS
        if gap_ms < _CANDIDATE_GAP_MS:
            return
        if len(self._held) >= _MOST_CANDIDATES:
            self._held = self._held[::2]
        self._held.append(_Candidate(frame.time_ms, frame.small, frame.picture(), _sharpness(frame.small)))


def _best(candidates: list[_Candidate], middle_ms: float, half_ms: float) -> _Candidate | None:
    def worth(candidate: _Candidate) -> float:
        away = min(1.0, abs(candidate.time_ms - middle_ms) / half_ms) if half_ms else 0.0
        return candidate.sharpness * (1 - (1 - _EDGE_WEIGHT) * away)

    seen = [candidate for candidate in candidates if float(candidate.small.std()) >= _BLANK]
    return max(seen, key=worth, default=None)


def _sharpness(small: Pixels) -> float:
    """The mean strength of edges: blur and motion lower it."""
    grey = small.mean(axis=2)
    across, down = np.abs(np.diff(grey, axis=1)).mean(), np.abs(np.diff(grey, axis=0)).mean()
    return float(across + down) + 0.01


def _timecode(time_ms: int) -> Any:
    return FrameTimecode(Timecode(time_ms, Fraction(1, 1000)), fps=float(limits.SAMPLES_PER_S))


def alike(one: Pixels, other: Pixels) -> bool:
    """Whether two thumbnails show the same, words and all."""
    if one.shape != other.shape:
        return False
    change = np.abs(one.astype(np.int16) - other).mean(axis=2)
    rows, columns = (range(0, length, _BLOCK_PX) for length in change.shape)
    blocks = (change[y : y + _BLOCK_PX, x : x + _BLOCK_PX] for y in rows for x in columns)
    return all(float(block.mean()) < _ALIKE for block in blocks)
