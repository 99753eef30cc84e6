"""How are a fusion and a matching head learned? From segments, and questions whose answers they are; on torch.

Imported by commands only. Each fusion begins as the mean of the two rows and learns a departure from it, to which
weight decay pulls it back: with few examples it stays near what needs none. The arithmetic is that of the modules
beside this one, which serve without torch; a test holds the two together.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from retrieval.encoders.base import CosineRange
from retrieval.encoders.compact_image import WORDS_FALSE_SHARE, cosine_range
from retrieval.fusion import attention, concat, gated, matching, weighted
from retrieval.fusion.base import Fusion, FusionError, Rows
from retrieval.fusion.files import LearnedFusion

EPOCHS = 40
# Two numbers alone have further to go than one of thousands: their steps count this many times.
SHARPNESS = 10.0
# Some hundred examples are few batches an epoch; the weights still have to get somewhere.
FEWEST_STEPS = 400
# The figure on the part that is kept for choosing is looked at once an epoch, but not more often than every so many
# steps, and this many times without a better one end the training.
BETWEEN_LOOKS = 10
PATIENCE = 8
BATCH = 256
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.05
# Where contrastive training of encoders ends up, too (Radford et al. 2021, section 2.5: they bound it by 0.01).
TEMPERATURE = 0.05
# Segments without words, and without pixels, are met in use more often than in the examples.
WORDS_DROPPED, PIXELS_DROPPED = 0.15, 0.1
# Questions that are equal name all segments of each: two such rows differ by rounding only.
SAME_QUESTION = 0.999
# Of the segments: not learned from, to choose the epoch by their questions, among all segments.
KEPT_TO_CHOOSE = 0.2
# Standard errors that what was learned has to be ahead by on that part. The best of many looks is ahead by chance.
SURE_ERRORS = 2.0
# Nothing can be told apart below this.
MIN_SEGMENTS = 10
# Wrong segments that a question is shown with when the head is trained: the nearest ones.
HARD_NEGATIVES = 15
HEAD_EPOCHS = 15


Numbers = npt.NDArray[np.float64]


class TrainingError(FusionError):
    """There is too little to learn from. The message says how much is needed."""


@dataclass(frozen=True, slots=True)
class Examples:
    """N segments and Q questions, each the question of one segment."""

    # (N, D) unit rows; zeros where a segment has no words or no pixels.
    words: Rows
    pixels: Rows
    # (Q, D) unit rows, and (Q,) the number of each one's segment.
    questions: Rows
    of: npt.NDArray[np.int64]

    def part(self, segments: npt.NDArray[np.int64]) -> "Examples":
        """These segments, and their questions."""
        place = np.full(len(self.words), -1)
        place[segments] = np.arange(len(segments))
        kept = place[self.of] >= 0
        return Examples(
            self.words[segments], self.pixels[segments], self.questions[kept], place[self.of[kept]]
        )


def train_fusion(kind: str, examples: Examples, *, space: str, seed: int = 0) -> LearnedFusion:
    """By symmetric InfoNCE between questions and fused segments; as it was when kept questions ranked best.

    Where that is not surely better than the untrained mean, it stays the mean. Raises TrainingError.
    """
    _check(examples)
    torch.manual_seed(seed)
    dimensions = examples.words.shape[1]
    module = MODULES[kind](dimensions)
    log_scale = nn.Parameter(torch.tensor(math.log(1 / TEMPERATURE)))
    learning, choosing = _split(examples, seed)
    words, pixels, questions, of = _tensors(learning)
    everything = torch.from_numpy(examples.words), torch.from_numpy(examples.pixels)
    random = np.random.default_rng(seed)

    def loss(chosen: Tensor) -> Tensor:
        own = of[chosen]
        dropped_words = torch.rand(len(chosen), 1) < WORDS_DROPPED
        dropped_pixels = (torch.rand(len(chosen), 1) < PIXELS_DROPPED) & ~dropped_words
        has_words = (words[own] != 0).any(1, keepdim=True)
        fused = module(words[own] * ~dropped_words, pixels[own] * ~(dropped_pixels & has_words))
        asked = questions[chosen]
        logits = asked @ fused.T * log_scale.exp().clamp(max=100)
        same = (own[:, None] == own[None, :]) | (asked @ asked.T > SAME_QUESTION)
        target = same / same.sum(1, keepdim=True)
        return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2

    def quality() -> Numbers:
        with torch.no_grad():
            rows = module(*everything).numpy()
        return _reciprocal_ranks(examples.questions[choosing] @ rows.T, examples.of[choosing])

    _fit([*module.parameters(), log_scale], loss, quality, len(learning.of), random, module)
    tensors = {name: tensor.detach().numpy().copy() for name, tensor in module.tensors().items()}
    with torch.no_grad():
        fused = module(*everything).numpy()
    return LearnedFusion(kind, space, dimensions, tensors, _cosines(fused, examples))


def train_head(examples: Examples, fusion: Fusion, *, seed: int = 0) -> matching.MatchingHead:
    """On vectors of `fusion`: each question with its own segment and with the wrong ones nearest to it.

    Raises TrainingError.
    """
    _check(examples)
    torch.manual_seed(seed)
    dimensions = examples.words.shape[1]
    module = _Head(dimensions)
    learning, choosing = _split(examples, seed)
    _, _, questions, of = _tensors(learning)
    segments = torch.from_numpy(fusion(learning.words, learning.pixels))
    negatives = torch.from_numpy(_hard_negatives(learning, segments.numpy()))
    random = np.random.default_rng(seed)

    def loss(chosen: Tensor) -> Tensor:
        shown = torch.cat([of[chosen][:, None], negatives[chosen]], dim=1)
        logits = module(questions[chosen][:, None, :], segments[shown])
        target = torch.zeros(len(chosen), dtype=torch.int64)
        right = torch.zeros_like(logits)
        right[:, 0] = 1
        # The first orders, the second makes the number a probability.
        return functional.cross_entropy(logits, target) + functional.binary_cross_entropy_with_logits(
            logits, right
        )

    fused = torch.from_numpy(fusion(examples.words, examples.pixels))

    def quality() -> Numbers:
        asked = examples.questions[choosing]
        similarity = asked @ fused.numpy().T
        with torch.no_grad():
            for row, question in zip(similarity, torch.from_numpy(asked), strict=True):
                first = np.argsort(-row, kind="stable")[: matching.FIRST]
                again = torch.sigmoid(module(question[None], fused[first])).numpy()
                # Above every cosine: what is ordered again stays before the rest.
                row[first] = again + 2
        return _reciprocal_ranks(similarity, examples.of[choosing])

    _fit(list(module.parameters()), loss, quality, len(learning.of), random, module, epochs=HEAD_EPOCHS)
    tensors = {name: tensor.detach().numpy().copy() for name, tensor in module.tensors().items()}
    return matching.MatchingHead(dimensions, tensors)


class Module(nn.Module):
    """The torch side of one kind: `forward(words, pixels)`, and its `tensors` as the numpy side has them."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.dimensions = dimensions

    def tensors(self) -> Mapping[str, Tensor]:
        raise NotImplementedError


