"""How does a picture become a vector? Pixels as the encoder was trained on, through one ONNX graph."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from retrieval.encoders.base import Vectors, unit_rows
from retrieval.encoders.pictures import ImagePart, pixels
from retrieval.encoders.runtime import THREADS, Session

# A picture keeps one core busy by itself; a batch of eight bounds what a page of figures takes in memory.
BATCH = 8


class ImageTower:
    """A graph from `pixel_values` to one row a picture."""

    def __init__(self, graph: Path, part: ImagePart, *, threads: int = THREADS) -> None:
        self._part = part
        self._session = Session(graph, threads=threads)

    def encode(self, images: Sequence[Image.Image]) -> Vectors:
        """float32 (N, D) unit rows in the order given, for at least one picture."""
        batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
        rows = [self._session.run({"pixel_values": pixels(batch, self._part)}) for batch in batches]
        return unit_rows(np.concatenate(rows))
