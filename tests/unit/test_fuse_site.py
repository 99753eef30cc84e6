"""Which fusion do workers use, and do vectors of two fusions ever get into one set?"""

from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from retrieval.fusion.base import FusionError
from retrieval.fusion.files import LearnedFusion, save_fusion
from tests.colours import ColourEncoder
from workers import embed, fuse

ENCODER = ColourEncoder()
PIXELS = np.array([[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]], dtype=np.float32)
# The words' own vectors are those of another encoder, which this one does not read.
PASSAGES = np.zeros((2, 3), dtype=np.float32)


def only_pixels(path: Path, space: str = ENCODER.spec.key) -> LearnedFusion:
    made = LearnedFusion("weighted", space, 5, {"weights": np.array([0, 1], dtype=np.float32)})
    save_fusion(made, path)
    return made


def test_without_a_setting_words_and_pixels_count_alike(settings: Settings) -> None:
    settings.KB_FUSION = ""
    fused = fuse.fuse(ENCODER, ["green", ""], PIXELS, PASSAGES)
    # Half red, half green; the second has no words.
    assert fused[0, 0] == pytest.approx(fused[0, 1], abs=0.01)
    np.testing.assert_array_equal(fused[1], PIXELS[1])
    assert fuse.spec(ENCODER) == ENCODER.spec


def test_a_learned_fusion_has_a_set_of_its_own(settings: Settings, tmp_path: Path) -> None:
    plain = embed.revision()
    made = only_pixels(tmp_path / "weighted.safetensors")
    settings.KB_FUSION = str(tmp_path / "weighted.safetensors")
    np.testing.assert_allclose(fuse.fuse(ENCODER, ["green", ""], PIXELS, PASSAGES), PIXELS)
    assert fuse.spec(ENCODER).revision == f"1+{made.revision}"
    assert fuse.spec(ENCODER).key != ENCODER.spec.key
    # Steps that were done with another fusion are to be done again.
    assert embed.revision() != plain


def test_a_fusion_for_another_encoder_is_refused_by_name(settings: Settings, tmp_path: Path) -> None:
    only_pixels(tmp_path / "weighted.safetensors", "other@1")
    settings.KB_FUSION = str(tmp_path / "weighted.safetensors")
    with pytest.raises(FusionError, match="trained for vectors of other@1"):
        fuse.fuse(ENCODER, ["green", ""], PIXELS, PASSAGES)