class _Weighted(Module):
    def __init__(self, dimensions: int) -> None:
        super().__init__(dimensions)
        self.logits = nn.Parameter(torch.zeros(2))

    def tensors(self) -> Mapping[str, Tensor]:
        return {"weights": (SHARPNESS * self.logits).softmax(0)}

    def forward(self, words: Tensor, pixels: Tensor) -> Tensor:
        weights = self.tensors()["weights"]
        return functional.normalize(weights[0] * words + weights[1] * pixels, dim=1)


class _Concat(Module):
    mean: Tensor

    def __init__(self, dimensions: int) -> None:
        super().__init__(dimensions)
        half = torch.eye(dimensions) / 2
        self.register_buffer("mean", torch.cat([half, half, torch.zeros(dimensions, 2)], dim=1))
        self.departure = nn.Parameter(torch.zeros(dimensions, 2 * dimensions + 2))
        self.b = nn.Parameter(torch.zeros(dimensions))

    def tensors(self) -> Mapping[str, Tensor]:
        return {"w": self.mean + self.departure, "b": self.b}

    def forward(self, words: Tensor, pixels: Tensor) -> Tensor:
        has = _presence(words, pixels)
        tensors = self.tensors()
        rows = torch.cat([words, pixels, has], dim=1) @ tensors["w"].T + tensors["b"]
        return functional.normalize(rows * has.amax(1, keepdim=True), dim=1)


