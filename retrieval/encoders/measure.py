"""Which forms of a graph are there, how fast is each on this host, and which may serve?

Quantised forms are judged on the probes against the float32 graph; the fastest that passes is kept.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from retrieval.encoders import probes
from retrieval.encoders.base import Modality, Vectors, unit_rows
from retrieval.encoders.image_tower import ImageTower
from retrieval.encoders.manifest import Candidate, file_sha256
from retrieval.encoders.pictures import ImagePart
from retrieval.encoders.text_tower import TextPart, TextTower

# The gate refuses a form that is broken on this host (int8 sums saturate on CPUs without VNNI) or for this
# model. On the probes all-MiniLM-L6-v2 keeps a mean cosine of 0.992 in int8 with one scale a channel, 0.950
# with one a matrix; on Cranfield the first costs 0.005 nDCG@10, about the standard error, the second 0.014.
LEAST_MEAN_COSINE = 0.98
# Of the ten nearest probes, the share that are still among the ten: 0.92 and 0.85 there. Many probes lie at
# like distances, and places nine to eleven change hands first.
NEIGHBOURS = 10
LEAST_NEIGHBOURS = 0.88
# The median of so many alternating rounds: the host's other work then slows all candidates alike.
ROUNDS = 5
# A quantised form must save this share of the time, so that the noise of a busy host does not decide, and
# change the revision, from one preparation to the next.
LEAST_SAVING = 0.1
# Embedding tables (Gather) stay float32: in int8 they saved no time and cost a further 0.007 nDCG@10. So do
# convolutions: an image transformer has one, of little work. Whoever changes this list changes what `int8`
# means, and must change that name too, which is part of the revision.
QUANTISED_OPERATORS = ["MatMul", "Attention"]

Say = Callable[[str], None]


class Trial(Protocol):
    """A candidate graph, loaded, with probes to encode."""

    def judge(self) -> Vectors:
        """Unit rows, one for each probe."""
        ...

    def short(self, turn: int) -> object: ...

    def long(self) -> object: ...


class TextTrial:
    """Short: one query. Long: four passages."""

    def __init__(self, graph: Path, *, tokenizer: Path, part: TextPart) -> None:
        self._tower = TextTower(graph, tokenizer, part)

    def judge(self) -> Vectors:
        return self._tower.encode(probes.SENTENCES)

    def short(self, turn: int) -> object:
        return self._tower.encode([probes.QUERIES[turn % len(probes.QUERIES)]], query=True)

    def long(self) -> object:
        return self._tower.encode(probes.PASSAGES)


class ImageTrial:
    """Short: one picture. Long: four."""

    def __init__(self, graph: Path, *, part: ImagePart) -> None:
        self._tower = ImageTower(graph, part)
        self._pictures = probes.pictures()

    def judge(self) -> Vectors:
        return self._tower.encode(self._pictures)

    def short(self, turn: int) -> object:
        return self._tower.encode([self._pictures[turn % len(self._pictures)]])

    def long(self) -> object:
        return self._tower.encode(self._pictures[:4])


def measured(tower: Modality, graph: Path, load: Callable[[Path], Trial], say: Say) -> list[Candidate]:
    """The candidates of the float32 `graph`, written beside it; the one to serve is marked as kept."""
    say(f"{tower}: quantising to int8")
    graphs = {"float32": graph, "int8": int8(graph)}
    say(f"{tower}: timing and judging {', '.join(graphs)}")
    trials = {name: load(path) for name, path in graphs.items()}
    times = _times_ms(trials)
    reference = trials["float32"].judge()
    candidates = []
    for name, path in graphs.items():
        sha256 = file_sha256(path)
        # Named by content: a process that reads the old manifest never opens the new graph for the old one.
        path = path.rename(path.with_name(f"{tower}-{name}-{sha256[:12]}.onnx"))
        rows = trials[name].judge()
        candidates.append(
            Candidate(
                tower=tower,
                quantisation=name,
                file=path.name,
                sha256=sha256,
                size_bytes=path.stat().st_size,
                mean_cosine=mean_cosine(reference, rows),
                neighbours=shared_neighbours(reference, rows),
                short_ms=times[name][0],
                long_ms=times[name][1],
            )
        )
    # Queries and passages weigh alike, as ratios: 1 ms saved of 2 counts as much as 50 of 100.
    best = min((c for c in candidates if _passes(c)), key=_cost)
    return [replace(candidate, kept=candidate is best) for candidate in candidates]


def mean_cosine(reference: Vectors, rows: Vectors) -> float:
    """Of each row of `rows` (N, D) with its own of `reference`."""
    return float(np.mean(np.sum(unit_rows(reference) * unit_rows(rows), axis=1)))


def shared_neighbours(reference: Vectors, rows: Vectors) -> float:
    """The mean share of each row's nearest ten (by cosine, itself aside) that are its nearest ten in both."""
    count = min(NEIGHBOURS, len(reference) - 1)
    shares = [
        len(set(ours) & set(theirs)) / count
        for ours, theirs in zip(_nearest(reference, count), _nearest(rows, count), strict=True)
    ]
    return statistics.fmean(shares)


def _cost(candidate: Candidate) -> float:
    """Squared milliseconds, the reference's scaled down by what another form must save."""
    saving = LEAST_SAVING if candidate.quantisation == "float32" else 0
    return candidate.short_ms * candidate.long_ms * (1 - saving) ** 2


def _passes(candidate: Candidate) -> bool:
    return candidate.mean_cosine >= LEAST_MEAN_COSINE and candidate.neighbours >= LEAST_NEIGHBOURS


def _nearest(rows: Vectors, count: int) -> list[list[int]]:
    similarity = rows @ rows.T
    np.fill_diagonal(similarity, -np.inf)
    nearest: list[list[int]] = np.argsort(-similarity, axis=1, kind="stable")[:, :count].tolist()
    return nearest


def int8(graph: Path) -> Path:
    """Weights in int8 with one scale a channel, activations quantised as they come."""
    path = graph.with_name(f"{graph.stem}-int8.onnx")
    model = onnx.load(graph)
    # Says that its pre-processing pass is not wanted: it folds what ONNX Runtime folds at loading anyway, and
    # its absence would be warned of on the root logger.
    onnx.helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
    quantize_dynamic(
        model,
        path,
        per_channel=True,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=QUANTISED_OPERATORS,
        # Types behind ONNX Runtime's own operators are not inferred; all that is quantised here is float.
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    return path


def _times_ms(trials: dict[str, Trial]) -> dict[str, tuple[float, float]]:
    """Median milliseconds of a short and a long input."""
    short: dict[str, list[float]] = {name: [] for name in trials}
    long: dict[str, list[float]] = {name: [] for name in trials}
    for trial in trials.values():  # The first run of each allocates.
        trial.short(0)
    for turn in range(ROUNDS):
        for name, trial in trials.items():
            start = time.perf_counter()
            trial.short(turn)
            middle = time.perf_counter()
            trial.long()
            short[name].append((middle - start) * 1000)
            long[name].append((time.perf_counter() - middle) * 1000)
    return {name: (statistics.median(short[name]), statistics.median(long[name])) for name in trials}
