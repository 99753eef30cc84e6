"""Is the query a part cut out of a picture? Tried at many places of the picture's stored look-alike descriptor.

The descriptor is a grid of cells, so a cut can be laid over any window of it and compared with the cells that it
covers, without the picture itself.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from retrieval.encoders.base import Vectors
from retrieval.encoders.lookalike import (
    CELLS,
    COLOUR_SHARE,
    EDGE_SHARE,
    LIGHT_SHARE,
    ORIENTATIONS,
    SIDE_PX,
    gradients,
    rooted,
)
from retrieval.encoders.pictures import upright_rgb

# Sides of a cut, in pixels of the descriptor's 64, and how far apart windows of one size lie at most. A seventh
# of a side, and a bit more than half a cell, are what the descriptor tolerates.
SIDES_PX = (37, 43, 49, 56, 64)
STEP_PX = 6
CELL_PX = SIDE_PX // CELLS
# A window of few cells agrees with many pictures by chance; what it lacks in cells costs it this much.
CELL_COST = 1.0


class Cut:
    """A query picture laid over every window of a descriptor."""

    def __init__(self, image: Image.Image) -> None:
        picture = upright_rgb(image).convert("YCbCr")
        # Its sizes differ little; each is made from one that is small already.
        picture = picture.resize((2 * SIDE_PX, 2 * SIDE_PX), Image.Resampling.BOX)
        sizes = [_laid(picture, width, height) for width in SIDES_PX for height in SIDES_PX]
        grids = np.concatenate([grid for grid, _ in sizes])
        self._inside = np.concatenate([inside for _, inside in sizes])
        self._count: Vectors = self._inside.sum(axis=1, dtype=np.float32)
        self._edges = _masked(rooted(grids[..., :ORIENTATIONS]), self._inside)
        means = np.asarray(grids[..., ORIENTATIONS:] / CELL_PX**2, dtype=np.float32)
        light = means[..., 0]
        mean = (light * self._inside).sum(axis=1, keepdims=True) / self._count[:, None]
        self._light = _masked(np.asarray(light - mean, dtype=np.float32)[..., None], self._inside)
        self._colour = _masked(means[..., 1:] - np.float32(0.5), self._inside)

    def fit(self, rows: Vectors) -> Vectors:
        """(N,): how well the query is a part of each picture of the look-alike descriptors `rows` (N, 704), up to 1."""
        split = CELLS * CELLS * ORIENTATIONS
        edges, light, colour = np.split(rows, [split, split + CELLS * CELLS], axis=1)
        score = EDGE_SHARE * self._cosine(edges, self._edges, ORIENTATIONS)
        score += LIGHT_SHARE * self._cosine(light, self._light, 1, centred=True)
        score += COLOUR_SHARE * self._cosine(colour, self._colour, 2)
        return np.asarray((score - CELL_COST / self._count).max(axis=1), dtype=np.float32)

    def _cosine(self, rows: Vectors, query: Vectors, width: int, *, centred: bool = False) -> Vectors:
        """(N, windows), over the cells inside each window."""
        squares = (rows.reshape(len(rows), -1, width) ** 2).sum(axis=2) @ self._inside.T
        if centred:
            squares -= (rows @ self._inside.T) ** 2 / self._count
        lengths = np.sqrt(np.maximum(squares, 1e-9))
        return np.asarray(rows @ query.T / lengths, dtype=np.float32)


def _laid(picture: Image.Image, width: int, height: int) -> tuple[Vectors, Vectors]:
    """At each place of a cut of that size: sums by cell (places, 64, 11), and which cells it covers (places, 64)."""
    resized = picture.resize((width, height), Image.Resampling.BOX)
    values = np.asarray(resized, dtype=np.float32) / np.float32(255)
    bins, strength = gradients(values[..., 0])
    by_pixel = np.zeros((height, width, ORIENTATIONS + 3), dtype=np.float32)
    np.put_along_axis(by_pixel, bins[..., None], strength[..., None], axis=2)
    by_pixel[..., ORIENTATIONS:] = values
    # Summed-area tables (Crow 1984): a cell's sum is four look-ups, wherever the grid lies.
    sums = np.zeros((height + 1, width + 1, ORIENTATIONS + 3), dtype=np.float64)
    sums[1:, 1:] = by_pixel.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    (rows, inside_rows), (columns, inside_columns) = _lines(height), _lines(width)
    corners = sums[rows[:, None, :, None], columns[None, :, None, :]]
    cells = np.diff(np.diff(corners, axis=2), axis=3).reshape(-1, CELLS * CELLS, ORIENTATIONS + 3)
    inside = inside_rows[:, None, :, None] & inside_columns[None, :, None, :]
    # Differences of sums may fall below zero by rounding, and roots are taken of them.
    return np.maximum(cells, 0).astype(np.float32), inside.reshape(-1, CELLS * CELLS).astype(np.float32)


def _lines(side: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """For each place of a cut of `side`: where the grid's nine lines are in it, and which cells lie in it whole."""
    room = SIDE_PX - side
    count = -(-room // STEP_PX) + 1
    starts = (
        np.round(np.linspace(0, room, count)).astype(np.intp) if count > 1 else np.zeros(1, dtype=np.intp)
    )
    lines = np.arange(CELLS + 1) * CELL_PX - starts[:, None]
    inside = (lines[:, :-1] >= 0) & (lines[:, 1:] <= side)
    return np.clip(lines, 0, side), inside


def _masked(values: Vectors, inside: Vectors) -> Vectors:
    """(windows, cells x width): zero outside, of unit length inside."""
    flat = (values * inside[..., None]).reshape(len(values), -1)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(lengths, 1e-6), dtype=np.float32)
