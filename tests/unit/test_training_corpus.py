"""Are shards prepared once, with what was asked for and nothing that cannot be trained on?"""

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from retrieval.encoders.base import EncoderSpec, Vectors, unit_rows
from retrieval.training.corpus import NO_TEXT, SIDE_PX, Corpus, CorpusError, prepare, squashed
from retrieval.training.descriptions import descriptions
from retrieval.training.shards import Sample, ShardError
from tests.shards import write_shard


class Words:
    """Counts how often it is asked."""

    def __init__(self, revision: str = "1") -> None:
        self.spec = EncoderSpec("words", revision, 4, frozenset({"text"}), 16)
        self.texts: list[str] = []

    def encode_texts(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        self.texts += texts
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) for text in texts]
        return unit_rows(np.stack([np.random.default_rng(seed).normal(size=4) for seed in seeds]))

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        raise AssertionError


def picture(colour: str = "red", size: tuple[int, int] = (30, 20)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def labelled(label: str, source: str = "classes") -> tuple[bytes, dict[str, Any]]:
    return picture(), {"source": source, "label": label}


def captioned(*captions: str, **more: object) -> tuple[bytes, dict[str, Any]]:
    return picture("blue"), {"source": "photos", "captions": list(captions), **more}


def made(folder: Path, *samples: tuple[bytes, dict[str, Any]], **options: Any) -> Corpus:
    shard = write_shard(folder / "shard.tar.gz", samples)
    return prepare(
        [shard], folder / "corpus", options.pop("encoder", Words()), say=lambda _line: None, **options
    )


def test_pictures_texts_labels_and_sources_are_numbered(tmp_path: Path) -> None:
    corpus = made(tmp_path, labelled("Pump"), captioned("A pump stands."), labelled("pump", "icons"))
    assert len(corpus) == 3
    assert corpus.pictures.shape == (3, SIDE_PX, SIDE_PX, 3)
    np.testing.assert_array_equal(corpus.pictures[1, 0, 0], [0, 0, 255])
    assert corpus.labels == ["pump"]
    np.testing.assert_array_equal(corpus.label_of, [0, NO_TEXT, 0])
    assert [corpus.sources[n] for n in corpus.source_of] == ["classes", "photos", "icons"]
    np.testing.assert_array_equal(corpus.captioned, [False, True, False])
    # Both pumps have the same texts, and each text's vector is its encoder's, to the precision it is kept in.
    np.testing.assert_array_equal(corpus.texts_of[0], corpus.texts_of[2])
    assert corpus.texts[corpus.texts_of[0, 0]] == "pump"
    np.testing.assert_allclose(corpus.vectors, Words().encode_texts(corpus.texts), atol=1e-3)
    assert corpus.manifest["by_source"] == {"classes": 1, "photos": 1, "icons": 1}


def test_the_same_shards_are_not_read_twice(tmp_path: Path) -> None:
    encoder = Words()
    made(tmp_path, labelled("pump"), labelled("valve"), encoder=encoder)
    asked = len(encoder.texts)
    assert asked > 0
    prepare([tmp_path / "shard.tar.gz"], tmp_path / "corpus", encoder, say=lambda _line: None)
    assert len(encoder.texts) == asked


def test_other_shards_another_encoder_or_a_killed_preparation_are_read_anew(tmp_path: Path) -> None:
    made(tmp_path, labelled("pump"), labelled("valve"))
    other = Words("2")
    made(tmp_path, labelled("pump"), labelled("valve"), encoder=other)
    assert other.texts
    assert made(tmp_path, labelled("pump"), labelled("valve"), labelled("motor")).labels[-1] == "motor"
    manifest = tmp_path / "corpus" / "manifest.json"
    manifest.write_text(manifest.read_text()[:40])
    again = Words()
    prepare([tmp_path / "shard.tar.gz"], tmp_path / "corpus", again, say=lambda _line: None)
    assert again.texts
    assert json.loads(manifest.read_text())["pictures"] == 3


def test_only_the_sources_asked_for_are_kept(tmp_path: Path) -> None:
    samples = [labelled("pump"), captioned("One."), captioned("Two.")]
    corpus = made(tmp_path, *samples, sources=frozenset({"photos"}))
    assert corpus.sources == ["photos"]
    assert len(corpus) == 2


@pytest.mark.parametrize("pairs", [0, 1])
def test_fewer_than_two_pairs_are_refused_with_their_number(tmp_path: Path, pairs: int) -> None:
    with pytest.raises(CorpusError, match=f"have {pairs} pairs"):
        made(tmp_path, *[captioned("One.")] * pairs, captioned(), captioned())


def test_samples_without_words_or_with_broken_pictures_are_counted_and_left_out(tmp_path: Path) -> None:
    truncated = (picture(size=(300, 300))[:-30], {"captions": ["Cut off."]})
    shard = write_shard(
        tmp_path / "shard.tar.gz",
        [captioned("One."), captioned("Two."), captioned(), (b"no picture", {"captions": ["None."]}), truncated],
    )  # fmt: skip
    said: list[str] = []
    corpus = prepare([shard], tmp_path / "corpus", Words(), say=said.append)
    assert len(corpus) == 2
    assert "2 pictures; 1 without words and 2 that cannot be decoded left out" in said[0]


def test_a_shard_of_broken_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="more pictures are broken than whole"):
        made(tmp_path, *[(b"x", {"captions": ["One."]})] * 3)


def test_a_missing_shard_and_two_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match=r"gone\.tar cannot be read"):
        prepare([tmp_path / "gone.tar"], tmp_path / "corpus", Words())
    paths = [tmp_path / "a" / "1.tar", tmp_path / "b" / "1.tar"]
    for path in paths:
        path.parent.mkdir()
        write_shard(path, [labelled("pump")])
    with pytest.raises(CorpusError, match="same name"):
        prepare(paths, tmp_path / "corpus", Words())


def test_a_picture_that_claims_to_be_huge_is_a_broken_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(OSError, match="decompression bomb"):
        squashed(picture())


def test_a_label_is_said_in_several_ways_and_chinese_only_where_it_is_read(tmp_path: Path) -> None:
    sample = Sample("1", b"", "", " Oil Pump ", ("It leaks.",), ("它漏油。",), {"aliases": ["lubricator", 3]})
    english = descriptions(sample)
    assert english[:2] == ("oil pump", "It leaks.")
    assert {"a photo of a oil pump", "lubricator"} <= set(english)
    assert "它漏油。" not in english
    assert "它漏油。" in descriptions(sample, chinese=True)
    drawn = Sample("1", b"", "", "pump", (), (), {"style": "sketch"})
    assert descriptions(drawn) == ("pump", "a sketch of a pump")
    assert descriptions(Sample("1", b"", "", None, (), (), {})) == ()
