"""⑤ How do the words and the pixels of one segment become one vector? By the site's fusion, where it learned one."""

from collections.abc import Sequence

import numpy as np

from retrieval.encoders.base import Encoder, Vectors
from retrieval.encoders.compact_image import CompactEncoder
from retrieval.fusion.base import Fusion


def fuse(
    encoder: Encoder, fusion: Fusion, words: Sequence[str], pixels: Vectors, passages: Vectors
) -> Vectors:
    """`out[i]` is the fused unit vector of a segment with `words[i]` and pixels (N, D); without words, its pixels'.

    `passages` (N, T): the text encoder's rows of `words`, for an encoder that reads words through those.
    """
    told = [index for index, text in enumerate(words) if text]
    texts = np.zeros_like(pixels)
    if told and isinstance(encoder, CompactEncoder):
        texts[told] = encoder.from_text_vectors(passages[told])
    elif told:
        texts[told] = encoder.encode_texts([words[index] for index in told])
    return fusion(texts, pixels)
