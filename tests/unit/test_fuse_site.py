"""Which fusion do workers use, and do vectors of two fusions ever get into one set?"""

from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from retrieval import fused
from retrieval.encoders.base import CosineRange
from retrieval.fusion.base import FusionError
from retrieval.fusion.files import LearnedFusion, save_fusion
from retrieval.fusion.weighted import Weighted
from tests.colours import ColourEncoder
from workers import embed, fuse

ENCODER = ColourEncoder()
RANGE = CosineRange(low=0.1, high=0.9, matches_from=0.2)
PIXELS = np.array([[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]], dtype=np.float32)
# The words' own vectors are those of another encoder, which this one does not read.
PASSAGES = np.zeros((2, 3), dtype=np.float32)


def only_pixels(path: Path, space: str = ENCODER.spec.key) -> LearnedFusion:
    made = LearnedFusion("weighted", space, 5, {"weights": np.array([0, 1], dtype=np.float32)}, RANGE)
    save_fusion(made, path)
    return made


def test_without_a_setting_nothing_is_fused(settings: Settings) -> None:
    settings.KB_FUSION = ""
    assert fused.site_fusion(ENCODER) is None
    assert fused.serving_fusion(ENCODER) is None


def test_words_and_pixels_become_one_vector(settings: Settings) -> None:
    made = fuse.fuse(ENCODER, Weighted(), ["green", ""], PIXELS, PASSAGES)
    # Half red, half green; the second has no words.
    assert made[0, 0] == pytest.approx(made[0, 1], abs=0.01)
    np.testing.assert_array_equal(made[1], PIXELS[1])


def test_a_learned_fusion_has_a_set_of_its_own(settings: Settings, tmp_path: Path) -> None:
    plain = embed.revision()
    made = only_pixels(tmp_path / "weighted.safetensors")
    settings.KB_FUSION = str(tmp_path / "weighted.safetensors")
    for found in (fused.site_fusion(ENCODER), fused.serving_fusion(ENCODER)):
        assert found is not None
        assert (found.revision, found.words) == (made.revision, RANGE)
        np.testing.assert_allclose(fuse.fuse(ENCODER, found, ["green", ""], PIXELS, PASSAGES), PIXELS)
    assert fused.fused_spec(ENCODER, made).revision == f"1+{made.revision}"
    # Steps that were done with another fusion are to be done again.
    assert embed.revision() != plain


def test_a_fusion_for_another_encoder_is_refused_by_name_and_searches_go_on_without_it(
    settings: Settings, tmp_path: Path
) -> None:
    only_pixels(tmp_path / "weighted.safetensors", "other@1")
    settings.KB_FUSION = str(tmp_path / "weighted.safetensors")
    with pytest.raises(FusionError, match="trained for vectors of other@1"):
        fused.site_fusion(ENCODER)
    assert fused.serving_fusion(ENCODER) is None
