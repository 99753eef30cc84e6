"""Fusion by attention: words and pixels look at each other, and how well they agree decides what counts.

One layer of multi-head self-attention over the two (Vaswani et al. 2017, section 3.2), its two outputs averaged. Each
head weighs a part of the dimensions.
"""

import numpy as np

from retrieval.encoders.base import unit_rows
from retrieval.fusion.base import Rows, Tensors, presence

NAME = "attention"
HEADS = 4
# Dimensions that a head compares in: enough to tell subjects apart, few enough for some thousand examples.
COMPARED = 16


def shapes(dimensions: int) -> dict[str, tuple[int, ...]]:
    if dimensions % HEADS:
        raise ValueError(f"Attention in {HEADS} heads needs dimensions that they divide, not {dimensions}.")
    return {
        # Says which modality a row is of, where rows are compared: words, pixels.
        "place": (2, dimensions),
        "query": (HEADS * COMPARED, dimensions),
        "key": (HEADS * COMPARED, dimensions),
        # Of a head for a modality, whatever the rows say: words, pixels.
        "prior": (HEADS, 2),
        "value": (dimensions, dimensions),
    }


def fuse(tensors: Tensors, words: Rows, pixels: Rows) -> Rows:
    """`out[i]` = unit(mean over the modalities m that are there of softmax(q_m k / sqrt(d) + prior) v), by head."""
    has = np.concatenate(presence(words, pixels), axis=1)
    count, dimensions = words.shape
    both = np.stack([words, pixels], axis=1)
    placed = both + tensors["place"]
    asked = (placed @ tensors["query"].T).reshape(count, 2, HEADS, COMPARED)
    keys = (placed @ tensors["key"].T).reshape(count, 2, HEADS, COMPARED)
    # (N, heads, asking, answering)
    scores = np.einsum("nihd,njhd->nhij", asked, keys) / np.float32(np.sqrt(COMPARED))
    scores = scores + tensors["prior"][None, :, None, :]
    # Only what is there answers; a row without both answers with zeros.
    scores = np.where(has[:, None, None, :] > 0, scores, np.float32(-1e9))
    weights = np.exp(scores - scores.max(axis=3, keepdims=True))
    weights = weights / weights.sum(axis=3, keepdims=True)
    # (N, heads, answering): how much each modality counts, over those that ask.
    asking = has / np.maximum(has.sum(axis=1, keepdims=True), 1)
    counts = np.einsum("nhij,ni->nhj", weights, asking)
    values = (both @ tensors["value"].T).reshape(count, 2, HEADS, dimensions // HEADS)
    return unit_rows(np.einsum("nhj,njhd->nhd", counts, values).reshape(count, dimensions))
