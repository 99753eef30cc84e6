"""⑤ How do the words and the pixels of one segment become one vector? By weighted mean, where they share a space."""

from collections.abc import Sequence

import numpy as np

from retrieval.encoders.base import Encoder, Vectors
from retrieval.encoders.compact_image import CompactEncoder
from retrieval.fusion.weighted import weighted

# Words are what people search by, pixels what they mean: neither is known to matter more before anyone trained it.
_WORDS_WEIGHT, _PIXELS_WEIGHT = 0.5, 0.5


def shares_a_space(encoder: Encoder) -> bool:
    """Whether the encoder puts words and pixels into the same space."""
    return {"text", "image"} <= encoder.spec.modalities


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
    return weighted([texts, pixels], [_WORDS_WEIGHT, _PIXELS_WEIGHT])
