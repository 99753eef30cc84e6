"""Which learned fusion of words and pixels does the site use, and whose vectors are those that it makes?

Without one, what a picture shows and what is said about it count each for itself, and ranking weighs them. A learned
one (KB_FUSION: a file that `manage.py evaluate fusion --save-weights` wrote) makes one vector of both, and words ask
for that instead of the pixels' own.
"""

import logging
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from retrieval.encoders.base import Encoder, EncoderSpec
from retrieval.fusion.base import FusionError
from retrieval.fusion.files import LearnedFusion, load_fusion

log = logging.getLogger(__name__)


def site_fusion(encoder: Encoder) -> LearnedFusion | None:
    """For vectors of `encoder`, which puts words and pixels into one space. Raises FusionError."""
    if not settings.KB_FUSION or not {"text", "image"} <= encoder.spec.modalities:
        return None
    return _loaded(Path(settings.KB_FUSION), encoder.spec.key)


def serving_fusion(encoder: Encoder) -> LearnedFusion | None:
    """As `site_fusion`; None for a file that cannot be used, which the log names: pixels alone still find pictures."""
    if not settings.KB_FUSION:
        return None
    return site_fusion(encoder) if _usable(encoder.spec, settings.KB_FUSION) else None


def fused_spec(encoder: Encoder, fusion: LearnedFusion) -> EncoderSpec:
    """Two fusions of one encoder's vectors are two spaces."""
    return replace(encoder.spec, revision=f"{encoder.spec.revision}+{fusion.revision}")


@lru_cache(maxsize=1)
def _loaded(path: Path, space: str) -> LearnedFusion:
    return load_fusion(path, space=space)


@lru_cache(maxsize=1)
def _usable(spec: EncoderSpec, path: str) -> bool:
    """Once for each process and setting."""
    try:
        _loaded(Path(path), spec.key)
    except FusionError:
        log.exception("KB_FUSION cannot be used; words find pictures by their pixels alone.")
        return False
    return True
