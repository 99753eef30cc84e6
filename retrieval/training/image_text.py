"""How does a small image encoder learn what words mean? Pictures are matched with their words in the text encoder's
own space.

The text vectors are fixed; the tower maps pictures among them, and a small head moves the words a little towards
what can be seen. The losses of a step:

- each picture picks its text among thousands: those of its batch and others drawn from the corpus (InfoNCE);
- each text picks its pictures among the batch's and the last ones before it (InfoNCE, with a queue as He et al. 2020);
- each labelled picture picks its label among all of them;
- with a teacher, each picture's vector leads to the one that another encoder has of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from retrieval.training import augment, losses
from retrieval.training.corpus import NO_TEXT, Corpus
from retrieval.training.heads import HeadName, Residual, head
from retrieval.training.held_out import HeldOut, measure
from retrieval.training.towers import TowerShape, tower

# The part of the model that is there while a teacher is, and no longer.
TO_TEACHER = "to_teacher"
# exp() of it multiplies cosines; SigLIP's and CLIP's first value, and CLIP's limit brought down for small data.
FIRST_SCALE, HIGHEST_SCALE = 14.0, 50.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the run: small pictures and labels first, larger ones and sentences later."""

    # Of all steps, where it ends.
    until: float
    side_px: int
    # Shares of a batch; the rest is labelled pictures.
    sentences: float
    drawn: float


@dataclass(frozen=True, slots=True)
class Teacher:
    """An encoder to learn from. `rows` gives its unit rows (N, dimensions) of pictures, by their numbers (N,)."""

    dimensions: int
    rows: Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Recipe:
    batch: int = 128
    stages: tuple[Stage, ...] = (
        Stage(until=0.26, side_px=32, sentences=0.35, drawn=0.10),
        Stage(until=0.44, side_px=48, sentences=0.50, drawn=0.10),
        Stage(until=0.52, side_px=64, sentences=0.65, drawn=0.08),
        Stage(until=1.00, side_px=64, sentences=0.50, drawn=0.06),
    )
    tower: TowerShape = field(default_factory=TowerShape)
    head: HeadName = "residual"
    # Texts of the corpus beside the batch's own that each picture is held against.
    other_texts: int = 1024
    # Names of labels beside the batch's own that each labelled picture is told apart from.
    other_labels: int = 512
    queue: int = 1024
    # The share of a target that goes to texts like the right one.
    softness: float = 0.1
    label_loss: float = 0.5
    # Of one less the cosine to the teacher's vector, where there is a teacher.
    teacher_loss: float = 1.0
    augmentation: augment.Augmentation = field(default_factory=augment.Augmentation)
    # How often a source is drawn, against the others of its kind; 1 for those not named.
    weights: Mapping[str, float] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def recipe_of(plain: Mapping[str, Any]) -> Recipe:
    """What `Recipe.plain` wrote, and what was written before a field was there. KeyError, TypeError for others."""
    tower_shape = plain["tower"] | {name: tuple(plain["tower"][name]) for name in ("widths", "depths")}
    return Recipe(
        **{
            **plain,
            "stages": tuple(Stage(**stage) for stage in plain["stages"]),
            "tower": TowerShape(**tower_shape),
            "augmentation": augment.Augmentation(**plain["augmentation"]),
        }
    )


class ImageTextModel(nn.Module):
    """A tower for pictures, and a head on text vectors. Both give unit rows."""

    queue: Tensor
    queue_of: Tensor

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.tower = tower(recipe.tower)
        for weight in self.tower.parameters():
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        self.head = head(recipe.head, recipe.tower.dimensions)
        self.log_scale = nn.Parameter(torch.tensor(float(np.log(FIRST_SCALE))))
        # Buffers, so that a resumed run has them: pictures of the last steps, and their numbers in the corpus.
        self.register_buffer("queue", torch.zeros(recipe.queue, recipe.tower.dimensions))
        self.register_buffer("queue_of", torch.full((recipe.queue,), -1, dtype=torch.int64))

    def pictures(self, pixels: Tensor) -> Tensor:
        return functional.normalize(self.tower(pixels), dim=1)

    def words(self, vectors: Tensor) -> Tensor:
        return functional.normalize(self.head(vectors), dim=1)

    @property
    def scale(self) -> Tensor:
        return self.log_scale.exp().clamp(max=HIGHEST_SCALE)