class _Attention(Module):
    identity: Tensor

    def __init__(self, dimensions: int) -> None:
        super().__init__(dimensions)
        compared = attention.HEADS * attention.COMPARED
        self.place = nn.Parameter(torch.randn(2, dimensions) * 0.02)
        # One of the two is zero, so that all scores are, and yet the gradient is not.
        self.query = nn.Parameter(torch.zeros(compared, dimensions))
        self.key = nn.Parameter(torch.randn(compared, dimensions) / math.sqrt(dimensions))
        self.prior = nn.Parameter(torch.zeros(attention.HEADS, 2))
        self.register_buffer("identity", torch.eye(dimensions))
        self.departure = nn.Parameter(torch.zeros(dimensions, dimensions))

    def tensors(self) -> Mapping[str, Tensor]:
        return {
            "place": self.place,
            "query": self.query,
            "key": self.key,
            "prior": self.prior,
            "value": self.identity + self.departure,
        }

    def forward(self, words: Tensor, pixels: Tensor) -> Tensor:
        has = _presence(words, pixels)
        count, heads, compared = len(words), attention.HEADS, attention.COMPARED
        both = torch.stack([words, pixels], dim=1)
        placed = both + self.place
        asked = (placed @ self.query.T).reshape(count, 2, heads, compared)
        keys = (placed @ self.key.T).reshape(count, 2, heads, compared)
        scores = torch.einsum("nihd,njhd->nhij", asked, keys) / math.sqrt(compared)
        scores = scores + self.prior[None, :, None, :]
        weights = scores.masked_fill(has[:, None, None, :] == 0, -1e9).softmax(3)
        asking = has / has.sum(1, keepdim=True).clamp(min=1)
        counts = torch.einsum("nhij,ni->nhj", weights, asking)
        values = (both @ self.tensors()["value"].T).reshape(count, 2, heads, self.dimensions // heads)
        rows = torch.einsum("nhj,njhd->nhd", counts, values).reshape(count, self.dimensions)
        return functional.normalize(rows, dim=1)


class _Gated(Module):
    def __init__(self, dimensions: int) -> None:
        super().__init__(dimensions)
        seen = 3 * dimensions + 2
        self.w1 = nn.Parameter(torch.randn(gated.HIDDEN, seen) / math.sqrt(dimensions))
        self.b1 = nn.Parameter(torch.zeros(gated.HIDDEN))
        # An open gate for both: the mean.
        self.w2 = nn.Parameter(torch.zeros(dimensions, gated.HIDDEN))
        self.b2 = nn.Parameter(torch.zeros(dimensions))

    def tensors(self) -> Mapping[str, Tensor]:
        return {"w1": self.w1, "b1": self.b1, "w2": self.w2, "b2": self.b2}

    def forward(self, words: Tensor, pixels: Tensor) -> Tensor:
        seen = torch.cat([words, pixels, words * pixels, _presence(words, pixels)], dim=1)
        hidden = functional.gelu(seen @ self.w1.T + self.b1, approximate="tanh")
        gate = torch.sigmoid(hidden @ self.w2.T + self.b2)
        return functional.normalize(gate * words + (1 - gate) * pixels, dim=1)


MODULES: Mapping[str, type[Module]] = {
    weighted.NAME: _Weighted,
    concat.NAME: _Concat,
    attention.NAME: _Attention,
    gated.NAME: _Gated,
}


class _Head(nn.Module):
    def __init__(self, dimensions: int) -> None:
        super().__init__()
        seen = 2 * dimensions + 1
        self.w1 = nn.Parameter(torch.randn(matching.HIDDEN, seen) / math.sqrt(seen))
        self.b1 = nn.Parameter(torch.zeros(matching.HIDDEN))
        # It begins as the cosine.
        self.w2 = nn.Parameter(torch.zeros(1, matching.HIDDEN))
        self.scale = nn.Parameter(torch.full((1,), 1 / TEMPERATURE))
        self.shift = nn.Parameter(torch.full((1,), -0.5 / TEMPERATURE))

    def tensors(self) -> Mapping[str, Tensor]:
        return dict(self.named_parameters())

    def forward(self, questions: Tensor, segments: Tensor) -> Tensor:
        product = segments * questions
        cosine = product.sum(-1, keepdim=True)
        seen = torch.cat([product, (segments - questions).abs(), cosine], dim=-1)
        hidden = functional.gelu(seen @ self.w1.T + self.b1, approximate="tanh")
        logits: Tensor = (self.scale * cosine + self.shift + hidden @ self.w2.T)[..., 0]
        return logits


def _fit(
    parameters: list[nn.Parameter],
    loss: Callable[[Tensor], Tensor],
    quality: Callable[[], Numbers],
    questions: int,
    random: np.random.Generator,
    module: nn.Module,
    *,
    epochs: int = EPOCHS,
) -> None:
    """Leaves `module` as it was when the mean of `quality` was best; as it began, where that may be chance."""
    an_epoch = math.ceil(questions / BATCH)
    steps, every = max(epochs * an_epoch, FEWEST_STEPS), max(an_epoch, BETWEEN_LOOKS)
    optimiser = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=steps)
    before = quality()
    untrained = _copy(module)
    best, kept, waited = before, untrained, 0
    with _one_thread():
        for step, chosen in enumerate(_batches(questions, steps, random), start=1):
            value = loss(chosen)
            if not torch.isfinite(value):
                raise TrainingError("The loss is no number any more: are the vectors of unit length?")
            optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            if step % every:
                continue
            reached = quality()
            is_better = reached.mean() > best.mean()
            waited = 0 if is_better else waited + 1
            if is_better:
                best, kept = reached, _copy(module)
            if waited >= PATIENCE:
                break
    gained = best - before
    is_sure = gained.mean() > SURE_ERRORS * gained.std() / math.sqrt(len(gained))
    module.load_state_dict(kept if is_sure else untrained)


