"""What is a fusion? Makes one vector of a segment from what is written in or about it and from its pixels.

All are in one space, and so is what they make: a question's vector is compared with it as with either of the two.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from retrieval.encoders.base import EncoderError

# float32 (N, D)
Rows = npt.NDArray[np.float32]
Tensors = Mapping[str, npt.NDArray[np.float32]]


class FusionError(EncoderError):
    """A fusion cannot be loaded, or does not belong to the encoder. The message says what to do."""


class Fusion(Protocol):
    """Implementations are safe to call from several threads at once."""

    @property
    def name(self) -> str: ...

    @property
    def revision(self) -> str:
        """Changes with the weights; empty for the default. Vectors of different ones must not be compared."""
        ...

    def __call__(self, words: Rows, pixels: Rows) -> Rows:
        """`out[i]` (D,) is a unit vector of `words[i]` and `pixels[i]`, both unit rows; zeros where both are missing.

        A row of zeros says that the segment lacks the modality. Raises ValueError for shapes that differ.
        """
        ...


def presence(words: Rows, pixels: Rows) -> tuple[Rows, Rows]:
    """Float32 (N, 1) each: 1 where the row says something. Raises ValueError for shapes that differ."""
    if words.ndim != 2 or words.shape != pixels.shape:
        raise ValueError(f"The modalities differ in shape: {[words.shape, pixels.shape]}.")
    has_words, has_pixels = (np.any(rows != 0, axis=1, keepdims=True) for rows in (words, pixels))
    return has_words.astype(np.float32), has_pixels.astype(np.float32)


def gelu(values: Rows) -> Rows:
    """Hendrycks & Gimpel 2016 in the tanh form: numpy has no error function, and training uses the same form."""
    inner = np.float32(np.sqrt(2 / np.pi)) * (values + np.float32(0.044715) * values**3)
    return np.asarray(np.float32(0.5) * values * (1 + np.tanh(inner)), dtype=np.float32)


def sigmoid(values: Rows) -> Rows:
    """1 / (1 + exp(-x)) in a form that does not overflow."""
    return np.asarray(np.float32(0.5) * (1 + np.tanh(np.float32(0.5) * values)), dtype=np.float32)
