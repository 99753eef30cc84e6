"""How well do vectors of words and of pictures find each other, without a library around them?

What an encoder can do by itself: rankings by cosine over all candidates, in both directions.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from retrieval import evaluation
from retrieval.encoders.base import Encoder, Vectors
from retrieval.evaluation_runs import Section
from workers.evaluate.outcome import Row, rounded, row

# Pictures decoded, and texts encoded, between two steps of the progress bar.
PICTURES_AT_ONCE = 64
TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Found:
    """The answers to Q queries among N candidates."""

    section: Section
    chance: Mapping[str, float]
    # (Q, N): the candidates' numbers, nearest first; and which of them, by number, are right.
    order: npt.NDArray[np.int64]
    right: npt.NDArray[np.floating]

    def figures(self) -> dict[str, object]:
        queries, candidates = self.order.shape
        return {
            "queries": queries,
            "candidates": candidates,
            **rounded(self.section.means()),
            "chance": rounded(self.chance),
        }

    def row(self, name: str, columns: Sequence[str]) -> Row:
        queries, candidates = self.order.shape
        return row(f"{name} ({queries} among {candidates})", self.section, columns=columns)


def find(
    queries: Vectors,
    candidates: Vectors,
    right: npt.NDArray[np.floating],
    keys: Sequence[str],
    *,
    any_positive: bool = True,
) -> Found:
    """`queries` (Q, D) and `candidates` (N, D) are unit rows; `right` (Q, N) grades what should be found."""
    similarity = queries @ candidates.T
    judged = evaluation.judge_similarities(similarity, right)
    by_chance = evaluation.chance(judged, len(candidates), any_positive=any_positive)
    return Found(
        Section(tuple(keys), evaluation.per_query(judged, any_positive=any_positive)),
        {name: float(values.mean()) for name, values in by_chance.items()},
        np.argsort(-similarity, axis=1, kind="stable"),
        right,
    )


def picture_rows(encoder: Encoder, pictures: Sequence[bytes]) -> Vectors:
    """float32 (N, D) unit rows."""
    rows = []
    for start in tqdm(range(0, len(pictures), PICTURES_AT_ONCE), desc="pictures", disable=None):
        batch = [Image.open(io.BytesIO(content)) for content in pictures[start : start + PICTURES_AT_ONCE]]
        rows.append(encoder.encode_images(batch))
    return np.concatenate([np.zeros((0, encoder.spec.dimensions), np.float32), *rows])


def text_rows(encoder: Encoder, texts: Sequence[str], *, query: bool = True) -> Vectors:
    """float32 (N, D) unit rows."""
    rows = [
        encoder.encode_texts(texts[start : start + TEXTS_AT_ONCE], query=query)
        for start in tqdm(range(0, len(texts), TEXTS_AT_ONCE), desc="texts", disable=None)
    ]
    return np.concatenate([np.zeros((0, encoder.spec.dimensions), np.float32), *rows])
