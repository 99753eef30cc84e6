"""How does a training run go, whatever is trained? Steps, checkpoints, early stop, and the same result after a kill.

Every random draw of a step comes from (seed, step, process) alone, so a run that was killed and resumed ends with the
weights that it would have had.

On several processes (`torchrun --nproc-per-node N manage.py ...`) each draws its own batch, and gradients are averaged;
contrastive losses see the pairs of their own process.
"""

import json
import math
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from retrieval.training import processes
from retrieval.training.average import Average
from retrieval.training.curves import draw_curves

CHECKPOINT = "checkpoint.pt"
BEST = "best.pt"
METRICS = "metrics.jsonl"
CURVES = "curves.png"
# The checkpoint from before a `stable` schedule falls: a longer run goes on from there.
STABLE = "stable.pt"
FALL = 0.2
Say = Callable[[str], object]


class TrainingError(Exception):
    """The run cannot go on. What was good is kept; the message says why, and what to do."""


class Task(Protocol):
    """What is trained. `model` holds all that has weights; it is moved to the device by the loop."""

    @property
    def model(self) -> nn.Module: ...

    def loss(self, step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        """Of the batch of `step`, drawn from `generator` (on the CPU), and figures to write down."""
        ...

    def evaluate(self) -> dict[str, float]:
        """Figures of `model` on held-out data, of which `LoopSettings.watch` names the one that decides."""
        ...


@dataclass(frozen=True, slots=True)
class LoopSettings:
    steps: int
    learning_rate: float = 1e-3
    # Weight decay spares vectors: biases and the scales of normalisations (Goyal et al. 2017).
    weight_decay: float = 0.05
    warmup_steps: int = 300
    # `stable` stays at the top and falls in the last fifth, so that a run can be taken further from before its fall
    # (Hu et al. 2024, warm-up-stable-decay).
    schedule: Literal["cosine", "linear", "stable", "constant"] = "cosine"
    # The rate at the end, as a share of the highest.
    last_rate: float = 0.01
    accumulate: int = 1
    precision: Literal["float32", "bfloat16"] = "float32"
    # Parts of the model, by the beginning of their weights' names, that learn at a share of the rate.
    slow: Mapping[str, float] = field(default_factory=dict)
    clip_norm: float = 10.0
    average: float = 0.999
    seed: int = 0
    evaluate_every: int = 500
    checkpoint_every: int = 250
    # Evaluations without a better figure before the run stops; 0 never stops early.
    patience: int = 0
    watch: str = "recall"
    # A picture of the metrics at each evaluation: seconds, for runs that a person watches.
    curves: bool = True
    device: str = "auto"


@dataclass(slots=True)
class Progress:
    """Where a run is. Kept in its checkpoints."""

    step: int = 0
    best: float = -math.inf
    best_step: int = 0
    since_best: int = 0
    seconds: float = 0.0
    figures: dict[str, float] = field(default_factory=dict)


def train(
    task: Task, settings: LoopSettings, folder: Path, *, resume: bool = False, say: Say = print
) -> Progress:
    """Runs to `settings.steps`, or to an early stop; `folder` gets checkpoints, metrics and curves.

    The best averaged weights are in `folder/best.pt`. Raises TrainingError for a loss that is no number, after
    keeping the last good checkpoint, and for a folder that holds another run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = _device(settings.device)
    task.model.to(device)
    optimiser = torch.optim.AdamW(
        _groups(task.model, settings.weight_decay, settings.slow), lr=settings.learning_rate
    )
    averaged = Average(task.model, settings.average)
    progress = Progress()
    if resume:
        progress = _resume(folder, task.model, optimiser, averaged, settings, device)
        say(f"resumed at step {progress.step}")
    elif (folder / CHECKPOINT).exists():
        raise TrainingError(f"{folder} holds a run already: resume it, or choose another folder.")
    processes.same_weights(task.model)
    began = time.monotonic() - progress.seconds
    while progress.step < settings.steps:
        figures = _step(task, optimiser, averaged, settings, progress.step, device)
        progress.step += 1
        progress.seconds = time.monotonic() - began
        processes.on_first(partial(_note, folder, settings, progress, figures, say))
        if progress.step % settings.evaluate_every == 0 or progress.step == settings.steps:
            _evaluate(task, averaged, settings, folder, progress, say)
            if settings.patience and progress.since_best >= settings.patience:
                say(f"stopped early: {settings.watch} got no better in {progress.since_best} evaluations")
                break
        if progress.step % settings.checkpoint_every == 0 or progress.step == settings.steps:
            # Statistics and queues are each process's own; a resumed run has the first one's everywhere.
            processes.same_weights(task.model)
            processes.on_first(partial(_save, folder, task.model, optimiser, averaged, settings, progress))
    return progress


def extend(folder: Path) -> None:
    """Turns the run in `folder` back to before its rate fell, so that a resume with more steps takes it further."""
    try:
        shutil.copyfile(folder / STABLE, folder / CHECKPOINT)
    except FileNotFoundError as error:
        raise TrainingError(f"{folder} has no {STABLE}: its schedule was not `stable`.") from error


def best_weights(folder: Path) -> dict[str, Tensor]:
    """Of the best averaged model of the run in `folder`. Raises TrainingError where it never got to one."""
    try:
        stored = torch.load(folder / BEST, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise TrainingError(f"{folder} has no {BEST}: the run was never evaluated.") from error
    weights: dict[str, Tensor] = stored["model"]
    return weights


def rate(step: int, settings: LoopSettings) -> float:
    """The learning rate of `step`: a linear rise, then the schedule down to its last share."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    done = (step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps)
    falls = {
        "cosine": (1 + math.cos(math.pi * done)) / 2,
        "linear": 1 - done,
        "stable": min(1.0, (1 - done) / FALL),
        "constant": 1.0,
    }[settings.schedule]
    return settings.learning_rate * (settings.last_rate + (1 - settings.last_rate) * falls)


def _step(
    task: Task,
    optimiser: torch.optim.Optimizer,
    averaged: Average,
    settings: LoopSettings,
    step: int,
    device: torch.device,
) -> dict[str, float]:
    task.model.train()
    for group in optimiser.param_groups:
        group["lr"] = rate(step, settings) * group["share"]
    optimiser.zero_grad(set_to_none=True)
    figures: dict[str, float] = {}
    for part in range(settings.accumulate):
        # Both generators: a task draws its batch from one, dropout inside the model from torch's own.
        number = ((settings.seed * 1_000_003 + step) * settings.accumulate + part) * 64 + processes.rank()
        torch.manual_seed(number)
        generator = torch.Generator().manual_seed(number)
        precise = settings.precision == "float32"
        with nullcontext() if precise else torch.autocast(device.type, torch.bfloat16):
            loss, found = task.loss(step, generator)
        if not bool(torch.isfinite(loss)):
            raise TrainingError(
                f"The loss of step {step + 1} is {float(loss.detach())}. The last checkpoint is kept: resume from it"
                " with a lower learning rate or in float32."
            )
        torch.autograd.backward(loss / settings.accumulate)
        for name, value in {"loss": float(loss.detach()), **found}.items():
            figures[name] = figures.get(name, 0.0) + value / settings.accumulate
    processes.average_gradients(task.model)
    norm = torch.nn.utils.clip_grad_norm_(task.model.parameters(), settings.clip_norm)
    if not bool(torch.isfinite(norm)):
        raise TrainingError(
            f"The gradient of step {step + 1} is not finite. The last checkpoint is kept: resume from it with a lower"
            " learning rate or in float32."
        )
    optimiser.step()
    averaged.update(task.model)
    return figures | {"rate": rate(step, settings), "norm": float(norm)}


def _evaluate(
    task: Task, averaged: Average, settings: LoopSettings, folder: Path, progress: Progress, say: Say
) -> None:
    with averaged.in_place_of(task.model), torch.no_grad():
        task.model.eval()
        figures = processes.from_first(task.evaluate)
        progress.figures = figures
        if settings.watch not in figures:
            raise TrainingError(f"Nothing called {settings.watch} is measured: {', '.join(sorted(figures))}.")
        found = figures[settings.watch]
        progress.since_best = 0 if found > progress.best else progress.since_best + 1
        # Of equals the later one: the figure is a share of a few thousand, and the losses went on falling.
        if found >= progress.best:
            progress.best, progress.best_step = found, progress.step
            processes.on_first(
                lambda: _write(folder / BEST, {"model": task.model.state_dict(), "step": progress.step})
            )

    def note() -> None:
        _append(folder, {"step": progress.step, "seconds": round(progress.seconds, 1), "held_out": figures})
        if settings.curves:
            draw_curves(folder / METRICS, folder / CURVES)
        said = " ".join(f"{name} {value:.4f}" for name, value in figures.items())
        say(f"step {progress.step}: held out: {said} (best {progress.best:.4f} at {progress.best_step})")

    processes.on_first(note)


def _note(
    folder: Path, settings: LoopSettings, progress: Progress, figures: Mapping[str, float], say: Say
) -> None:
    _append(folder, {"step": progress.step, "seconds": round(progress.seconds, 1), "train": figures})
    left = progress.seconds / progress.step * (settings.steps - progress.step)
    said = " ".join(f"{name} {value:.4g}" for name, value in figures.items())
    say(f"step {progress.step}/{settings.steps} {said} left {left / 60:.0f} min")


def _append(folder: Path, line: Mapping[str, Any]) -> None:
    with (folder / METRICS).open("a") as metrics:
        metrics.write(json.dumps(line) + "\n")


def _save(
    folder: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    averaged: Average,
    settings: LoopSettings,
    progress: Progress,
) -> None:
    _write(
        folder / CHECKPOINT,
        {
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "averaged": averaged.state(),
            "settings": asdict(settings),
            "progress": asdict(progress),
        },
    )
    if settings.schedule == "stable" and rate(progress.step, settings) == settings.learning_rate:
        shutil.copyfile(folder / CHECKPOINT, folder / STABLE)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Whole or not at all: a run may be killed while it writes."""
    unfinished = path.with_suffix(".unfinished")
    torch.save(dict(content), unfinished)
    unfinished.replace(path)


def _resume(
    folder: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    averaged: Average,
    settings: LoopSettings,
    device: torch.device,
) -> Progress:
    try:
        stored = torch.load(folder / CHECKPOINT, map_location=device, weights_only=True)
    except FileNotFoundError as error:
        raise TrainingError(f"{folder} has no {CHECKPOINT} to resume from.") from error
    changed = [
        name
        for name in ("seed", "learning_rate", "weight_decay", "accumulate", "schedule", "average")
        if stored["settings"][name] != asdict(settings)[name]
    ]
    if changed:
        raise TrainingError(f"The run in {folder} was begun with another {', '.join(changed)}.")
    model.load_state_dict(stored["model"])
    optimiser.load_state_dict(stored["optimiser"])
    averaged.restore(stored["averaged"])
    progress = Progress(**stored["progress"])
    _forget_after(folder / METRICS, progress.step)
    return progress


def _forget_after(metrics: Path, step: int) -> None:
    """Steps after the checkpoint are done again, and would stand there twice."""
    kept = [line for line in metrics.read_text().splitlines() if json.loads(line)["step"] <= step]
    metrics.write_text("".join(line + "\n" for line in kept))


def _groups(model: nn.Module, decay: float, slow: Mapping[str, float]) -> list[dict[str, Any]]:
    """One group for each kind of weight; `share` multiplies the rate of what begins as something good already."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            share = next((share for prefix, share in slow.items() if name.startswith(prefix)), 1.0)
            groups.setdefault((decay if weight.ndim > 1 else 0.0, share), []).append(weight)
    return [
        {"params": weights, "weight_decay": decay, "share": share}
        for (decay, share), weights in sorted(groups.items(), key=lambda item: item[0])
    ]


def _device(wanted: str) -> torch.device:
    if wanted != "auto":
        return torch.device(wanted)
    return torch.device("cuda", processes.local_rank()) if torch.cuda.is_available() else torch.device("cpu")
