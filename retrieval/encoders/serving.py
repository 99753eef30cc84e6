"""How does a prepared encoder answer? Its towers behind the `Encoder` protocol, whatever family it is of."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from retrieval.encoders.base import Encoder, EncoderError, EncoderSpec, Vectors
from retrieval.encoders.image_tower import ImageTower
from retrieval.encoders.manifest import TOKENIZER, Prepared, Source, folder_name, read
from retrieval.encoders.runtime import THREADS
from retrieval.encoders.student import BilingualEncoder, BilingualSource
from retrieval.encoders.text_tower import TextTower

# What a profile can name: one encoder, or two that share the work.
AnySource = Source | BilingualSource


class PreparedEncoder:
    """One text tower, one image tower, or both, on ONNX Runtime."""

    def __init__(self, made: Prepared, *, threads: int = THREADS) -> None:
        self._spec = made.spec
        self._text = (
            TextTower(made.graph("text"), made.folder / TOKENIZER, made.text, threads=threads)
            if made.text
            else None
        )
        self._image = ImageTower(made.graph("image"), made.image, threads=threads) if made.image else None

    @property
    def spec(self) -> EncoderSpec:
        return self._spec

    def encode_texts(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        if self._text is None:
            raise EncoderError(f"{self._spec.name} encodes no texts.")
        return self._text.encode(texts, query=query) if texts else self._none()

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        if self._image is None:
            raise EncoderError(f"{self._spec.name} encodes no pictures.")
        return self._image.encode(images) if images else self._none()

    def _none(self) -> Vectors:
        return np.empty((0, self._spec.dimensions), dtype=np.float32)


def load(source: AnySource, models_dir: Path, *, threads: int = THREADS) -> Encoder:
    """Prepares first where that was not done. Raises EncoderError."""
    if isinstance(source, BilingualSource):
        return BilingualEncoder(
            _load(source.teacher, models_dir, threads), _load(source.student, models_dir, threads)
        )
    return _load(source, models_dir, threads)


def _load(source: Source, models_dir: Path, threads: int) -> PreparedEncoder:
    made = read(models_dir / folder_name(source))
    if made is None:
        # Quantisation and its libraries load only where they are used: a prepared server never needs them.
        from retrieval.encoders.prepare import prepared

        made = prepared(source, models_dir)
    return PreparedEncoder(made, threads=threads)
