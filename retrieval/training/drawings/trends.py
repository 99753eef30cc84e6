"""Which way do numbers go, and how are numbers made that go that way?

The name of a trend is read off the numbers that were drawn, so a sentence cannot say what the picture does not show."""

import math
from collections.abc import Sequence
from random import Random

from retrieval.training.drawings.words import Words

TRENDS: dict[str, Words] = {
    "rising": Words("rising", "呈上升趋势"),
    "falling": Words("falling", "呈下降趋势"),
    "flat": Words("flat and steady", "基本持平"),
    "peak": Words("rising to a peak in the middle and then falling", "先升后降,中间出现峰值"),
    "dip": Words("falling to a low in the middle and then rising", "先降后升,中间出现低谷"),
    "seasonal": Words("going up and down in a seasonal pattern", "呈周期性波动"),
}
# A series varies so little against its largest value that the eye calls it flat; from the second on it plainly moves.
_FLAT, _MOVES = 0.12, 0.35
# A turn counts once the series has gone back by this share of its range.
_TURN = 0.35


def trend_of(values: Sequence[float]) -> str:
    """One of TRENDS, or "mixed"."""
    high, low = max(values), min(values)
    if high - low <= _FLAT * high:
        return "flat"
    if high - low < _MOVES * high:
        return "mixed"
    turns = _turns([(value - low) / (high - low) for value in values])
    if len(turns) == 1:
        return "rising" if turns[0] > 0 else "falling"
    if len(turns) == 2:
        top = values.index(high if turns[0] > 0 else low) / (len(values) - 1)
        return ("peak" if turns[0] > 0 else "dip") if 0.2 <= top <= 0.8 else "mixed"
    return "seasonal" if len(turns) >= 4 else "mixed"


def _turns(values: Sequence[float]) -> list[int]:
    """The directions of the long runs, up as 1 and down as -1."""
    runs: list[int] = []
    low = high = values[0]
    for value in values[1:]:
        if runs and runs[-1] > 0:
            high = max(high, value)
            if value <= high - _TURN:
                runs.append(-1)
                low = value
        elif runs:
            low = min(low, value)
            if value >= low + _TURN:
                runs.append(1)
                high = value
        else:
            low, high = min(low, value), max(high, value)
            if value >= low + _TURN:
                runs.append(1)
                high = value
            elif value <= high - _TURN:
                runs.append(-1)
                low = value
    return runs


def numbers(rng: Random, trend: str, count: int) -> list[float]:
    """``count`` positive numbers of which ``trend_of`` says ``trend``."""
    # Few attempts fail; the last resort has no noise.
    for attempt in range(40):
        values = _shape(rng, trend, count, 0.0 if attempt > 30 else rng.uniform(0.0, 0.08))
        if trend_of(values) == trend:
            return values
    raise ValueError(f"{count} values cannot be {trend}.")


def _shape(rng: Random, trend: str, count: int, noise: float) -> list[float]:
    top = rng.choice((1.0, 5.0, 10.0, 40.0, 100.0, 500.0, 2000.0)) * rng.uniform(0.6, 1.0)
    floor = rng.uniform(0.05, 0.35)
    bend = rng.choice((0.6, 1.0, 1.0, 1.0, 1.8))
    middle = rng.uniform(0.3, 0.7)
    cycles = rng.uniform(2.0, min(6.0, max(2.0, count / 5)))
    phase = rng.uniform(0, math.tau)
    slope = rng.choice((0.0, 0.0, 0.25))
    values = []
    for i in range(count):
        t = i / (count - 1)
        if trend == "flat":
            height = 0.8 + rng.uniform(-0.04, 0.04)
        else:
            if trend in ("rising", "falling"):
                height = t**bend if trend == "rising" else (1 - t) ** bend
            elif trend in ("peak", "dip"):
                height = math.exp(-(((t - middle) / 0.24) ** 2))
                height = height if trend == "peak" else 1 - height
            else:
                height = (0.5 + 0.5 * math.sin(phase + t * cycles * math.tau)) * (1 - slope) + slope * t
            height = floor + (1 - floor) * height + rng.gauss(0, 1) * noise
        values.append(round(max(0.02, height) * top, 3))
    return values