class ImageTextTask:
    """Implements `loop.Task`."""

    def __init__(
        self,
        corpus: Corpus,
        held_out: HeldOut,
        recipe: Recipe,
        steps: int,
        *,
        model: ImageTextModel | None = None,
        teacher: Teacher | None = None,
    ) -> None:
        """`model`: one that was trained before, to go on from."""
        self.model = model or ImageTextModel(recipe)
        self._teacher = teacher
        if teacher is not None:
            # Spaces differ, also in size: a matrix that is learnt along leads from one to the other (Romero et al.
            # 2015, FitNets), and one that begins as the identity leaves equal spaces alone.
            leads = nn.Linear(recipe.tower.dimensions, teacher.dimensions, bias=False)
            nn.init.eye_(leads.weight)
            self.model.add_module(TO_TEACHER, leads)
        self._stage = recipe.stages[0]
        self._corpus, self._held_out, self._recipe, self._steps = corpus, held_out, recipe, steps
        self._vectors = torch.from_numpy(corpus.vectors)
        self._texts_of = torch.from_numpy(corpus.texts_of).long()
        self._groups = _groups(corpus, recipe.weights)
        # One text stands for a label: the first of any picture that has it, which is its name.
        first = {
            int(label): row for row, label in reversed(list(enumerate(corpus.label_of))) if label != NO_TEXT
        }
        self._label_text = torch.tensor(
            [int(corpus.texts_of[first[n], 0]) for n in range(len(corpus.labels))]
        )
        self._label_of = torch.from_numpy(corpus.label_of).long()
        if model is None and isinstance(self.model.head, Residual):
            self.model.head.centre(self._vectors.mean(dim=0))
        # The square root keeps two thousand icons of one picture each from hiding the classes of photographs.
        self._label_share = torch.bincount(self._label_of[self._label_of >= 0], minlength=1).float().sqrt()
        # What holds writing is not mirrored; photographs of sentences and labels are.
        self._mirrored = torch.tensor([_mirrors(source) for source in corpus.sources])[
            torch.from_numpy(corpus.source_of).long()
        ]

    def loss(self, step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        recipe, model = self._recipe, self.model
        device = model.log_scale.device
        self._stage = stage = next(
            s for s in recipe.stages if step < s.until * self._steps or s is recipe.stages[-1]
        )
        chosen = self._draw(stage, generator)
        pictures = torch.from_numpy(np.ascontiguousarray(self._corpus.pictures[chosen.numpy()])).to(device)
        pixels = augment.batch(
            pictures, stage.side_px, recipe.augmentation, generator, mirror=self._mirrored[chosen]
        )
        rows = model.pictures(pixels)
        own = _one_of(self._texts_of[chosen], generator)
        others = torch.randint(len(self._vectors), (recipe.other_texts,), generator=generator)
        candidates = torch.unique(torch.cat([own, others]))
        words = model.words(self._vectors[candidates].to(device))
        texts_of = self._texts_of[chosen].to(device)
        belongs = (texts_of[:, :, None] == candidates.to(device)[None, None, :]).any(dim=1)
        likeness = (self._vectors[own] @ self._vectors[candidates].T).to(device)
        soft = losses.softened(belongs, likeness, recipe.softness) if recipe.softness else None
        to_text = losses.matching(rows, words, belongs, model.scale, soft)

        queued = model.queue_of >= 0
        shown = torch.cat([rows, model.queue[queued]])
        shown_of = torch.cat([chosen.to(device), model.queue_of[queued]])
        anchors = torch.unique(own)
        asked = model.words(self._vectors[anchors].to(device))
        has = (
            self._texts_of[shown_of.cpu()].to(device)[None, :, :] == anchors.to(device)[:, None, None]
        ).any(dim=2)
        to_picture = losses.matching(asked, shown, has, model.scale)

        labels, label_of = self._labels(self._label_of[chosen], generator)
        names = model.words(self._vectors[self._label_text[labels]].to(device))
        to_label = losses.label_texts(rows, names, label_of.to(device), model.scale)
        self._remember(rows.detach(), chosen)
        total = (to_text + to_picture) / 2 + recipe.label_loss * to_label
        taught = {}
        if self._teacher is not None:
            led = functional.normalize(model.get_submodule(TO_TEACHER)(rows), dim=1)
            apart = (1 - (led * self._teacher.rows(chosen).to(device)).sum(dim=1)).mean()
            total = total + recipe.teacher_loss * apart
            taught = {"teacher_loss": float(apart.detach())}
        return total, taught | {
            "text_loss": float(to_text.detach()),
            "picture_loss": float(to_picture.detach()),
            "label_loss": float(to_label.detach()),
            "scale": float(model.scale.detach()),
        }

    def evaluate(self) -> dict[str, float]:
        # At the size that it is being trained at: another would be judged by what is still to come.
        return measure(self.model, self._held_out, self._stage.side_px)

    def _draw(self, stage: Stage, generator: torch.Generator) -> Tensor:
        """Numbers of pictures in the corpus, (batch,)."""
        share = {"sentences": stage.sentences, "drawn": stage.drawn}
        counts = {name: round(self._recipe.batch * share[name]) for name in share if name in self._groups}
        counts["labelled"] = self._recipe.batch - sum(counts.values())
        drawn = []
        for name, count in counts.items():
            numbers, weights = self._groups.get(name) or next(iter(self._groups.values()))
            if count:
                drawn.append(
                    numbers[torch.multinomial(weights, count, replacement=True, generator=generator)]
                )
        return torch.cat(drawn)

    def _labels(self, label_of: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The labels that a batch is told apart among, and where each picture's own stands there, -1 for none."""
        has = label_of >= 0
        if not bool(has.any()):
            return label_of[has], label_of
        known = int((self._label_share > 0).sum())
        others = torch.multinomial(
            self._label_share, min(self._recipe.other_labels, known), generator=generator
        )
        labels = torch.unique(torch.cat([label_of[has], others]))
        return labels, torch.where(has, torch.searchsorted(labels, label_of), -1)

    def _remember(self, rows: Tensor, numbers: Tensor) -> None:
        model = self.model
        if not len(model.queue):
            return
        model.queue = torch.cat([rows, model.queue])[: self._recipe.queue]
        model.queue_of = torch.cat([numbers.to(model.queue_of.device), model.queue_of])[: self._recipe.queue]


def _groups(corpus: Corpus, weights: Mapping[str, float]) -> dict[str, tuple[Tensor, Tensor]]:
    """By kind of picture: their numbers, and how often each is drawn."""
    drawn = np.array([source.startswith("drawn/") for source in corpus.sources])[corpus.source_of]
    sentences = corpus.captioned & (corpus.label_of == NO_TEXT) & ~drawn
    weight = np.array([weights.get(source, 1.0) for source in corpus.sources])[corpus.source_of]
    kinds = {"sentences": sentences, "drawn": drawn, "labelled": ~sentences & ~drawn}
    return {
        name: (torch.from_numpy(np.flatnonzero(which)), torch.from_numpy(weight[which]))
        for name, which in kinds.items()
        if which.any()
    }


def _one_of(texts: Tensor, generator: torch.Generator) -> Tensor:
    """One text of each picture's, (N,) of (N, MOST), each as likely."""
    known = (texts != NO_TEXT).float()
    return texts.gather(1, torch.multinomial(known, 1, generator=generator)).squeeze(1)


def _mirrors(source: str) -> bool:
    lettered = (
        "docs",
        "drawn/",
        "vega",
        "diagrams",
        "excalidraw",
        "wagtail",
        "emojis",
        "FUNSD",
        "Chart",
        "flags",
    )
    return not any(part in source for part in lettered)
