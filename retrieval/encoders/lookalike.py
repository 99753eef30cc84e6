"""Which pictures look like this one? A fixed descriptor of layout, edges and colour: nothing learned, no download.

It finds the same picture again after resizing, recompression, a colour shift or a modest crop. It knows nothing of
what a picture shows; that is the image encoder's part.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from retrieval.encoders.base import EncoderError, EncoderSpec, Vectors, unit_rows
from retrieval.encoders.pictures import upright_rgb

# Pixels a side of the working copy: 8 x 8 cells of 8 pixels, the cell size of Dalal & Triggs (2005).
SIDE_PX = 64
CELLS = 8
ORIENTATIONS = 8
# Shares of the squared length. Edges survive colour shifts and tell pictures apart best; light and colour settle
# what is left. Measured on 250 photos, see docs/benchmarks.md.
EDGE_SHARE, LIGHT_SHARE, COLOUR_SHARE = 0.6, 0.25, 0.15


class LookAlikeEncoder:
    """Implements `Encoder` for images: float32 (N, 704) unit rows."""

    spec = EncoderSpec(
        name="look-alike",
        revision="1",
        dimensions=CELLS * CELLS * (ORIENTATIONS + 3),
        modalities=frozenset({"image"}),
        max_text_tokens=0,
    )

    def encode_texts(self, texts: Sequence[str], *, query: bool = False) -> Vectors:  # noqa: ARG002 - the protocol's
        raise EncoderError("The look-alike descriptor compares pictures only; it cannot encode words.")

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        if not images:
            return np.zeros((0, self.spec.dimensions), dtype=np.float32)
        return unit_rows(np.stack([_describe(image) for image in images]))


def _describe(image: Image.Image) -> npt.NDArray[np.float32]:
    upright = upright_rgb(image).convert("YCbCr")
    resized = upright.resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    small = np.asarray(resized, dtype=np.float32) / np.float32(255)
    light = small[..., 0]
    means: npt.NDArray[np.float32] = small.reshape(CELLS, SIDE_PX // CELLS, CELLS, SIDE_PX // CELLS, 3).mean(
        axis=(1, 3)
    )
    return np.concatenate(
        [
            EDGE_SHARE**0.5 * _unit(_edges(light)),
            LIGHT_SHARE**0.5 * _unit(means[..., 0] - means[..., 0].mean()),
            # Not centred: a picture's overall tint tells it from others.
            COLOUR_SHARE**0.5 * _unit(means[..., 1:] - 0.5),
        ]
    )


def _edges(light: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Histogram of gradient orientations by cell, (8, 8, 8), less the cell's mean so that flat texture is neutral."""
    bins, strength = gradients(light)
    rows, columns = np.indices(light.shape) // (SIDE_PX // CELLS)
    histogram = np.zeros((CELLS, CELLS, ORIENTATIONS), dtype=np.float32)
    np.add.at(histogram, (rows, columns, bins), strength)
    return rooted(histogram)


def gradients(light: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """Of each pixel of `light` (H, W): the bin of its edge's orientation, and how strong the edge is."""
    rise, run = np.gradient(light)
    # Unsigned orientations: a negative of the picture has the same edges.
    bins = np.minimum((np.arctan2(rise, run) % np.pi) / np.pi * ORIENTATIONS, ORIENTATIONS - 1).astype(
        np.intp
    )
    return bins, np.hypot(rise, run)


def rooted(histogram: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What is kept of histograms (..., orientations)."""
    # The square root keeps one strong edge from drowning the rest (Arandjelovic & Zisserman 2012, section 3).
    root = np.sqrt(histogram)
    return np.asarray(root - root.mean(axis=-1, keepdims=True), dtype=np.float32)


def _unit(part: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    flat = part.ravel()
    length = float(np.linalg.norm(flat))
    return flat / length if length > 0 else flat
