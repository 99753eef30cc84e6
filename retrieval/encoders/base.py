"""What is an encoder? Turns texts or pictures into unit vectors that can be compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from PIL import Image

# float32 (N, D), each row of length 1.
Vectors = npt.NDArray[np.float32]
Modality = Literal["text", "image"]


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """What names an encoder's space. Vectors of different `name` or `revision` must never be compared."""

    name: str
    revision: str  # Changes with the weights, the pooling and the quantisation.
    dimensions: int
    modalities: frozenset[Modality]
    max_text_tokens: int

    @property
    def key(self) -> str:
        """`name@revision`, for cache keys and vector sets."""
        return f"{self.name}@{self.revision}"


@dataclass(frozen=True, slots=True)
class CosineRange:
    """Where an encoder's cosines lie: `low` of what has nothing to do with the query, `high` of what answers it well.

    From `matches_from` on something is shown as a match. Raises ValueError for bounds out of order.
    """

    low: float
    high: float
    matches_from: float

    def __post_init__(self) -> None:
        if not -1 <= self.low < self.high <= 1 or not self.low <= self.matches_from <= 1:
            raise ValueError(f"No range of cosines: {self.low}, {self.high}, from {self.matches_from}.")


class EncoderError(Exception):
    """The encoder could not be loaded, or cannot encode this."""


@runtime_checkable
class Encoder(Protocol):
    """Implementations are safe to call from several threads at once.

    `encode_texts` and `encode_images` return float32 (N, D) unit rows, in the order given; an empty sequence
    gives (0, D). A text longer than `spec.max_text_tokens` is cut. Both raise EncoderError for a modality
    that `spec.modalities` does not name.
    """

    @property
    def spec(self) -> EncoderSpec: ...

    def encode_texts(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """`query`: the texts are questions, not passages, for encoders that prompt the two differently."""
        ...

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors: ...


def text_space(encoder: Encoder) -> str:
    """The space that the encoder puts texts into: another's, where it was trained to agree with one, else its own."""
    return str(getattr(encoder, "text_space", encoder.spec.name))


def unit_rows(rows: npt.NDArray[Any]) -> Vectors:
    """`rows` (N, D) as float32, each divided by its length. A row of zeros stays zeros."""
    rows = np.asarray(rows, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0), dtype=np.float32)
