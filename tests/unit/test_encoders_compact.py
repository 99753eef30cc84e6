"""Does the shipped image encoder read only what belongs together, and do words reach it through one pass?"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retrieval.encoders import profiles
from retrieval.encoders.base import CosineRange, EncoderError, EncoderSpec, Vectors, unit_rows
from retrieval.encoders.compact_image import CompactEncoder, CompactSource, cosine_range, pixels, read_config
from retrieval.encoders.dual import DualSource
from retrieval.encoders.text_head import text_head
from tests import compact_encoder

DIMENSIONS = 6


class Words:
    """A sentence encoder whose vectors are the lengths of the words; counts how often it runs."""

    def __init__(self, name: str = "all-MiniLM-L6-v2", revision: str = "1") -> None:
        self.spec = EncoderSpec(name, revision, DIMENSIONS, frozenset({"text"}), 16)
        self.runs = 0

    def encode_texts(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        self.runs += 1
        rows = np.ones((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for place, word in enumerate(text.split()[:DIMENSIONS]):
                row[place] += len(word)
        return unit_rows(rows)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        raise EncoderError


def _encoder(folder: Path, text: Words | None = None, **options: object) -> CompactEncoder:
    return CompactEncoder(compact_encoder.source(folder, dimensions=DIMENSIONS, **options), text or Words())


def test_a_head_of_zeros_leaves_texts_where_they_are(tmp_path: Path) -> None:
    words = Words()
    rows = _encoder(tmp_path, words).encode_texts(["a pump", "seal"], query=True)
    np.testing.assert_allclose(rows, words.encode_texts(["a pump", "seal"]), atol=1e-6)


def test_the_head_is_residual_with_the_exact_gelu(tmp_path: Path) -> None:
    head = compact_encoder.silent_head(DIMENSIONS, hidden=1)
    head["w1"][0, 0] = 2.0
    head["b1"][0] = 1.0
    head["w2"][1, 0] = 3.0
    head["b2"][2] = 0.5
    encoder = _encoder(tmp_path, head=head)
    # The hidden unit is 2 x 0.5 + 1 = 2; gelu(2) = 2 x Phi(2) = 2 x 0.9772499 = 1.9544997.
    text = np.array([[0.5, 0.5, 0.5, 0.5, 0, 0]], dtype=np.float32)
    expected = text + np.array([[0, 3 * 1.9544997, 0.5, 0, 0, 0]], dtype=np.float32)
    np.testing.assert_allclose(encoder.from_text_vectors(text), unit_rows(expected), atol=1e-6)


def test_the_texts_nearest_to_what_a_picture_asks_for_are_those_that_the_head_puts_nearest_to_it() -> None:
    random = np.random.default_rng(0)
    scales = {"w1": ((64, 32), 0.5), "b1": ((64,), 0.3), "w2": ((32, 64), 0.1), "b2": ((32,), 0.1)}
    head = text_head(
        {name: size * random.normal(size=shape).astype(np.float32) for name, (shape, size) in scales.items()},
        32,
    )
    texts = unit_rows(random.normal(size=(2000, 32)))
    moved = head(texts)

    def kept(row: Vectors, asked: Vectors) -> float:
        best = np.argsort(-moved @ row)[:10]
        return float(np.isin(best, np.argsort(-texts @ asked)[:100]).mean())

    rows = unit_rows(random.normal(size=(50, 32)))
    asked = np.mean([kept(row, head.asks_for(row)) for row in rows])
    unmoved = np.mean([kept(row, row) for row in rows])
    assert asked > 0.95 > 0.9 > unmoved


def test_pictures_become_unit_rows_in_the_order_given(tmp_path: Path) -> None:
    colours = np.eye(3, DIMENSIONS, dtype=np.float32)
    encoder = _encoder(tmp_path, colours=colours)
    images = [Image.new("RGB", (30 + n, 9), colour) for n, colour in enumerate(["red", "lime", "blue"] * 7)]
    rows = encoder.encode_images(images)
    np.testing.assert_allclose(rows, np.tile(colours, (7, 1)), atol=1e-3)
    assert encoder.encode_images([]).shape == (0, DIMENSIONS)


def test_fine_stripes_are_averaged_and_not_sampled(tmp_path: Path) -> None:
    stripes = np.zeros((400, 400, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    config = compact_encoder.write(tmp_path, dimensions=DIMENSIONS)
    values = pixels([Image.fromarray(stripes)], config)
    assert values.shape == (1, 3, config.side_px, config.side_px)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, 0.5, atol=0.02)


def test_a_picture_is_seen_upright_and_on_white(tmp_path: Path) -> None:
    config = compact_encoder.write(tmp_path, dimensions=DIMENSIONS)
    np.testing.assert_array_equal(pixels([Image.new("RGBA", (9, 9), (0, 0, 0, 0))], config), 1.0)
    lying = Image.new("RGB", (8, 8), "black")
    lying.paste("white", (0, 0, 8, 4))
    lying.getexif()[0x0112] = 3  # Turned by 180 degrees.
    seen = pixels([lying], config)[0, 0]
    assert seen[0].max() == 0
    assert seen[-1].min() == 1


def test_its_space_is_named_by_the_pictures_files_and_the_text_encoder(tmp_path: Path) -> None:
    first = _encoder(tmp_path / "a").spec
    assert _encoder(tmp_path / "b").spec == first
    assert _encoder(tmp_path / "b", Words(revision="2")).spec.key != first.key
    other_head = compact_encoder.silent_head(DIMENSIONS)
    other_head["b2"][0] = 0.1
    assert _encoder(tmp_path / "c", head=other_head).spec.key != first.key
    other_graph = np.ones((3, DIMENSIONS), dtype=np.float32)
    assert _encoder(tmp_path / "d", colours=other_graph).spec.key != first.key
    # What the columns of a vector set hold.
    assert len(first.revision) <= 80


def test_a_text_encoder_that_agrees_with_the_space_serves_it_too(tmp_path: Path) -> None:
    student = Words("text-student")
    student.text_space = "all-MiniLM-L6-v2"  # type: ignore[attr-defined]
    assert _encoder(tmp_path, student).encode_texts(["a"]).shape == (1, DIMENSIONS)


def test_a_text_encoder_of_another_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"all-MiniLM-L6-v2.*KB_IMAGE_ENCODER"):
        _encoder(tmp_path, Words("other"))


@pytest.mark.parametrize("name", ["image.onnx", "text_head.safetensors"])
def test_a_changed_or_missing_file_is_refused_by_name(name: str, tmp_path: Path) -> None:
    found = compact_encoder.source(tmp_path, dimensions=DIMENSIONS)
    with (tmp_path / name).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(EncoderError, match=f"{name} is not the file"):
        CompactEncoder(found, Words())
    (tmp_path / name).unlink()
    with pytest.raises(EncoderError, match=name):
        CompactEncoder(found, Words())


@pytest.mark.parametrize(
    "change",
    [
        {"fit": "crop"},
        {"mean": [0.5]},
        {"side_px": "large"},
        {"calibration": {"words": {"low": 1, "high": 0, "matches_from": 0}, "pictures": {}}},
        {"sha256": {}},
    ],
)
def test_a_config_that_says_something_else_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    compact_encoder.write(tmp_path, dimensions=DIMENSIONS)
    given = json.loads((tmp_path / "compact.json").read_text())
    (tmp_path / "compact.json").write_text(json.dumps(given | change))
    with pytest.raises(EncoderError, match="KB_IMAGE_ENCODER=none"):
        read_config(tmp_path)


def test_a_graph_of_other_dimensions_than_the_head_is_refused(tmp_path: Path) -> None:
    other = np.ones((3, DIMENSIONS + 1), dtype=np.float32)
    with pytest.raises(EncoderError, match=f"vectors of {DIMENSIONS}"):
        _encoder(tmp_path, colours=other)


def test_bytes_that_are_no_graph_are_refused(tmp_path: Path) -> None:
    compact_encoder.write(tmp_path, dimensions=DIMENSIONS)
    (tmp_path / "image.onnx").write_bytes(b"not a graph")
    given = json.loads((tmp_path / "compact.json").read_text())
    given["sha256"]["image.onnx"] = hashlib.sha256(b"not a graph").hexdigest()
    (tmp_path / "compact.json").write_text(json.dumps(given))
    with pytest.raises(EncoderError, match="no graph"):
        CompactEncoder(CompactSource(tmp_path), Words())


def test_a_range_lets_few_unrelated_pairs_pass() -> None:
    others = np.linspace(-0.1, 0.1, 1001, dtype=np.float32)
    matching = np.linspace(0.1, 0.5, 101, dtype=np.float32)
    found = cosine_range(matching, others, false_share=0.02)
    # Where 2 % of 0.2 are left; nine tenths of the way from 0.1 to 0.5.
    assert (found.low, found.high, found.matches_from) == pytest.approx((0.096, 0.46, 0.096), abs=1e-6)


def test_a_range_of_an_encoder_that_tells_nothing_apart_is_still_one() -> None:
    same = np.full(100, 0.3, dtype=np.float32)
    assert isinstance(cosine_range(same, same), CosineRange)


def test_the_embedded_profile_uses_it_where_its_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "CompactSource", lambda: CompactSource(tmp_path))
    assert profiles.encoders("embedded").image is None
    compact_encoder.write(tmp_path)
    assert profiles.encoders("embedded").image == CompactSource(tmp_path)
    assert profiles.encoders("embedded", image="none").image is None
    assert profiles.encoders("embedded", image="/models/clip").image == DualSource("/models/clip")
    custom = profiles.encoders("custom", text="all-MiniLM-L6-v2", image="compact")
    assert custom.image == CompactSource(tmp_path)
