"""How does a trained image encoder get smaller, and what does each way cost?

Pruning takes out whole channels, so that what is left is a smaller network of the usual kind, faster everywhere;
further training, by itself or after a teacher, brings some of the loss back; `export` writes int8.
"""

import copy
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from retrieval.encoders.base import Encoder, Vectors
from retrieval.encoders.runtime import Session
from retrieval.training import augment, towers
from retrieval.training.corpus import Corpus
from retrieval.training.export import float32_graph
from retrieval.training.held_out import HeldOut, measure
from retrieval.training.image_text import (
    TO_TEACHER,
    ImageTextModel,
    ImageTextTask,
    Recipe,
    Teacher,
    recipe_of,
)
from retrieval.training.loop import LoopSettings, TrainingError, best_weights, train

# Channel counts that are multiples of it fill the vector units of common CPUs.
MULTIPLE = 8
TIMED = 20
Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: an encoder in one form, its size as a file, its time for a picture, and what it finds."""

    form: str
    megabytes: float
    ms: float
    figures: dict[str, float]


def read_run(folder: Path) -> tuple[ImageTextModel, Recipe]:
    """The best model of a run of `manage.py train_encoder`. Raises TrainingError."""
    try:
        recipe = recipe_of(json.loads((folder / "run.json").read_text(encoding="utf-8"))["recipe"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{folder} holds no run of train_encoder: run.json cannot be read ({error})."
        ) from error
    model = ImageTextModel(recipe)
    try:
        model.load_state_dict(best_weights(folder))
    except RuntimeError as error:
        raise TrainingError(f"The weights in {folder} are not those of its run.json: {error}") from error
    return model.eval(), recipe


def measured(form: str, model: ImageTextModel, held: HeldOut, side_px: int) -> Row:
    """In float32, as a graph on the runtime that serves."""
    graph = float32_graph(model.eval().tower, side_px)
    with torch.no_grad():
        return Row(form, len(graph) / 1e6, milliseconds(graph, held, side_px), measure(model, held, side_px))


def milliseconds(graph: bytes, held: HeldOut, side_px: int) -> float:
    """Of one picture at a time, on one thread, the median."""
    pixels = augment.plain(held.pictures[:1], side_px).numpy()
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "image.onnx"
        path.write_bytes(graph)
        session = Session(path, threads=1)
        took = []
        for _ in range(TIMED + 1):
            began = time.perf_counter()
            session.run({"pixel_values": pixels})
            took.append(time.perf_counter() - began)
    # The first one also makes room for the values between layers.
    return float(np.median(took[1:])) * 1000


def prune(model: ImageTextModel, share: float) -> int:
    """Takes `share` of the channels inside each block out, the weakest first; gives the number of weights taken.

    A channel is as strong as the weights that make it times those that read it (Molchanov et al. 2017 compare such
    measures; Li et al. 2017 prune whole filters by magnitude). Channels between blocks stay: all blocks add to them.
    """
    if not 0 < share < 1:
        raise ValueError("The share to prune is between 0 and 1.")
    before = sum(weight.numel() for weight in model.parameters())
    with torch.no_grad():
        for module in list(model.tower.modules()):
            if isinstance(module, towers.Block):
                _thin_block(module, share)
            elif isinstance(module, nn.TransformerEncoderLayer):
                _thin_layer(module, share)
    return before - sum(weight.numel() for weight in model.parameters())


def further(
    model: ImageTextModel,
    corpus: Corpus,
    held: HeldOut,
    recipe: Recipe,
    folder: Path,
    *,
    steps: int,
    learning_rate: float,
    teacher: Encoder | None = None,
    seed: int = 0,
    resume: bool = False,
    say: Say = print,
) -> ImageTextModel:
    """Trains `model` for `steps` more at its last size, towards `teacher` where there is one. Raises TrainingError."""
    torch.manual_seed(seed)
    last = replace(recipe, stages=(replace(recipe.stages[-1], until=1.0),))
    taught = teacher_of(teacher, corpus) if teacher is not None else None
    task = ImageTextTask(corpus, held, last, steps, model=model, teacher=taught)
    every = max(1, steps // 5)
    train(
        task,
        LoopSettings(
            steps=steps,
            learning_rate=learning_rate,
            warmup_steps=min(100, steps // 10),
            # Few steps: a long memory would still hold the model from before.
            average=0.99,
            evaluate_every=every,
            checkpoint_every=every,
            seed=seed,
        ),
        folder,
        resume=resume,
        say=say,
    )
    model.cpu().load_state_dict(best_weights(folder))
    if taught is not None:
        delattr(model, TO_TEACHER)
    return model.eval()


def teacher_of(encoder: Encoder, corpus: Corpus) -> Teacher:
    """What `encoder` makes of the corpus' pictures, each encoded once, when it is first drawn."""
    known: dict[int, Vectors] = {}

    def rows(numbers: Tensor) -> Tensor:
        new = sorted({int(number) for number in numbers} - known.keys())
        if new:
            known.update(zip(new, _encoded(encoder, corpus, new), strict=True))
        return torch.from_numpy(np.stack([known[int(number)] for number in numbers]))

    return Teacher(encoder.spec.dimensions, rows)


