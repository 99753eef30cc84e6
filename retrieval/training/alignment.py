"""Does a head that was trained on a library find more of its pictures than the one before, among those held out?

Nothing but the head is trained: the vectors of pictures and of texts are fixed. Every file is held out once, while a
head learns from the others (Stone 1974, cross-validation), so that a small library gives as many test queries as it has
texts, and the head that would serve, trained on all of it by the same recipe, is judged by those.
"""

import hashlib
import tempfile
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from retrieval import evaluation
from retrieval.encoders.base import CosineRange, Vectors
from retrieval.encoders.compact_image import WORDS_FALSE_SHARE, cosine_range
from retrieval.encoders.text_head import TextHead
from retrieval.training import losses
from retrieval.training.corpus import CorpusError, Say
from retrieval.training.heads import Residual
from retrieval.training.loop import LoopSettings, best_weights, train

FOLDS = 5
# Of each picture, the best texts ask for it.
QUERIES_OF_A_PICTURE = 2
# Enough for a standard error of one point; more would make a large library wait.
MOST_QUERIES = 2000
# Ranks beyond it are no find to anybody.
DEPTH = 100
# The difference may be chance in one of twenty cases, as tests of retrieval commonly have it.
SIGNIFICANT = 0.05
WATCHED = "recall@10"
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """P pictures, some with words; T distinct texts."""

    pictures: Vectors  # (P, D) unit rows
    # Of each picture: those of one group are held out together.
    groups: Sequence[str]
    texts: Sequence[str]
    texts_of: Sequence[Sequence[int]]  # The best first; empty for a picture that only distracts.
    vectors: Vectors  # (T, D) unit rows, as the head is given them


