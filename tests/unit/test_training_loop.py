"""Does a training run end as it should, whatever happens on the way?"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from retrieval.training.loop import (
    LoopSettings,
    Progress,
    TrainingError,
    best_weights,
    extend,
    rate,
    train,
)

torch.set_num_threads(1)
SETTINGS = LoopSettings(
    steps=12, learning_rate=0.05, warmup_steps=2, evaluate_every=4, checkpoint_every=3, average=0.9, device="cpu",
    curves=False,
)  # fmt: skip


class KilledError(Exception):
    """As a process is: in the middle of a step."""


class Line:
    """Finds the weights behind noisy sums of three numbers, with dropout and statistics on the way."""

    def __init__(self, at: Callable[[int], object] = lambda _step: None, **options: Any) -> None:
        torch.manual_seed(7)
        self.model: nn.Module = nn.Sequential(
            nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 1)
        )
        self._at, self._figures = at, options.get("figures")
        self.factor = 1.0

    def loss(self, step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        self._at(step)
        rows = torch.randn(16, 3, generator=generator)
        wanted = rows.sum(dim=1, keepdim=True)
        return (self.model(rows) - wanted).square().mean() * self.factor, {"step": float(step)}

    def evaluate(self) -> dict[str, float]:
        if self._figures:
            return {"recall": self._figures.pop(0)}
        rows = torch.linspace(-1, 1, 30).reshape(10, 3)
        return {"recall": -float((self.model(rows) - rows.sum(dim=1, keepdim=True)).square().mean())}


def run(folder: Path, settings: LoopSettings = SETTINGS, task: Any = None, **options: Any) -> Progress:
    return train(task or Line(), settings, folder, say=lambda _line: None, **options)


def state(folder: Path) -> dict[str, Any]:
    stored: dict[str, Any] = torch.load(folder / "checkpoint.pt", weights_only=True)
    return stored


def same(first: Any, second: Any) -> bool:
    """Bit by bit, through dicts and lists."""
    if isinstance(first, Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second)


def metrics(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("killed_at", [4, 7, 11])
def test_a_killed_run_resumes_to_the_very_same_weights(tmp_path: Path, killed_at: int) -> None:
    run(tmp_path / "whole")

    def kill(step: int) -> None:
        if step == killed_at:
            raise KilledError

    with pytest.raises(KilledError):
        run(tmp_path / "killed", task=Line(kill))
    # Whatever torch's own generator did meanwhile.
    torch.rand(5)
    run(tmp_path / "killed", resume=True)

    whole, resumed = state(tmp_path / "whole"), state(tmp_path / "killed")
    for stored in (whole, resumed):
        stored["progress"].pop("seconds")
    assert whole["progress"]["step"] == 12
    assert same(whole, resumed)
    assert same(best_weights(tmp_path / "whole"), best_weights(tmp_path / "killed"))
    # Each step stands in the metrics once.
    steps = [line["step"] for line in metrics(tmp_path / "killed") if "train" in line]
    assert steps == list(range(1, 13))


def test_another_seed_ends_elsewhere(tmp_path: Path) -> None:
    run(tmp_path / "one")
    run(tmp_path / "two", replace(SETTINGS, seed=1))
    assert not same(state(tmp_path / "one")["model"], state(tmp_path / "two")["model"])


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    task = Line()

    def spoil(step: int) -> None:
        task.factor = float("nan") if step == 7 else 1.0

    task._at = spoil
    with pytest.raises(
        TrainingError, match=r"loss of step 8 is nan.*checkpoint is kept.*lower learning rate"
    ):
        run(tmp_path, task=task)
    assert state(tmp_path)["progress"]["step"] == 6
    assert all(bool(torch.isfinite(value).all()) for value in state(tmp_path)["model"].values())
    assert run(tmp_path, resume=True).step == 12


def test_a_gradient_that_is_not_finite_stops_before_it_spoils_the_weights(tmp_path: Path) -> None:
    task = Line()

    def spoil(step: int) -> None:
        # A loss that is finite with a gradient that is not: the root of zero.
        weight = task.model.get_parameter("0.weight")
        if step == 4:
            task.factor = (weight * 0).sum().sqrt() + 1  # type: ignore[assignment]

    task._at = spoil
    with pytest.raises(TrainingError, match="gradient of step 5 is not finite"):
        run(tmp_path, task=task)
    assert bool(torch.isfinite(task.model.get_parameter("0.weight")).all())
    assert state(tmp_path)["progress"]["step"] == 3


def test_it_stops_early_when_nothing_gets_better_and_keeps_the_best(tmp_path: Path) -> None:
    said: list[str] = []
    task = Line(figures=[0.1, 0.5, 0.4, 0.5, 0.9])
    progress = train(task, replace(SETTINGS, steps=40, patience=2), tmp_path, say=said.append)
    # Evaluated at 4, 8, 12 and 16; the third and the fourth are not better than the second. The fourth is as good, and
    # has learnt for longer.
    assert (progress.step, progress.best, progress.best_step) == (16, 0.5, 16)
    assert any("stopped early" in line and "2 evaluations" in line for line in said)
    assert torch.load(tmp_path / "best.pt", weights_only=True)["step"] == 16


def test_without_patience_it_goes_on(tmp_path: Path) -> None:
    assert run(tmp_path, replace(SETTINGS, steps=20), Line(figures=[0.5, 0.1, 0.1, 0.1, 0.1])).step == 20


def test_a_figure_that_nobody_measures_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"Nothing called ndcg is measured: recall"):
        run(tmp_path, replace(SETTINGS, watch="ndcg"))


def test_the_rate_rises_and_falls_by_its_schedule() -> None:
    settings = replace(SETTINGS, steps=110, warmup_steps=10, learning_rate=1.0, last_rate=0.1)
    rates = {
        name: [rate(step, replace(settings, schedule=name)) for step in (0, 4, 9, 10, 60, 85, 110)]  # type: ignore[arg-type]
        for name in ("cosine", "linear", "stable", "constant")
    }
    rise = [0.1, 0.5, 1.0, 1.0]
    # Half-way 0.1 + 0.9 / 2; at three quarters (1 + cos 135°) / 2 = 0.146447 of 0.9.
    assert rates["cosine"] == pytest.approx([*rise, 0.55, 0.1 + 0.9 * 0.146447, 0.1], abs=1e-6)
    assert rates["linear"] == pytest.approx([*rise, 0.55, 0.325, 0.1])
    # Falls in the last fifth, from step 90 on.
    assert rates["stable"] == pytest.approx([*rise, 1.0, 1.0, 0.1])
    assert rate(100, replace(settings, schedule="stable")) == pytest.approx(0.1 + 0.9 / 2)
    assert rates["constant"] == pytest.approx([*rise, 1.0, 1.0, 1.0])


def test_a_stable_run_is_taken_further_to_where_a_longer_one_ends(tmp_path: Path) -> None:
    settings = replace(SETTINGS, schedule="stable", evaluate_every=50)
    run(tmp_path / "long", replace(settings, steps=24))
    run(tmp_path / "short", settings)
    extend(tmp_path / "short")
    # The rate falls after 2 + 0.8 x 10 = 10 steps: the last checkpoint before is that of step 9.
    assert state(tmp_path / "short")["progress"]["step"] == 9
    run(tmp_path / "short", replace(settings, steps=24), resume=True)
    assert same(state(tmp_path / "long")["model"], state(tmp_path / "short")["model"])


def test_only_stable_runs_are_taken_further(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(TrainingError, match="not `stable`"):
        extend(tmp_path)


def test_a_folder_with_another_run_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(TrainingError, match="holds a run already"):
        run(tmp_path)
    with pytest.raises(TrainingError, match="begun with another seed, learning_rate"):
        run(tmp_path, replace(SETTINGS, seed=3, learning_rate=0.1), resume=True)


def test_nothing_to_resume_or_to_use_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no checkpoint\.pt to resume"):
        run(tmp_path, resume=True)
    with pytest.raises(TrainingError, match="never evaluated"):
        best_weights(tmp_path)


class Halves:
    """One linear layer and fixed rows: all of them at once, or one half after the other."""

    def __init__(self, parts: int) -> None:
        self.model: nn.Module = nn.Linear(2, 1)
        nn.init.constant_(self.model.get_parameter("weight"), 0.5)
        nn.init.zeros_(self.model.get_parameter("bias"))
        self._rows = torch.randn(8, 2, generator=torch.Generator().manual_seed(0)).chunk(parts)
        self._next = 0

    def loss(self, _step: int, _generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        rows = self._rows[self._next % len(self._rows)]
        self._next += 1
        return (self.model(rows) - rows.sum(dim=1, keepdim=True)).square().mean(), {"rows": float(len(rows))}

    def evaluate(self) -> dict[str, float]:
        return {"recall": 0.0}


def test_accumulated_gradients_are_those_of_the_larger_batch(tmp_path: Path) -> None:
    run(tmp_path / "whole", task=Halves(1))
    run(tmp_path / "parts", replace(SETTINGS, accumulate=4), Halves(4))
    whole, parts = state(tmp_path / "whole")["model"], state(tmp_path / "parts")["model"]
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, atol=1e-5, rtol=0)
    # The loss that is written down is of all parts, too.
    losses = [
        [line["train"]["loss"] for line in metrics(tmp_path / name) if "train" in line]
        for name in ("whole", "parts")
    ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_weight_decay_spares_vectors(tmp_path: Path) -> None:
    class Still(Halves):
        def loss(self, _step: int, _generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
            return self.model(torch.zeros(1, 2)).sum() * 0, {}

    task = Still(1)
    nn.init.constant_(task.model.get_parameter("bias"), 1.0)
    run(tmp_path, replace(SETTINGS, weight_decay=0.5), task)
    assert float(task.model.get_parameter("weight").detach().abs().max()) < 0.5
    assert float(task.model.get_parameter("bias").detach()) == 1.0


def test_curves_are_drawn(tmp_path: Path) -> None:
    run(tmp_path, replace(SETTINGS, steps=4, curves=True))
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_two_processes_end_with_the_same_weights_and_decide_alike(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    together = {
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
    }
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.two_processes", str(tmp_path)],
            env=os.environ | together | {"RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    try:
        for process in started:
            _, complaint = process.communicate(timeout=300)
            assert process.returncode == 0, complaint
    finally:
        for process in started:
            process.kill()
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    # (1 + 3) / 2 and (10 + 10) / 2.
    assert first["gradients"] == [[2.0, 10.0]]
    assert first == second
    assert (first["step"], first["best"]) == (6, 3.0)
    # The parameter that only the second process moved.
    assert first["weights"]["own"][0] < 0
