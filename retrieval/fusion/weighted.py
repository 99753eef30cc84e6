"""How do several vectors of one segment become one? By their weighted mean: untrained, or with two trained numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.fusion.base import Rows, Tensors

NAME = "weighted"
# Words are what people search by, pixels what they mean: neither is known to matter more before anyone trained it.
WORDS_WEIGHT, PIXELS_WEIGHT = 0.5, 0.5


@dataclass(frozen=True, slots=True)
class Weighted:
    """Implements `Fusion`: the default, which needs no training."""

    words: float = WORDS_WEIGHT
    pixels: float = PIXELS_WEIGHT
    name: str = NAME
    revision: str = ""

    def __call__(self, words: Rows, pixels: Rows) -> Rows:
        return weighted([words, pixels], [self.words, self.pixels])


def shapes(_dimensions: int) -> dict[str, tuple[int, ...]]:
    return {"weights": (2,)}


def fuse(tensors: Tensors, words: Rows, pixels: Rows) -> Rows:
    """With trained weights: of the words, of the pixels."""
    return weighted([words, pixels], [float(weight) for weight in tensors["weights"]])


def weighted(modalities: Sequence[Rows], weights: Sequence[float]) -> Rows:
    """`out[i]` is the weighted mean of `modalities[m][i]`, divided by its length.

    Every array is float32 (N, D) with unit rows of one space; a row of zeros says that the segment lacks the
    modality, and the others share its weight. A row in which all cancel out, or are missing, is zeros. Raises
    ValueError for shapes that differ and for weights that are negative or all zero.
    """
    if not modalities or len(modalities) != len(weights):
        raise ValueError("Give one weight for each modality, and at least one.")
    if any(rows.ndim != 2 or rows.shape != modalities[0].shape for rows in modalities):
        raise ValueError(f"The modalities differ in shape: {[rows.shape for rows in modalities]}.")
    if min(weights) < 0 or sum(weights) <= 0:
        raise ValueError("Weights are not negative, and one of them is positive.")
    total = np.zeros(modalities[0].shape, dtype=np.float64)
    for rows, weight in zip(modalities, weights, strict=True):
        total += weight * rows
    # The mean's denominator is a factor of the row, which the length takes out again.
    lengths = np.linalg.norm(total, axis=1, keepdims=True)
    # Opposite vectors leave rounding behind, which has no direction worth keeping.
    kept = lengths > 1e-6 * sum(weights)
    return np.asarray(np.divide(total, lengths, out=np.zeros_like(total), where=kept), dtype=np.float32)