@dataclass(frozen=True, slots=True)
class AlignSettings:
    # Measured on 250 photos with five sentences each: recall@10 of held-out ones rises from 0.236 to 0.284 (p = 0.016),
    # with a rate of 1e-3 only to 0.246 (p = 0.69).
    steps: int = 60
    batch: int = 256
    learning_rate: float = 3e-4
    weight_decay: float = 0.01
    # How much it costs to move a text away from where the earlier head has it: a library says little about most words.
    stay: float = 0.5
    # Texts and pictures that a batch is told apart from.
    others: int = 2048
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Held-out figures of the heads over the same queries, and what the difference is worth."""

    queries: int
    before: dict[str, float]
    after: dict[str, float]
    # Of the head that serves now, where that is another than the one before training. It may have learned from these
    # very files, which flatters it.
    active: dict[str, float] | None
    # Of `after` less `before`, and the chance of such a difference between heads that are alike.
    interval: tuple[float, float]
    p_value: float
    # Of the new head's cosines.
    words: CosineRange

    @property
    def beats_the_encoder(self) -> bool:
        """The head before training, beyond chance."""
        return self.after[WATCHED] > self.before[WATCHED] and self.p_value <= SIGNIFICANT

    @property
    def is_better(self) -> bool:
        """Than that, and not worse than the head that serves."""
        return self.beats_the_encoder and (self.active is None or self.after[WATCHED] >= self.active[WATCHED])


def align(
    pairs: Pairs,
    earlier: TextHead,
    settings: AlignSettings | None = None,
    *,
    active: TextHead | None = None,
    say: Say = print,
) -> tuple[TextHead, Comparison]:
    """A head that starts from `earlier` and learns `pairs`, and how both, and `active`, do on files held out.

    `earlier` must not have learned from these files, or what is held out would not be new to it.
    Raises CorpusError where nothing can be held out, TrainingError for a loss that is no number.
    """
    settings = settings or AlignSettings()
    folds = _folds(pairs)
    if len(folds) < 2:
        raise CorpusError(
            "All pictures with words are in one file: nothing can be held out. Name more collections."
        )
    before, after, serving = _Measured(), _Measured(), _Measured()
    for number, held_out in enumerate(folds, start=1):
        learned = _trained(pairs, np.setdiff1d(np.arange(len(pairs.groups)), held_out), earlier, settings)
        asked = _questions(pairs, held_out)
        before.add(pairs, earlier, asked)
        after.add(pairs, learned, asked)
        if active is not None:
            serving.add(pairs, active, asked)
        say(f"part {number} of {len(folds)}: {len(asked)} queries about {len(held_out)} pictures held out")
    if not before.rankings:
        raise CorpusError(
            "Every text stands at pictures of several files: none asks for a held-out picture alone."
        )
    head = _trained(pairs, np.arange(len(pairs.groups)), earlier, settings)
    return head, _compared(before, after, serving if active is not None else None)


def fresh(dimensions: int, hidden: int = 256) -> TextHead:
    """Leaves texts where they are, and can learn: for an encoder that has no head of its own."""
    torch.manual_seed(0)
    return _plain(Residual(dimensions, hidden, 0.0))


@dataclass(frozen=True, slots=True)
class _Question:
    text: int
    right: frozenset[int]


class _Measured:
    """What one head finds, fold after fold."""

    def __init__(self) -> None:
        self.rankings: list[list[int]] = []
        self.grades: list[Mapping[Hashable, float]] = []
        self.matching: list[float] = []
        self.others: list[float] = []

    def add(self, pairs: Pairs, head: TextHead, asked: Sequence[_Question]) -> None:
        """Among all pictures, as a search is: those trained on distract."""
        for question in asked:
            cosines = pairs.pictures @ head(pairs.vectors[[question.text]])[0]
            # Stable, so that equal pictures rank alike under both heads.
            best = np.argsort(-cosines, kind="stable")[:DEPTH]
            self.rankings.append([int(row) for row in best])
            self.grades.append(dict.fromkeys(question.right, 1.0))
            right = np.zeros(len(cosines), dtype=bool)
            right[list(question.right)] = True
            self.matching += cosines[right].tolist()
            self.others += cosines[~right][:: max(1, len(cosines) // 200)].tolist()

    def judged(self) -> evaluation.Judged:
        return evaluation.judge(self.rankings, self.grades)

    def figures(self) -> dict[str, float]:
        judged = self.judged()
        values = {f"recall@{k}": evaluation.recall(judged, k) for k in (1, 5, 10)}
        values["mrr"] = evaluation.reciprocal_rank(judged)
        return {name: float(numbers.mean()) for name, numbers in values.items()}


def _compared(before: _Measured, after: _Measured, active: _Measured | None) -> Comparison:
    first, second = (evaluation.recall(measured.judged(), 10) for measured in (before, after))
    return Comparison(
        queries=len(first),
        before=before.figures(),
        after=after.figures(),
        active=active.figures() if active else None,
        interval=evaluation.bootstrap_interval(second - first),
        p_value=evaluation.paired_randomisation_test(second, first),
        words=cosine_range(
            np.array(after.matching, dtype=np.float32),
            np.array(after.others or [0.0], dtype=np.float32),
            false_share=WORDS_FALSE_SHARE,
        ),
    )


def _folds(pairs: Pairs) -> list[Rows]:
    """Rows of pictures, all of a file together; the same for the same files, whatever their order."""
    told = {group for group, texts in zip(pairs.groups, pairs.texts_of, strict=True) if texts}
    ordered = sorted(told, key=lambda group: hashlib.sha256(group.encode()).hexdigest())
    fold_of = {group: number % min(FOLDS, len(ordered)) for number, group in enumerate(ordered)}
    return [
        np.array([row for row, group in enumerate(pairs.groups) if fold_of.get(group) == fold])
        for fold in sorted(set(fold_of.values()))
    ]


def _questions(pairs: Pairs, held_out: Rows) -> list[_Question]:
    """Texts of held-out pictures that no head has seen, with all pictures that they are right for."""
    aside = set(held_out.tolist())
    seen = {text for row, texts in enumerate(pairs.texts_of) if row not in aside for text in texts}
    right: dict[int, set[int]] = {}
    for row in held_out.tolist():
        for text in pairs.texts_of[row]:
            right.setdefault(text, set()).add(row)
    asking = dict.fromkeys(
        text for row in held_out.tolist() for text in pairs.texts_of[row][:QUERIES_OF_A_PICTURE]
    )
    chosen = [text for text in asking if text not in seen]
    most = MOST_QUERIES // FOLDS
    if len(chosen) > most:
        rows = np.random.default_rng(0).choice(len(chosen), most, replace=False)
        chosen = [chosen[row] for row in sorted(rows)]
    return [_Question(text, frozenset(right[text])) for text in chosen]


class _Model(nn.Module):
    def __init__(self, earlier: TextHead) -> None:
        super().__init__()
        width, dimensions = earlier.w1.shape
        self.head = Residual(dimensions, width, dropout=0.1)
        weights = {
            "first.weight": earlier.w1,
            "first.bias": earlier.b1,
            "second.weight": earlier.w2,
            "second.bias": earlier.b2,
        }
        self.head.load_state_dict(
            {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}
        )
        self.log_scale = nn.Parameter(torch.tensor(20.0).log())

    def forward(self, rows: Tensor) -> Tensor:
        return functional.normalize(self.head(rows), dim=1)


class _AlignTask:
    """Implements `loop.Task`: the head alone, on rows of `pairs`."""

    def __init__(self, pairs: Pairs, rows: Rows, earlier: TextHead, settings: AlignSettings) -> None:
        self.moving = _Model(earlier)
        self.model: nn.Module = self.moving
        self._settings = settings
        told = [int(row) for row in rows if pairs.texts_of[row]]
        most = max(len(pairs.texts_of[row]) for row in told)
        filled = [[*pairs.texts_of[row], *[-1] * (most - len(pairs.texts_of[row]))] for row in told]
        self._texts_of = torch.tensor(filled)  # (N, most), -1 for none
        self._pictures = torch.from_numpy(np.array(pairs.pictures[told]))
        self._vectors = torch.from_numpy(np.array(pairs.vectors))
        self._before = torch.from_numpy(earlier(pairs.vectors))
        self._known = torch.unique(self._texts_of[self._texts_of >= 0])

    def loss(self, _step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        settings, model = self._settings, self.moving
        count = len(self._pictures)
        chosen = torch.randperm(count, generator=generator)[: settings.batch]
        own = _one_of(self._texts_of[chosen], generator)
        others = self._known[torch.randperm(len(self._known), generator=generator)[: settings.others]]
        texts = torch.unique(torch.cat([own, others]))
        shown = torch.unique(
            torch.cat([chosen, torch.randperm(count, generator=generator)[: settings.others]])
        )
        # One pass of the head over all texts of the step.
        words = model(self._vectors[texts])
        asked = torch.unique(own)
        scale = model.log_scale.exp().clamp(max=50.0)
        to_picture = losses.matching(
            words[torch.searchsorted(texts, asked)],
            self._pictures[shown],
            (self._texts_of[shown][None] == asked[:, None, None]).any(dim=2),
            scale,
        )
        to_text = losses.matching(
            self._pictures[chosen],
            words,
            (self._texts_of[chosen][:, :, None] == texts[None, None]).any(dim=1),
            scale,
        )
        moved = (1 - (words * self._before[texts]).sum(dim=1)).mean()
        return (to_picture + to_text) / 2 + settings.stay * moved, {"moved": float(moved.detach())}

    def evaluate(self) -> dict[str, float]:
        """The mean cosine of first texts with their pictures: the loop wants a figure; folds decide, not this one."""
        words = self.model(self._vectors[self._texts_of[:, 0]])
        return {"cosine": float((words * self._pictures).sum(dim=1).mean())}


def _trained(pairs: Pairs, rows: Rows, earlier: TextHead, settings: AlignSettings) -> TextHead:
    with tempfile.TemporaryDirectory() as folder:
        task = _AlignTask(pairs, rows, earlier, settings)
        train(
            task,
            LoopSettings(
                steps=settings.steps,
                learning_rate=settings.learning_rate,
                weight_decay=settings.weight_decay,
                warmup_steps=settings.steps // 10,
                average=0.98,
                seed=settings.seed,
                evaluate_every=settings.steps,
                checkpoint_every=settings.steps,
                watch="cosine",
                curves=False,
                # A head is so small that copying batches to an accelerator costs more than it saves.
                device="cpu",
            ),
            Path(folder),
            say=lambda _line: None,
        )
        task.model.load_state_dict(best_weights(Path(folder)))
    return _plain(task.moving.head)


def _plain(head: Residual) -> TextHead:
    return TextHead(
        *(
            np.array(tensor.detach().numpy(), dtype=np.float32)
            for tensor in (head.first.weight, head.first.bias, head.second.weight, head.second.bias)
        )
    )


def _one_of(texts: Tensor, generator: torch.Generator) -> Tensor:
    """One text of each row's, (N,) of (N, most), each as likely."""
    return texts.gather(1, torch.multinomial((texts >= 0).float(), 1, generator=generator)).squeeze(1)
