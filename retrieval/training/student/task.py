"""What does one step teach? That a Chinese text lies where the teacher puts its English translation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from retrieval.training.student.teacher import Half, padded

# Similarities are divided by it before the softmax; what sentence encoders are commonly trained with.
TEMPERATURE = 0.05
# Of the distance beside the ranking: pictures and English pages are compared with the same vectors, so being nearest
# among some is not enough.
COSINE_WEIGHT = 5.0
# English texts of other pairs, beside the batch's own, that a text must not be nearer to. They cost one product.
OTHERS = 2048
# Nearer than this to a text's own translation, another is the same in other words, and no mistake.
SAME = 0.95
# So many times a batch is drawn; of it, sorted by length, one slice is taken: what is padded is not learnt from.
DRAWN = 8
# The share of words that are read as their characters, so that characters too can spell what is no word here.
SPELT = 0.1


@dataclass(frozen=True, slots=True)
class Texts:
    """Token ids of many texts, one after the other."""

    tokens: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, ids: Sequence[Sequence[int]]) -> "Texts":
        lengths = np.array([len(text) for text in ids], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)])
        return cls(np.concatenate([np.array(text, dtype=np.int32) for text in ids]), starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, index: int) -> list[int]:
        return [int(token) for token in self.tokens[self.starts[index] : self.starts[index + 1]]]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        return np.diff(self.starts)


@dataclass(frozen=True, slots=True)
class Distilled:
    """What to learn from: `texts[i]` belongs at `targets[target[i]]`, and is drawn as often as `weight[i]` says."""

    texts: Texts
    targets: Half
    target: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HeldOut:
    texts: Texts
    targets: Half


class Distillation:
    """A `Task` of `retrieval.training.loop`."""

    def __init__(
        self,
        model: torch.nn.Module,
        learnt: Distilled,
        held_out: HeldOut,
        spelling: dict[int, list[int]],
        *,
        batch: int,
    ) -> None:
        """`spelling`: the characters of each word of several."""
        self.model: torch.nn.Module = model
        self._learnt = learnt
        self._held_out = held_out
        self._spelling = spelling
        self._batch = batch
        self._until = np.cumsum(learnt.weight) / learnt.weight.sum()
        self._lengths = learnt.texts.lengths

    def loss(self, _step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        draws = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        chosen = self._choose(draws)
        device = next(self.model.parameters()).device
        tokens, mask = padded([self._spelt(self._learnt.texts[index], draws) for index in chosen])
        own = self._targets(self._learnt.target[chosen], device)
        others = self._targets(draws.integers(0, len(self._learnt.targets), OTHERS), device)
        rows = self.model(tokens.to(device), mask.to(device)).float()
        cosine = (rows * own).sum(1).mean()
        ranking = (_ranking(rows, own, torch.cat([own, others])) + _ranking(own, own, rows, own)) / 2
        loss = ranking + COSINE_WEIGHT * (1 - cosine)
        return loss, {"ranking_loss": float(ranking.detach()), "cosine": float(cosine.detach())}

    def evaluate(self) -> dict[str, float]:
        rows = torch.from_numpy(encode(self.model, self._held_out.texts))
        targets = torch.from_numpy(self._held_out.targets.astype(np.float32))
        similarity = rows @ targets.T
        right = torch.arange(len(rows))
        return {
            "zh_to_en": float((similarity.argmax(1) == right).float().mean()),
            "en_to_zh": float((similarity.argmax(0) == right).float().mean()),
            "cosine": float(similarity.diagonal().mean()),
        }

    def _choose(self, draws: np.random.Generator) -> npt.NDArray[np.int64]:
        drawn = np.searchsorted(self._until, draws.random(self._batch * DRAWN))
        drawn = drawn[np.argsort(self._lengths[drawn], kind="stable")]
        start = int(draws.integers(DRAWN)) * self._batch
        return drawn[start : start + self._batch]

    def _spelt(self, ids: list[int], draws: np.random.Generator) -> list[int]:
        kept = draws.random(len(ids)) >= SPELT
        return [
            token
            for place, whole in enumerate(kept)
            for token in ([ids[place]] if whole else self._spelling.get(ids[place], [ids[place]]))
        ]

    def _targets(self, indices: npt.NDArray[np.int64], device: torch.device) -> Tensor:
        return torch.from_numpy(self._learnt.targets[indices].astype(np.float32)).to(device)


def encode(model: torch.nn.Module, texts: Texts, batch: int = 64) -> npt.NDArray[np.float32]:
    """(N, D) unit rows of the model as it stands, in the order of `texts`."""
    device = next(model.parameters()).device
    order = np.argsort(texts.lengths, kind="stable")
    found: dict[int, npt.NDArray[np.float32]] = {}
    with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            tokens, mask = padded([texts[index] for index in chosen])
            rows = model(tokens.to(device), mask.to(device)).float().cpu().numpy()
            found |= dict(zip((int(index) for index in chosen), rows, strict=True))
    return np.stack([found[index] for index in range(len(texts))])


def _ranking(rows: Tensor, own: Tensor, candidates: Tensor, candidates_mean: Tensor | None = None) -> Tensor:
    """Cross-entropy of `candidates[i]` (M, D) being the nearest to `rows[i]` (N, D), N <= M.

    A candidate whose meaning (`candidates_mean`, else itself) is the same as `own[i]` is not held against it.
    """
    similarity = rows @ candidates.T / TEMPERATURE
    meaning = candidates if candidates_mean is None else candidates_mean
    place = torch.arange(len(rows), device=rows.device)
    same = own @ meaning.T > SAME
    same[place, place] = False
    return torch.nn.functional.cross_entropy(similarity.masked_fill(same, -torch.inf), place)