def _batches(questions: int, steps: int, random: np.random.Generator) -> Iterator[Tensor]:
    """Numbers of questions, each question once before any comes again."""
    order = np.zeros(0, dtype=np.int64)
    size = min(BATCH, questions)
    for _ in range(steps):
        if len(order) < size:
            order = random.permutation(questions)
        yield torch.from_numpy(order[:size])
        order = order[size:]


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Matrices of this size gain nothing from a second thread, and wait for it where other work has the core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _copy(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def _check(examples: Examples) -> None:
    asked = len(np.unique(examples.of))
    if asked < MIN_SEGMENTS:
        raise TrainingError(f"{asked} segments have a question; {MIN_SEGMENTS} are needed to learn from.")


def _split(examples: Examples, seed: int) -> tuple[Examples, npt.NDArray[np.int64]]:
    """What to learn from, and the numbers of the questions to choose the epoch by."""
    order = np.random.default_rng(seed).permutation(np.unique(examples.of))
    kept = max(2, round(len(order) * KEPT_TO_CHOOSE))
    return examples.part(np.sort(order[kept:])), np.flatnonzero(np.isin(examples.of, order[:kept]))


def _tensors(examples: Examples) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return (
        torch.from_numpy(examples.words),
        torch.from_numpy(examples.pixels),
        torch.from_numpy(examples.questions),
        torch.from_numpy(examples.of),
    )


def _presence(words: Tensor, pixels: Tensor) -> Tensor:
    return torch.stack([(rows != 0).any(1) for rows in (words, pixels)], dim=1).to(words.dtype)


def _cosines(fused: Rows, examples: Examples) -> CosineRange:
    """Of all questions: with many segments they are no others than those that were not learned from."""
    cosines = examples.questions @ fused.T
    own = np.zeros(cosines.shape, dtype=bool)
    own[np.arange(len(own)), examples.of] = True
    return cosine_range(cosines[own], cosines[~own], false_share=WORDS_FALSE_SHARE)


def _hard_negatives(examples: Examples, segments: Rows) -> npt.NDArray[np.int64]:
    """(Q, HARD_NEGATIVES): the segments nearest to each question that are not its own."""
    similarity = examples.questions @ segments.T
    similarity[np.arange(len(similarity)), examples.of] = -2
    most = min(HARD_NEGATIVES, len(segments) - 1)
    return np.argsort(-similarity, axis=1, kind="stable")[:, :most]


def _reciprocal_ranks(similarity: Rows, of: npt.NDArray[np.int64]) -> Numbers:
    """(Q,)"""
    own = similarity[np.arange(len(similarity)), of]
    # Equal ones count against it: a fusion that maps all to one row is no good.
    ranks = (similarity >= own[:, None]).sum(axis=1)
    return np.asarray(1 / ranks, dtype=np.float64)
