"""Does a head that was trained on the library serve exactly while it is active and belongs to the encoder?"""

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from retrieval import spaces
from retrieval.encoders import site_head
from retrieval.encoders.base import CosineRange, EncoderError, EncoderSpec
from retrieval.encoders.text_head import TextHead, text_head

SPEC = EncoderSpec("both", "1", 4, frozenset({"text", "image"}), 16)
WORDS = CosineRange(low=0.1, high=0.8, matches_from=0.4)


def head(towards: int) -> TextHead:
    """Adds one direction to every text."""
    zeros = np.zeros((2, 4), dtype=np.float32)
    return TextHead(zeros, zeros[:, 0], zeros.T.copy(), np.eye(4, dtype=np.float32)[towards])


def test_without_one_there_is_none(tmp_path: Path) -> None:
    assert site_head.active_head(tmp_path, SPEC) is None
    assert site_head.record(tmp_path) is None


def test_heads_serve_one_after_the_other_and_undo_goes_back_one_by_one(tmp_path: Path) -> None:
    first = site_head.activate(tmp_path, SPEC, head(0), WORDS, {"n": 1})
    second = site_head.activate(tmp_path, SPEC, head(1), WORDS, {"n": 2})
    assert first != second
    active = site_head.active_head(tmp_path, SPEC)
    assert active is not None
    assert (active.revision, active.words) == (second, WORDS)
    # (1, 0, 0, 0) and the direction (0, 1, 0, 0) make (1, 1, 0, 0), of unit length.
    moved = active.head(np.array([[1, 0, 0, 0]], dtype=np.float32))
    np.testing.assert_allclose(moved, [[0.5**0.5, 0.5**0.5, 0, 0]], atol=1e-6)

    assert site_head.undo(tmp_path)["facts"] == {"n": 2}
    back = site_head.active_head(tmp_path, SPEC)
    assert back is not None
    assert back.revision == first
    site_head.undo(tmp_path)
    assert site_head.active_head(tmp_path, SPEC) is None
    with pytest.raises(EncoderError, match="nothing to undo"):
        site_head.undo(tmp_path)


def test_the_head_of_another_encoder_rests(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    site_head.activate(tmp_path, SPEC, head(0), WORDS, {})
    with caplog.at_level(logging.WARNING):
        assert site_head.active_head(tmp_path, replace(SPEC, revision="2")) is None
    assert "train it again" in caplog.text
    assert site_head.active_head(tmp_path, SPEC) is not None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder, _revision: (folder / "active.json").write_text("{"),
        lambda folder, revision: (folder / "active.json").write_text(json.dumps({"revision": revision})),
        lambda folder, revision: (folder / f"{revision}.safetensors").write_bytes(b"no head"),
        lambda folder, revision: (folder / f"{revision}.safetensors").unlink(),
    ],
    ids=["no JSON", "half a record", "no tensors", "no file"],
)
def test_one_that_cannot_be_read_is_named_and_searches_go_on_with_the_encoders(
    tmp_path: Path, spoil: object, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    revision = site_head.activate(tmp_path, SPEC, head(0), WORDS, {})
    spoil(tmp_path / "alignment", revision)  # type: ignore[operator]
    with pytest.raises(EncoderError, match=r"alignment.*(--undo|Remove the file)"):
        site_head.active_head(tmp_path, SPEC)

    class Both:
        spec = SPEC

    settings.KB_MODELS_DIR = tmp_path
    assert spaces.site_head(Both()) is None  # type: ignore[arg-type]
    assert "cannot be read; the encoder's is used" in caplog.text


@pytest.mark.parametrize(
    ("tensors", "complaint"),
    [
        (head(0).tensors() | {"b2": np.zeros(3, dtype=np.float32)}, "not one of 4 dimensions"),
        (head(0).tensors() | {"b2": np.full(4, np.nan, dtype=np.float32)}, "numbers that are none"),
        ({name: tensor for name, tensor in head(0).tensors().items() if name != "w2"}, "lacks 'w2'"),
    ],
)
def test_tensors_that_are_no_head_are_refused(tensors: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        text_head(tensors, 4)  # type: ignore[arg-type]
