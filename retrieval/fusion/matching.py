"""How well does a segment answer a question? A small network on the pair of vectors, for the first hits of a ranking.

The cosine weighs all dimensions alike. The head sees where the two agree and where they differ, and corrects it; too
slow for a whole library, it orders again what the cosine brought up.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.fusion.base import Rows, Tensors, gelu, sigmoid

NAME = "matching"
HIDDEN = 64
# What it is trained to order again, and so what it should be asked to.
FIRST = 50


def shapes(dimensions: int) -> dict[str, tuple[int, ...]]:
    return {
        "w1": (HIDDEN, 2 * dimensions + 1),
        "b1": (HIDDEN,),
        "w2": (1, HIDDEN),
        # The logit is scale x cosine + shift + what the network adds.
        "scale": (1,),
        "shift": (1,),
    }


@dataclass(frozen=True, slots=True)
class MatchingHead:
    dimensions: int
    tensors: Tensors

    def relevance(self, query: Rows, segments: Rows) -> Rows:
        """`out[i]` (N,), 0 to 1: how likely `segments[i]` (N, D) answers `query` (D,); all of unit length.

        Segments are fused vectors, or those of pictures or of passages, of the space that the head was trained for.
        """
        tensors = self.tensors
        product = segments * query
        cosine = product.sum(axis=1, keepdims=True)
        seen = np.concatenate([product, np.abs(segments - query), cosine], axis=1)
        added = gelu(seen @ tensors["w1"].T + tensors["b1"]) @ tensors["w2"].T
        return sigmoid((tensors["scale"] * cosine + tensors["shift"] + added)[:, 0])


def rerank(
    head: MatchingHead, query: Rows, segments: Rows, order: npt.NDArray[np.int64], *, first: int = FIRST
) -> npt.NDArray[np.int64]:
    """`order` (K,), numbers of `segments` (N, D) best first, with its `first` ones ordered by relevance to `query`.

    Equally relevant ones keep their order.
    """
    head_of = order[:first]
    relevance = head.relevance(query, segments[head_of])
    return np.concatenate([head_of[np.argsort(-relevance, kind="stable")], order[first:]])
