"""Do a dual encoder's exported towers compute what transformers does, pictures' preprocessing included?"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retrieval.encoders import hub
from retrieval.encoders.base import EncoderError
from retrieval.encoders.dual import DualSource
from retrieval.encoders.image_tower import ImageTower
from retrieval.encoders.manifest import TOKENIZER
from retrieval.encoders.measure import LEAST_MEAN_COSINE
from retrieval.encoders.pictures import pixels
from retrieval.encoders.prepare import prepared
from retrieval.encoders.probes import pictures
from retrieval.encoders.serving import load
from retrieval.encoders.text_tower import TextTower
from tests import tiny_models

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

FAMILIES = pytest.mark.parametrize("save", [tiny_models.save_clip, tiny_models.save_siglip])


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@FAMILIES
def test_texts_and_pictures_land_where_transformers_puts_them(
    save: Callable[[Path], None], tmp_path: Path
) -> None:
    save(tmp_path / "model")
    exported = DualSource(str(tmp_path / "model")).export(tmp_path)
    assert exported.text is not None
    assert exported.image is not None
    model = transformers.AutoModel.from_pretrained(tmp_path / "model").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path / "model")
    full = save is tiny_models.save_siglip
    # As each family's own processor does: SigLIP fills up to the full length and passes no mask.
    tokens = tokenizer(
        tiny_models.TEXTS, padding="max_length" if full else True, truncation=True, return_tensors="pt"
    )
    tokens = {key: tokens[key] for key in (["input_ids"] if full else ["input_ids", "attention_mask"])}
    with torch.no_grad():
        texts = _unit(model.get_text_features(**tokens).pooler_output.numpy())
        values = processor(pictures(), return_tensors="pt")["pixel_values"]
        images = _unit(model.get_image_features(pixel_values=values).pooler_output.numpy())

    text_tower = TextTower(tmp_path / "text.onnx", tmp_path / TOKENIZER, exported.text)
    image_tower = ImageTower(tmp_path / "image.onnx", exported.image)
    assert np.min(np.sum(text_tower.encode(tiny_models.TEXTS) * texts, axis=1)) > 0.9999
    assert np.min(np.sum(image_tower.encode(pictures()) * images, axis=1)) > 0.9999
    assert exported.dimensions == texts.shape[1] == images.shape[1]


@FAMILIES
def test_a_prepared_dual_encoder_stays_near_its_float32_form(
    save: Callable[[Path], None], tmp_path: Path
) -> None:
    save(tmp_path / "model")
    source = DualSource(str(tmp_path / "model"))
    made = prepared(source, tmp_path / "models")
    exported = source.export(tmp_path)
    assert exported.image is not None
    reference = ImageTower(tmp_path / "image.onnx", exported.image).encode(pictures())
    rows = load(source, tmp_path / "models").encode_images(pictures())
    # What the gate measured is what is served.
    assert np.mean(np.sum(rows * reference, axis=1)) == pytest.approx(
        made.kept("image").mean_cosine, abs=1e-3
    )
    assert made.kept("image").mean_cosine >= LEAST_MEAN_COSINE
    assert made.spec.modalities == {"text", "image"}


@FAMILIES
def test_pixels_are_those_of_the_models_own_processor(save: Callable[[Path], None], tmp_path: Path) -> None:
    save(tmp_path / "model")
    made = prepared(DualSource(str(tmp_path / "model")), tmp_path / "models")
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path / "model")
    odd = [
        *pictures()[:4],
        Image.new("L", (33, 71), 90),
        Image.effect_mandelbrot((100, 41), (-2, -1, 1, 1), 50),
    ]
    assert made.image is not None
    expected = processor([image.convert("RGB") for image in odd], return_tensors="np")["pixel_values"]
    np.testing.assert_allclose(pixels(odd, made.image), expected, atol=1e-5)


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(EncoderError, match="no safetensors"):
        DualSource(str(tmp_path)).export(tmp_path)


def test_a_model_of_another_kind_is_refused_by_its_name(tmp_path: Path) -> None:
    tiny_models.save_bert(tmp_path)
    with pytest.raises(EncoderError, match="is a bert model"):
        DualSource(str(tmp_path)).export(tmp_path)


def test_without_the_models_extra_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny_models.save_clip(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(EncoderError, match=r"pip install 'kb\[models\]'"):
        hub.load_model(tmp_path)


def test_a_name_that_is_neither_a_folder_nor_on_the_hub_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderError, match="neither a folder here"):
        DualSource("nobody/no-such-model").export(tmp_path)
