"""How is the student trained? Material, first weights, the loop; the run's folder says what it was made of."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from retrieval.encoders.minilm import model_folder
from retrieval.pairs import read_all, read_pairs
from retrieval.training.loop import LoopSettings, TrainingError, train
from retrieval.training.student.material import Material, gather, read_captions
from retrieval.training.student.model import Bag, Student
from retrieval.training.student.task import Distillation
from retrieval.training.student.teacher import Teacher

RUN = "run.json"
# What may change when a run is resumed: how far and how fast it goes, not what it learns.
FREE = frozenset({"steps", "threads", "patience", "every", "device"})


@dataclass(frozen=True, slots=True)
class Choices:
    pairs: list[Path]
    held_out: Path
    sources: list[str] | None = None
    captions: list[Path] = field(default_factory=list)
    layers: list[int] = field(default_factory=lambda: list(range(6)))
    words: int = 20_000
    steps: int = 6000
    batch: int = 128
    rate: float = 1e-4
    bag: bool = False
    seed: int = 0
    threads: int = 0
    patience: int = 8
    every: int = 250
    device: str = "auto"

    def described(self) -> dict[str, Any]:
        """As JSON values."""
        fields = asdict(self)
        for name in ("pairs", "captions"):
            fields[name] = [str(path) for path in fields[name]]
        return fields | {"held_out": str(self.held_out)}


def run(choices: Choices, folder: Path, *, resume: bool, say: Callable[[str], object]) -> dict[str, Any]:
    """The last figures. Raises DataError, ShardError and TrainingError, each with its remedy."""
    if choices.threads:
        torch.set_num_threads(choices.threads)
    if resume:
        _refuse_another_run(choices, folder)
    pairs = read_all(choices.pairs, say, sources=choices.sources)
    material = gather(
        pairs,
        read_captions(choices.captions),
        read_pairs(choices.held_out, say),
        folder,
        words=choices.words,
        say=say,
    )
    (folder / RUN).write_text(
        json.dumps(
            choices.described() | {"texts_by_source": material.by_source}, indent=1, ensure_ascii=False
        )
    )
    progress = train(_task(choices, material), _settings(choices), folder, resume=resume, say=say)
    return {"step": progress.step, "best": progress.best, "best_step": progress.best_step, **progress.figures}


def _task(choices: Choices, material: Material) -> Distillation:
    torch.manual_seed(choices.seed)
    teacher = Teacher(model_folder())
    student: torch.nn.Module = (
        Bag(teacher, material.new_vectors)
        if choices.bag
        else Student(teacher, material.new_vectors, choices.layers)
    )
    return Distillation(student, material.learnt, material.held_out, material.spelling, batch=choices.batch)


def _settings(choices: Choices) -> LoopSettings:
    return LoopSettings(
        steps=choices.steps,
        learning_rate=choices.rate,
        # The vectors of words seen once a run would shrink between their turns.
        weight_decay=0.0,
        warmup_steps=50,
        schedule="stable",
        precision="bfloat16",
        clip_norm=20.0,
        average=0.998,
        seed=choices.seed,
        evaluate_every=choices.every,
        checkpoint_every=choices.every,
        patience=choices.patience,
        watch="zh_to_en",
        device=choices.device,
    )


def _refuse_another_run(choices: Choices, folder: Path) -> None:
    try:
        before = json.loads((folder / RUN).read_text())
    except (OSError, ValueError) as error:
        raise TrainingError(f"{folder} holds no run to resume: {error}") from error
    changed = [
        name for name, value in choices.described().items() if name not in FREE and before.get(name) != value
    ]
    if changed:
        raise TrainingError(f"The run in {folder} was begun with another {', '.join(changed)}.")