def _encoded(encoder: Encoder, corpus: Corpus, numbers: Sequence[int]) -> Vectors:
    return encoder.encode_images([Image.fromarray(np.asarray(corpus.pictures[number])) for number in numbers])


def _thin_block(block: towers.Block, share: float) -> None:
    conv, norm = block.first[0], block.first[1]
    reads, after = block.second[0], block.second[1]
    if not (
        isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d) and isinstance(reads, nn.Conv2d)
    ):
        raise TypeError("A block is two convolutions, each with its normalisation.")
    scale = norm.weight.abs() / (_buffer(norm.running_var) + norm.eps).sqrt()
    kept = _strongest(
        conv.weight.flatten(1).norm(dim=1) * scale * reads.weight.transpose(0, 1).flatten(1).norm(dim=1),
        share,
    )
    settled = nn.BatchNorm2d(len(kept), eps=norm.eps).train(norm.training)
    settled.weight.copy_(norm.weight[kept])
    settled.bias.copy_(norm.bias[kept])
    _buffer(settled.running_mean).copy_(_buffer(norm.running_mean)[kept])
    _buffer(settled.running_var).copy_(_buffer(norm.running_var)[kept])
    block.first = nn.Sequential(_with_weight(conv, conv.weight[kept]), settled)
    block.second = nn.Sequential(_with_weight(reads, reads.weight[:, kept]), after)


def _with_weight(conv: nn.Conv2d, weight: Tensor) -> nn.Conv2d:
    """The same convolution between other numbers of channels."""
    thinner = copy.deepcopy(conv)
    thinner.weight = nn.Parameter(weight.clone())
    thinner.out_channels, thinner.in_channels = weight.shape[:2]
    return thinner


def _thin_layer(layer: nn.TransformerEncoderLayer, share: float) -> None:
    makes, reads = layer.linear1, layer.linear2
    kept = _strongest(makes.weight.norm(dim=1) * reads.weight.norm(dim=0), share)
    smaller, reader = nn.Linear(makes.in_features, len(kept)), nn.Linear(len(kept), reads.out_features)
    smaller.weight.copy_(makes.weight[kept])
    smaller.bias.copy_(makes.bias[kept])
    reader.weight.copy_(reads.weight[:, kept])
    reader.bias.copy_(reads.bias)
    layer.linear1, layer.linear2 = smaller, reader


def _strongest(strength: Tensor, share: float) -> Tensor:
    """The numbers of those that stay, in their order."""
    wanted = round((1 - share) * len(strength) / MULTIPLE) * MULTIPLE
    count = min(len(strength), max(MULTIPLE, wanted))
    return strength.topk(count).indices.sort().values


def _buffer(value: Tensor | None) -> Tensor:
    if value is None:
        raise TypeError("The normalisation keeps no statistics.")
    return value
