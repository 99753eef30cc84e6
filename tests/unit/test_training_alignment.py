"""Is a head for a library judged by files that it did not see, and only then?"""

from dataclasses import replace

import numpy as np
import pytest

from retrieval.encoders.base import CosineRange, unit_rows
from retrieval.encoders.text_head import TextHead
from retrieval.training.alignment import (
    AlignSettings,
    Comparison,
    Pairs,
    _folds,
    _Measured,
    _Question,
    _questions,
    align,
    fresh,
)
from retrieval.training.corpus import CorpusError

STILL = fresh(2, hidden=3)


def pairs(*files: tuple[str, str]) -> Pairs:
    """(file, texts of one picture parted by commas) for each picture; vectors stand on the circle."""
    texts = list(dict.fromkeys(text for _, said in files for text in said.split(",") if text))
    return Pairs(
        pictures=unit_rows([[np.cos(n), np.sin(n)] for n in range(len(files))]),  # type: ignore[arg-type]
        groups=[file for file, _ in files],
        texts=texts,
        texts_of=[[texts.index(text) for text in said.split(",") if text] for _, said in files],
        vectors=unit_rows([[np.cos(n), np.sin(n)] for n in range(len(texts))]),  # type: ignore[arg-type]
    )


def test_a_head_of_its_own_begins_by_leaving_words_where_they_are() -> None:
    rows = unit_rows(np.random.default_rng(0).normal(size=(5, 7)))
    np.testing.assert_allclose(fresh(7)(rows), rows, atol=1e-6)


def test_pictures_of_a_file_are_held_out_together_and_each_once() -> None:
    files = pairs(*[(f"file {n % 7}", f"text {n}") for n in range(30)], ("wordless", ""))
    folds = _folds(files)
    assert len(folds) == 5
    assert sorted(np.concatenate(folds).tolist()) == list(range(30))
    for number in range(7):
        assert sum(any(row % 7 == number for row in fold) for fold in folds) == 1


def test_texts_that_training_saw_ask_nothing_and_equal_ones_are_right_for_all() -> None:
    files = pairs(("a", "pump,shared"), ("a", "pump"), ("a", "valve"), ("b", "shared"))
    asked = _questions(files, np.array([0, 1, 2]))
    said = {files.texts[question.text]: question.right for question in asked}
    assert said == {"pump": {0, 1}, "valve": {2}}


def test_a_ranking_is_among_all_pictures_and_measured_by_hand() -> None:
    files = pairs(*[(str(n), f"text {n}") for n in range(20)])
    # Text 3 stands where picture 3 stands, so it is first. Text 0 is asked to find picture 10: of the 20 pictures at n
    # radians, cos(n) > cos(10) = -0.839 for all but n = 3, 9 and 16 (-0.990, -0.911, -0.958) and itself.
    figures = _Measured()
    figures.add(files, STILL, [_Question(3, frozenset({3})), _Question(0, frozenset({10}))])
    measured = figures.figures()
    assert measured["recall@1"] == 0.5
    assert measured["recall@10"] == 0.5
    assert measured["mrr"] == pytest.approx((1 + 1 / 17) / 2)


def test_one_file_cannot_be_judged() -> None:
    with pytest.raises(CorpusError, match="in one file"):
        align(pairs(("a", "pump"), ("a", "valve")), STILL)


def test_texts_shared_by_all_files_cannot_be_judged() -> None:
    with pytest.raises(CorpusError, match="several files"):
        align(pairs(("a", "pump"), ("b", "pump")), STILL, AlignSettings(steps=1), say=lambda _line: None)


def compared(**changes: object) -> Comparison:
    good = Comparison(
        queries=50,
        before={"recall@10": 0.5},
        after={"recall@10": 0.7},
        active=None,
        interval=(0.1, 0.3),
        p_value=0.01,
        words=CosineRange(low=0.0, high=1.0, matches_from=0.5),
    )
    return replace(good, **changes)  # type: ignore[arg-type]


def test_better_means_beyond_chance_and_not_below_what_serves() -> None:
    assert compared().is_better
    assert compared(active={"recall@10": 0.7}).is_better
    assert not compared(active={"recall@10": 0.71}).is_better
    assert not compared(p_value=0.06).is_better
    assert not compared(after={"recall@10": 0.3}).is_better


def test_training_twice_gives_the_same_head() -> None:
    def trained() -> TextHead:
        files = pairs(*[(str(n), f"text {n}") for n in range(6)])
        return align(files, STILL, AlignSettings(steps=5), say=lambda _line: None)[0]

    first, second = trained(), trained()
    assert np.abs(first.w2).max() > 0
    for name, tensor in first.tensors().items():
        np.testing.assert_array_equal(tensor, second.tensors()[name])
