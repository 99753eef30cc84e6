"""How good is a compact encoder, on pictures that it never saw? The figures that decide while it trains."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from retrieval.training import augment
from retrieval.training.corpus import NO_TEXT, Corpus

AT_ONCE = 128
# Enough for a standard error of two points, few enough not to slow training.
MOST_SENTENCES, MOST_LABELLED = 400, 1000
# Fewer pictures than this of a label are no test of it.
LEAST_OF_LABEL = 3


class Encodes(Protocol):
    """What is measured: it puts pixels (N, 3, S, S) and text vectors (N, D) into one space, as unit rows (N, D)."""

    @property
    def log_scale(self) -> Tensor: ...

    def pictures(self, pixels: Tensor) -> Tensor: ...

    def words(self, vectors: Tensor) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Pictures with sentences, to be told apart, and labelled ones, to be named."""

    pictures: Tensor  # uint8 (N, S, S, 3), those with sentences first
    sentences: int
    # One sentence each, two where there are two.
    queries: Tensor  # (Q, D)
    query_of: Tensor  # (Q,), the number of its picture
    labels: Tensor  # (L, D)
    label_of: Tensor  # (N - sentences,)


def held_out(corpus: Corpus, *, most_used: str | None = None) -> HeldOut:
    """Of the source with the most sentences, and of that with the most labels, or the whole of a small corpus."""
    captioned = np.flatnonzero(corpus.captioned & (corpus.label_of == NO_TEXT))
    source = most_used and corpus.sources.index(most_used)
    if len(captioned):
        commonest = np.bincount(corpus.source_of[captioned]).argmax() if source is None else source
        captioned = captioned[corpus.source_of[captioned] == commonest][:MOST_SENTENCES]
    labelled = np.flatnonzero(corpus.label_of != NO_TEXT)
    if len(labelled):
        commonest = np.bincount(corpus.source_of[labelled]).argmax()
        labelled = labelled[corpus.source_of[labelled] == commonest][:MOST_LABELLED]
    numbers, label_of = np.unique(corpus.label_of[labelled], return_inverse=True)
    first = [corpus.texts_of[labelled[np.flatnonzero(label_of == n)[0]], 0] for n in range(len(numbers))]
    pairs = [
        (int(text), row)
        for row, number in enumerate(captioned)
        for text in corpus.texts_of[number, :2]
        if text != NO_TEXT
    ]
    chosen = np.concatenate([captioned, labelled])
    return HeldOut(
        pictures=torch.from_numpy(np.stack([corpus.pictures[number] for number in chosen])),
        sentences=len(captioned),
        queries=torch.from_numpy(corpus.vectors[[text for text, _ in pairs]]),
        query_of=torch.tensor([row for _, row in pairs]),
        labels=torch.from_numpy(corpus.vectors[first]),
        label_of=torch.from_numpy(label_of),
    )


def measure(model: Encodes, held: HeldOut, side_px: int) -> dict[str, float]:
    """`figures` of a model as it is."""
    device = model.log_scale.device
    rows = torch.cat(
        [
            model.pictures(augment.plain(held.pictures[start : start + AT_ONCE].to(device), side_px))
            for start in range(0, len(held.pictures), AT_ONCE)
        ]
    )
    return figures(rows, model.words(held.queries.to(device)), model.words(held.labels.to(device)), held)


def figures(rows: Tensor, queries: Tensor, labels: Tensor, held: HeldOut) -> dict[str, float]:
    """recall@1 and @10 from sentence to picture and back, accuracy of labels, and `recall`, their middle.

    `rows` (N, D) of `held.pictures`, `queries` (Q, D) and `labels` (L, D) of its words, all of unit length.
    """
    found: dict[str, float] = {}
    if held.sentences:
        cosines = queries @ rows[: held.sentences].T
        right = held.query_of.to(rows.device)
        ranks = (cosines > cosines.gather(1, right[:, None])).sum(dim=1)
        found |= {f"text_to_image@{k}": float((ranks < k).float().mean()) for k in (1, 10)}
        # The best rank of any sentence that belongs to the picture.
        back = cosines.T
        own = torch.stack([torch.where(right == n, row, -torch.inf).amax() for n, row in enumerate(back)])
        ranks = (back > own[:, None]).sum(dim=1)
        found["image_to_text@10"] = float((ranks < 10).float().mean())
    if len(held.label_of):
        cosines = rows[held.sentences :] @ labels.T
        found["label_accuracy"] = float((cosines.argmax(dim=1).cpu() == held.label_of).float().mean())
    watched = [value for name, value in found.items() if name.endswith("@10") or name == "label_accuracy"]
    found["recall"] = sum(watched) / len(watched)
    return found
