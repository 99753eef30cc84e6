"""What two processes that train together must agree on; run as each of them, it writes what it ended with.

WORLD_SIZE=2 RANK=0 MASTER_ADDR=127.0.0.1 MASTER_PORT=... python -m tests.two_processes FOLDER
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from retrieval.training import processes
from retrieval.training.loop import LoopSettings, train


class Task:
    """Each process sees rows of its own, and keeps statistics of them; nothing about them is alike."""

    def __init__(self) -> None:
        torch.manual_seed(processes.rank())
        self.model: nn.Module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        # Never touched by the first process: the others' gradients of it count all the same.
        self.own = nn.Parameter(torch.zeros(2))
        self.model.register_parameter("own", self.own)

    def loss(self, _step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        rows = torch.randn(8, 3, generator=generator) + 5 * processes.rank()
        loss = (self.model(rows) - rows.sum(dim=1, keepdim=True)).square().mean()
        if processes.rank() == 1:
            loss = loss + self.own.sum()
        return loss, {}

    def evaluate(self) -> dict[str, float]:
        # Better and better in one process, worse and worse in the other: only one of them decides.
        self.asked = getattr(self, "asked", 0) + 1
        return {"recall": float(self.asked * (1 - 2 * processes.rank()))}


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    processes.join()
    rank = processes.rank()
    gradients = nn.Linear(2, 1, bias=False)
    gradients.weight.grad = torch.tensor([[1.0 + 2 * rank, 10.0]])
    processes.average_gradients(gradients)
    task = Task()
    settings = LoopSettings(
        steps=6, warmup_steps=1, evaluate_every=2, checkpoint_every=4, patience=2, curves=False
    )
    progress = train(task, settings, folder / "run", say=lambda _line: None)
    ended: dict[str, Any] = {
        "gradients": gradients.weight.grad.tolist(),
        "weights": {name: value.tolist() for name, value in task.model.state_dict().items()},
        "step": progress.step,
        "best": progress.best,
    }
    (folder / f"{rank}.json").write_text(json.dumps(ended))
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
