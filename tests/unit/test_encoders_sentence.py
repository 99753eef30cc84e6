"""Does an exported sentence encoder pool, prompt and pad as its model asks?"""

import json
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoders.base import EncoderError
from retrieval.encoders.manifest import TOKENIZER
from retrieval.encoders.prepare import prepared
from retrieval.encoders.sentence import Pooling, SentenceSource
from retrieval.encoders.text_tower import TextTower
from tests import tiny_models

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    tiny_models.save_bert(folder)
    return folder


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_each_pooling_agrees_with_torch(pooling: Pooling, model: Path, tmp_path: Path) -> None:
    rows = _tower(SentenceSource(str(model), pooling=pooling), tmp_path / "graphs").encode(tiny_models.TEXTS)
    reference = transformers.AutoModel.from_pretrained(model).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    for text, row in zip(tiny_models.TEXTS, rows, strict=True):
        with torch.no_grad():
            hidden = reference(**tokenizer(text, truncation=True, return_tensors="pt")).last_hidden_state[0]
        expected = {"mean": hidden.mean(0), "cls": hidden[0], "last": hidden[-1]}[pooling].numpy()
        assert row @ (expected / np.linalg.norm(expected)) > 0.9999


def test_pooling_prompts_and_length_are_read_from_the_models_files(model: Path, tmp_path: Path) -> None:
    (model / "1_Pooling").mkdir()
    (model / "1_Pooling/config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    prompts = {"prompts": {"query": "ask ", "document": "tell "}}
    (model / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    (model / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 20}))
    prompted = _tower(SentenceSource(str(model)), tmp_path / "prompted")
    plain = _tower(SentenceSource(str(model), query_prompt="", passage_prompt=""), tmp_path / "plain")
    by_mean = _tower(SentenceSource(str(model), pooling="mean"), tmp_path / "mean")

    assert prompted.inputs(["pump " * 50])["input_ids"].shape == (1, 20)
    np.testing.assert_allclose(
        prompted.encode(["pump"], query=True), plain.encode(["ask pump"], query=True), atol=1e-6
    )
    np.testing.assert_allclose(prompted.encode(["pump"]), plain.encode(["tell pump"]), atol=1e-6)
    assert np.max(np.abs(prompted.encode(["pump"]) - by_mean.encode(["pump"]))) > 0.01


def test_a_changed_prompt_is_another_space(model: Path, tmp_path: Path) -> None:
    specs = [prepared(SentenceSource(str(model), query_prompt=p), tmp_path).spec for p in ("ask ", "seek ")]
    assert specs[0].revision != specs[1].revision


def _tower(source: SentenceSource, folder: Path) -> TextTower:
    folder.mkdir()
    exported = source.export(folder)
    assert exported.text is not None
    return TextTower(folder / "text.onnx", folder / TOKENIZER, exported.text)


def test_a_layer_that_would_be_left_out_is_refused(model: Path, tmp_path: Path) -> None:
    (model / "modules.json").write_text(json.dumps([{"type": "sentence_transformers.models.Dense"}]))
    with pytest.raises(EncoderError, match="ends in a Dense layer"):
        SentenceSource(str(model)).export(tmp_path)


def test_a_pooling_that_is_not_computed_here_is_refused(model: Path, tmp_path: Path) -> None:
    (model / "1_Pooling").mkdir()
    (model / "1_Pooling/config.json").write_text(json.dumps({"pooling_mode_max_tokens": True}))
    with pytest.raises(EncoderError, match="pooling_mode_max_tokens"):
        SentenceSource(str(model)).export(tmp_path)
