"""⑤ How do the words and the pixels of one segment become one vector? By the site's fusion, where they share a space.

That is their weighted mean, or what KB_FUSION names: a file that `manage.py evaluate fusion --save-weights` wrote.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings

from retrieval.encoders.base import Encoder, EncoderSpec, Vectors
from retrieval.encoders.compact_image import CompactEncoder
from retrieval.fusion.base import Fusion
from retrieval.fusion.files import load_fusion
from retrieval.fusion.weighted import Weighted


def shares_a_space(encoder: Encoder) -> bool:
    """Whether the encoder puts words and pixels into the same space."""
    return {"text", "image"} <= encoder.spec.modalities


def fusion(encoder: Encoder) -> Fusion:
    """The site's, for vectors of `encoder`. Raises FusionError for a file that does not belong to it."""
    return _loaded(Path(settings.KB_FUSION), encoder.spec.key) if settings.KB_FUSION else Weighted()


def spec(encoder: Encoder) -> EncoderSpec:
    """Of the fused vectors: two fusions of one encoder's vectors are two spaces, though not of the default."""
    revision = fusion(encoder).revision
    return replace(encoder.spec, revision=f"{encoder.spec.revision}+{revision}") if revision else encoder.spec


def fuse(encoder: Encoder, words: Sequence[str], pixels: Vectors, passages: Vectors) -> Vectors:
    """`out[i]` is the fused unit vector of a segment with `words[i]` and pixels (N, D); without words, its pixels'.

    `passages` (N, T): the text encoder's rows of `words`, for an encoder that reads words through those.
    """
    told = [index for index, text in enumerate(words) if text]
    texts = np.zeros_like(pixels)
    if told and isinstance(encoder, CompactEncoder):
        texts[told] = encoder.from_text_vectors(passages[told])
    elif told:
        texts[told] = encoder.encode_texts([words[index] for index in told])
    return fusion(encoder)(texts, pixels)


@lru_cache(maxsize=1)
def _loaded(path: Path, space: str) -> Fusion:
    return load_fusion(path, space=space)
