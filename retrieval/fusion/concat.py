"""Fusion by concatenation: the two rows side by side, and whether each is there, through one linear projection."""

import numpy as np

from retrieval.encoders.base import unit_rows
from retrieval.fusion.base import Rows, Tensors, presence

NAME = "concat"


def shapes(dimensions: int) -> dict[str, tuple[int, ...]]:
    return {"w": (dimensions, 2 * dimensions + 2), "b": (dimensions,)}


def fuse(tensors: Tensors, words: Rows, pixels: Rows) -> Rows:
    """`out[i]` = unit(w [words[i]; pixels[i]; has words; has pixels] + b)."""
    has_words, has_pixels = presence(words, pixels)
    side_by_side = np.concatenate([words, pixels, has_words, has_pixels], axis=1)
    rows = side_by_side @ tensors["w"].T + tensors["b"]
    return unit_rows(rows * np.maximum(has_words, has_pixels))
