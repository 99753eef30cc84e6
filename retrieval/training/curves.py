"""How did a run go? Its metrics as one picture."""

import json
from pathlib import Path
from typing import Any


def draw_curves(metrics: Path, picture: Path) -> None:
    """The losses of training, smoothed, above; the held-out figures below. Overwrites `picture` (PNG)."""
    # Heavy, and needed only where something is trained.
    from matplotlib.figure import Figure

    lines: list[dict[str, Any]] = [json.loads(line) for line in metrics.read_text().splitlines()]
    figure = Figure(figsize=(9, 7), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    trained = [(line["step"], line["train"]) for line in lines if "train" in line]
    for name in sorted({name for _, figures in trained for name in figures if "loss" in name}):
        points = [(step, figures[name]) for step, figures in trained if name in figures]
        above.plot([step for step, _ in points], _smooth([value for _, value in points]), label=name)
    held_out = [(line["step"], line["held_out"]) for line in lines if "held_out" in line]
    for name in sorted({name for _, figures in held_out for name in figures}):
        points = [(step, figures[name]) for step, figures in held_out if name in figures]
        below.plot([step for step, _ in points], [value for _, value in points], marker="o", label=name)
    above.set_ylabel("training")
    below.set_ylabel("held out")
    below.set_xlabel("step")
    for axes in (above, below):
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize="small")
    figure.savefig(picture, dpi=100)


def _smooth(values: list[float], decay: float = 0.95) -> list[float]:
    smoothed: list[float] = []
    for value in values:
        smoothed.append(decay * smoothed[-1] + (1 - decay) * value if smoothed else value)
    return smoothed
