"""Are translations judged as found only where they are nearer than every other text?"""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoders.base import EncoderSpec, Vectors, unit_rows
from retrieval.evaluation_data import DataError
from retrieval.pairs import read_all, read_pairs
from workers.evaluate.translations import evaluate_translations


class Table:
    """Encodes each text as the row that a table gives it."""

    spec = EncoderSpec("table", "1", 3, frozenset({"text"}), 9)

    def __init__(self, rows: dict[str, list[float]]) -> None:
        self.rows = rows

    def encode_texts(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        return unit_rows(np.array([self.rows[text] for text in texts]))

    def encode_images(self, images: object) -> Vectors:
        raise AssertionError


def test_figures_of_both_directions_come_from_one_file(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl.gz"
    lines = [{"zh": "一", "en": "one"}, {"zh": "二", "en": "two"}]
    file.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in lines).encode()))
    encoder = Table({"一": [1, 0, 0], "one": [1, 0, 0], "二": [1, 0.2, 0], "two": [0, 1, 0]})

    figures = evaluate_translations(file, encoder, pytest.fail).figures

    assert figures["pairs"] == 2
    # 二 lies nearer to "one" than to "two"; "two" lies nearer to 二 than to 一.
    assert figures["zh_to_en"] == {"accuracy@1": 0.5, "recall@10": 1.0, "mrr": 0.75}
    assert figures["en_to_zh"] == {"accuracy@1": 1.0, "recall@10": 1.0, "mrr": 1.0}
    # (1 + 0.2 / sqrt(1.04)) / 2
    assert figures["cosine"] == pytest.approx(0.5981, abs=1e-4)


def test_pairs_with_the_same_english_are_both_right_at_its_one_place(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    lines = [{"zh": "好", "en": "good"}, {"zh": "不错", "en": "good"}, {"zh": "坏", "en": "bad"}]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    encoder = Table(
        {"好": [1, 0, 0], "不错": [1, 0.1, 0], "good": [1, 0, 0], "坏": [0, 1, 0], "bad": [0, 1, 0]}
    )

    outcome = evaluate_translations(file, encoder, pytest.fail)

    assert outcome.figures["zh_to_en"] == {"accuracy@1": 1.0, "recall@10": 1.0, "mrr": 1.0}
    # From "good", asked twice, 好 comes first both times: right once, and at place two once.
    assert outcome.figures["en_to_zh"] == {"accuracy@1": 0.6667, "recall@10": 1.0, "mrr": 0.8333}
    assert {example.section for example in outcome.examples} == {"Chinese → English", "English → Chinese"}


def test_broken_lines_are_named_and_left_out(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(
        '{"zh": "一", "en": "one", "source": "a"}\nno JSON\n[]\n\n{"zh": "", "en": "x"}\n{"zh": "二"}\n'
    )
    told: list[str] = []

    pairs = read_pairs(file, told.append)

    assert [(pair.zh, pair.en, pair.source) for pair in pairs] == [("一", "one", "a")]
    assert [line.partition(": ")[0] for line in told] == [f"{file}:{number}" for number in (2, 3, 5, 6)]


def test_a_file_without_pairs_and_a_source_that_is_not_there_are_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("{}\n")
    with pytest.raises(DataError, match="holds no pair"):
        read_pairs(empty, lambda _: None)
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(b'{"zh": "x", "en": "y"}\n' * 50)[:-12])
    with pytest.raises(DataError, match="cannot be read"):
        read_pairs(cut, lambda _: None)
    with pytest.raises(DataError, match="cannot be read"):
        read_pairs(tmp_path / "none.jsonl", lambda _: None)
    good = tmp_path / "good.jsonl"
    good.write_text('{"zh": "一", "en": "one", "source": "a"}\n')
    assert len(read_all([good, good], pytest.fail, sources=["a"])) == 2
    with pytest.raises(DataError, match="no pair is of b; there are a"):
        read_all([good], pytest.fail, sources=["a", "b"])
