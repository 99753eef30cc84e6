"""Does each text go to the encoder that reads it, in tokens that both sides of a search share?"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tokenizers import Tokenizer

from retrieval.encoders.base import EncoderError, EncoderSpec, Vectors
from retrieval.encoders.manifest import file_sha256
from retrieval.encoders.minilm import teacher_weights
from retrieval.encoders.student import (
    NEW_WORDS,
    SHIPPED,
    BilingualEncoder,
    StudentSource,
    dequantised,
    is_chinese,
    quantised,
    student_weights,
)
from retrieval.encoders.student_tokens import StudentTokens


class Recording:
    """Encodes every text as one and the same vector, and remembers what it was given."""

    def __init__(self, name: str, row: list[float]) -> None:
        self.spec = EncoderSpec(name, "1", len(row), frozenset({"text"}), 256)
        self.row = row
        self.given: list[str] = []

    def encode_texts(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        self.given += texts
        return np.array([self.row] * len(texts), dtype=np.float32)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        raise AssertionError("No pictures here.")


@pytest.fixture(scope="module")
def tokens() -> StudentTokens:
    teacher = Tokenizer.from_str(teacher_weights()[2])
    return StudentTokens(Tokenizer.from_file(str(SHIPPED / "words.json")), teacher, max_tokens=256)


def test_texts_with_chinese_go_to_the_student_and_all_others_to_the_teacher_in_their_places() -> None:
    teacher, student = Recording("teacher", [1, 0]), Recording("student", [0, 1])
    encoder = BilingualEncoder(teacher, student)

    rows = encoder.encode_texts(["pump", "水泵", "", "HX-40 水泵 seal", "🙂"])

    assert rows.tolist() == [[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]]
    assert student.given == ["水泵", "HX-40 水泵 seal"]
    assert encoder.encode_texts([]).shape == (0, 2)
    with pytest.raises(EncoderError, match="no pictures"):
        encoder.encode_images([])


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("更换机械密封", True),
        ("replace the seal of the 水泵", True),
        ("苏州 " + "is a town whose name stands once in a long English passage. " * 5, False),
        ("図面を確認する", True),  # Japanese with Chinese characters: outside, but no error.
        ("ひらがなだけ", False),
        ("한국어", False),
        ("café", False),
        ("", False),
    ],
)
def test_a_text_is_the_students_when_enough_of_it_is_chinese(text: str, reads: bool) -> None:
    assert is_chinese(text) is reads


def test_a_new_revision_of_either_part_is_a_new_space() -> None:
    first = BilingualEncoder(Recording("teacher", [1, 0]), Recording("student", [0, 1])).spec
    other = Recording("student", [0, 1])
    other.spec = EncoderSpec("student", "2", 2, frozenset({"text"}), 256)
    assert BilingualEncoder(Recording("teacher", [1, 0]), other).spec.key != first.key


def test_traditional_and_simplified_characters_are_the_same_tokens(tokens: StudentTokens) -> None:
    assert tokens.ids("機械密封每兩千小時更換一次") == tokens.ids("机械密封每两千小时更换一次")


def test_english_inside_chinese_keeps_the_teachers_tokens(tokens: StudentTokens) -> None:
    teacher = Tokenizer.from_str(teacher_weights()[2])
    teacher.no_padding()
    english = teacher.encode("mechanical seal", add_special_tokens=False).ids
    ids = tokens.ids("更换 mechanical seal 吗")
    start = ids.index(english[0])
    assert ids[start : start + len(english)] == english
    assert ids[0] == teacher.token_to_id("[CLS]")
    assert ids[-1] == teacher.token_to_id("[SEP]")
    assert all(token < tokens.size for token in ids)


def test_a_character_that_no_word_has_is_like_itself_and_unlike_its_neighbour(tokens: StudentTokens) -> None:
    first, again, other = tokens.ids("龘"), tokens.ids("龘"), tokens.ids("靐")
    assert first == again
    assert first != other


@pytest.mark.parametrize("text", ["", " ", "水" * 10_000, "🙂水🙂", "한국어 水", "half \ud800 水"])
def test_no_text_is_too_strange_or_too_long(tokens: StudentTokens, text: str) -> None:
    ids = tokens.ids(text)
    assert 2 <= len(ids) <= 256
    assert max(ids) < tokens.size


def test_weights_come_back_from_int8_within_half_a_step() -> None:
    random = np.random.default_rng(0)
    weights = {"matrix": random.normal(size=(5, 7)).astype(np.float32), "bias": np.ones(3, np.float32)}
    back = dequantised(quantised(weights))
    steps = np.abs(weights["matrix"]).max(axis=1, keepdims=True) / 127
    assert (np.abs(back["matrix"] - weights["matrix"]) <= steps * 0.5001).all()
    assert (back["bias"] == weights["bias"]).all()
    # Quantised again they are the same: the graph made from them loses nothing more.
    assert (quantised(back)["matrix"] == quantised(weights)["matrix"]).all()


def test_the_students_words_come_after_the_teachers() -> None:
    table, positions = "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"
    teacher = {table: np.zeros((3, 2), np.float32), positions: np.ones((4, 2), np.float32)}
    whole = student_weights(teacher, {NEW_WORDS: np.full((2, 2), 7, np.float32), "layer": np.ones(2)})
    assert whole[table].tolist() == [[0, 0], [0, 0], [0, 0], [7, 7], [7, 7]]
    assert whole[positions].shape == (4, 2)
    assert NEW_WORDS not in whole


def test_the_shipped_files_are_those_of_the_record_and_small() -> None:
    record = StudentSource().record()
    assert {name: file_sha256(SHIPPED / name) for name in record["sha256"]} == record["sha256"]
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 32e6
    assert (SHIPPED / "MODEL_CARD.md").exists()


def test_a_damaged_file_is_named_with_its_remedy(tmp_path: Path) -> None:
    record = {"layers": 6, "max_tokens": 256, "sha256": {"student.safetensors": "0" * 64}}
    (tmp_path / "student.json").write_text(json.dumps(record))
    (tmp_path / "student.safetensors").write_bytes(b"not the weights")
    with pytest.raises(EncoderError, match=r"student\.safetensors is not the file.*Install"):
        StudentSource(folder=tmp_path).export(tmp_path)
    (tmp_path / "student.json").write_text("no JSON")
    with pytest.raises(EncoderError, match=r"student\.json cannot be read"):
        StudentSource(folder=tmp_path).export(tmp_path)
