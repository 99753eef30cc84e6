"""Fusion by a gate: a small network that sees both says, dimension by dimension, how much the words count.

Arevalo et al. 2017, "Gated Multimodal Units for Information Fusion", section 3, without the projections before the
gate: the two are in one space already.
"""

import numpy as np

from retrieval.encoders.base import unit_rows
from retrieval.fusion.base import Rows, Tensors, gelu, presence, sigmoid

NAME = "gated"
HIDDEN = 64


def shapes(dimensions: int) -> dict[str, tuple[int, ...]]:
    return {
        "w1": (HIDDEN, 3 * dimensions + 2),
        "b1": (HIDDEN,),
        "w2": (dimensions, HIDDEN),
        "b2": (dimensions,),
    }


def fuse(tensors: Tensors, words: Rows, pixels: Rows) -> Rows:
    """`out[i]` = unit(g words[i] + (1 - g) pixels[i]), g = sigmoid of the network, (D,).

    The network sees both rows, their product, which says where they agree, and whether each is there.
    """
    has = np.concatenate(presence(words, pixels), axis=1)
    hidden = gelu(
        np.concatenate([words, pixels, words * pixels, has], axis=1) @ tensors["w1"].T + tensors["b1"]
    )
    gate = sigmoid(hidden @ tensors["w2"].T + tensors["b2"])
    return unit_rows(gate * words + (1 - gate) * pixels)
