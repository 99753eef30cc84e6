"""How is a text's vector moved to where pictures of what it says lie? By a small residual network, in numpy.

A query has a few hundred hidden units, so it costs less than a tenth of a millisecond.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.encoders.base import EncoderError, Vectors, unit_rows

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TextHead:
    """unit(t + W2 gelu(W1 t + b1) + b2), with H hidden units for a space of D dimensions."""

    w1: Weights  # (H, D)
    b1: Weights  # (H,)
    w2: Weights  # (D, H)
    b2: Weights  # (D,)

    def __call__(self, rows: Vectors) -> Vectors:
        """float32 (N, D) unit rows, of `rows` (N, D) of unit length."""
        hidden = rows @ self.w1.T + self.b1
        return unit_rows(rows + _gelu(hidden) @ self.w2.T + self.b2)

    def tensors(self) -> dict[str, Weights]:
        """By the names that files have."""
        return {"w1": self.w1, "b1": self.b1, "w2": self.w2, "b2": self.b2}


def text_head(tensors: Mapping[str, npt.NDArray[np.float32]], dimensions: int) -> TextHead:
    """Raises ValueError for tensors that are no head of a space of `dimensions`."""
    try:
        head = TextHead(
            **{name: np.asarray(tensors[name], dtype=np.float32) for name in ("w1", "b1", "w2", "b2")}
        )
    except KeyError as error:
        raise ValueError(f"it lacks {error}") from error
    width = len(head.b1)
    shapes = {"w1": (width, dimensions), "b1": (width,), "w2": (dimensions, width), "b2": (dimensions,)}
    if {name: tensor.shape for name, tensor in head.tensors().items()} != shapes or len(tensors) != 4:
        raise ValueError(f"it is not one of {dimensions} dimensions")
    if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
        raise ValueError("it holds numbers that are none")
    return head


def read_head(path: Path, dimensions: int, *, remedy: str) -> TextHead:
    """Of a safetensors file. Raises EncoderError that ends with `remedy`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return text_head(load_file(path), dimensions)
    except (OSError, ValueError, SafetensorError) as error:
        raise EncoderError(f"{path} holds no text head ({error}). {remedy}") from error


def write_head(path: Path, head: TextHead) -> None:
    from safetensors.numpy import save_file

    save_file({name: np.ascontiguousarray(tensor) for name, tensor in head.tensors().items()}, path)


# numpy has no error function.
_erf = np.vectorize(math.erf, otypes=[np.float32])


def _gelu(values: Vectors) -> Vectors:
    """The exact one, x / 2 * (1 + erf(x / sqrt 2)), as in training (Hendrycks & Gimpel 2016)."""
    if not values.size:
        return values
    return np.asarray(values * 0.5 * (1 + _erf(values / np.float32(math.sqrt(2)))), dtype=np.float32)
