"""What every encoder promises (retrieval/encoders/base.py), asked of each family."""

import threading

import numpy as np
import pytest
from PIL import Image

from retrieval.encoders.base import Encoder, EncoderError
from retrieval.encoders.compact_image import CompactEncoder
from retrieval.encoders.dual import DualSource
from retrieval.encoders.manifest import Source
from retrieval.encoders.minilm import MiniLmSource
from retrieval.encoders.probes import PASSAGES, SENTENCES, pictures
from retrieval.encoders.sentence import SentenceSource
from retrieval.encoders.serving import load
from tests import compact_encoder, tiny_models

FAMILIES = ["minilm", "compact", "clip", "siglip", "sentence"]


@pytest.fixture(scope="module", params=FAMILIES)
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    folder = tmp_path_factory.mktemp(request.param)
    source: Source
    if request.param == "compact":
        return CompactEncoder(
            compact_encoder.source(folder / "compact"), load(MiniLmSource(), folder / "models")
        )
    if request.param == "minilm":
        source = MiniLmSource()
    else:
        pytest.importorskip("transformers")
        save = {
            "clip": tiny_models.save_clip,
            "siglip": tiny_models.save_siglip,
            "sentence": tiny_models.save_bert,
        }[request.param]
        save(folder / "model")
        kind = SentenceSource if request.param == "sentence" else DualSource
        source = kind(str(folder / "model"))
    return load(source, folder / "models")


def test_it_is_an_encoder(encoder: Encoder) -> None:
    assert isinstance(encoder, Encoder)
    # What the columns of a vector set hold.
    assert len(encoder.spec.name) <= 200
    assert len(encoder.spec.revision) <= 80


def test_texts_become_unit_rows_in_the_order_given(encoder: Encoder) -> None:
    texts = [*PASSAGES, *SENTENCES[:20]]
    rows = encoder.encode_texts(texts)
    assert rows.shape == (len(texts), encoder.spec.dimensions)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    # Alone, without the batch's padding; int8 activations are scaled by batch, so equal only nearly.
    for index in (0, len(texts) - 1):
        assert rows[index] @ encoder.encode_texts([texts[index]])[0] > 0.98


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    assert encoder.encode_texts([]).shape == (0, encoder.spec.dimensions)


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800", "🙂", "a" * 5000, "水 " * 3000])
def test_any_text_becomes_a_unit_row(encoder: Encoder, text: str) -> None:
    row = encoder.encode_texts([text], query=True)[0]
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)


def test_threads_side_by_side_get_what_one_alone_gets(encoder: Encoder) -> None:
    expected = [encoder.encode_texts([text]) for text in SENTENCES[:8]]
    got: list[list[np.ndarray]] = [[] for _ in range(4)]

    def encode(mine: list[np.ndarray]) -> None:
        mine.extend(encoder.encode_texts([text]) for text in SENTENCES[:8])

    threads = [threading.Thread(target=encode, args=(mine,)) for mine in got]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for mine in got:
        np.testing.assert_array_equal(mine, expected)


def test_pictures_of_any_mode_and_shape_become_unit_rows_or_are_refused(encoder: Encoder) -> None:
    images = [
        pictures()[0],
        Image.new("1", (1, 1)),
        Image.new("LA", (3, 2000)),
        Image.new("P", (2000, 3)),
        Image.new("CMYK", (40, 40)),
        Image.new("I;16", (40, 40)),
        Image.new("F", (40, 40)),
    ]
    if "image" not in encoder.spec.modalities:
        with pytest.raises(EncoderError, match="encodes no pictures"):
            encoder.encode_images(images)
        return
    rows = encoder.encode_images(images)
    assert rows.shape == (len(images), encoder.spec.dimensions)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert encoder.encode_images([]).shape == (0, encoder.spec.dimensions)
