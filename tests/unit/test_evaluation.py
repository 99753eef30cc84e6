"""How good is a ranking: measures by hand and against naive ones; readers that name the line at fault."""

import itertools
import json
import math
import random
from pathlib import Path

import numpy as np
import pytest

from retrieval import evaluation as ev
from retrieval.evaluation_data import DataError, caption_queries, read_beir, read_captions


@pytest.fixture
def judged() -> ev.Judged:
    """Query 0 finds b, c, a; relevant are a (grade 2), c, d (1). Query 1 finds nothing, query 2 y first."""
    return ev.judge(
        [["b", "c", "a"], [], ["y", "z"]],
        [{"a": 2, "c": 1, "d": 1, "b": 0}, {"x": 1}, {"y": 3, "z": -1}],
    )


def test_recall_precision_and_f1_by_hand(judged: ev.Judged) -> None:
    # Query 0 finds c within 2, c and a within 3, of three relevant.
    assert ev.recall(judged, 2) == pytest.approx([1 / 3, 0, 1])
    assert ev.recall(judged, 10) == pytest.approx([2 / 3, 0, 1])
    assert ev.precision(judged, 2) == pytest.approx([1 / 2, 0, 1 / 2])
    # 2 x 1 / (2 + 3); 0; 2 x 1 / (2 + 1).
    assert ev.f1(judged, 2) == pytest.approx([2 / 5, 0, 2 / 3])
    assert ev.success(judged, 1) == pytest.approx([0, 0, 1])
    assert ev.success(judged, 3) == pytest.approx([1, 0, 1])


def test_reciprocal_and_median_rank_by_hand(judged: ev.Judged) -> None:
    assert ev.reciprocal_rank(judged) == pytest.approx([1 / 2, 0, 1])
    assert ev.reciprocal_rank(judged, 1) == pytest.approx([0, 0, 1])
    # Ranks 2, never, 1.
    assert ev.median_rank(judged) == 2
    assert ev.median_rank(ev.judge([["b"], ["a"]], [{"a": 1}, {"a": 1}])) == math.inf


def test_average_precision_by_hand(judged: ev.Judged) -> None:
    # c at rank 2: 1/2; a at rank 3: 2/3; d never.
    assert ev.average_precision(judged) == pytest.approx([(1 / 2 + 2 / 3) / 3, 0, 1])


def test_ndcg_by_hand(judged: ev.Judged) -> None:
    # Found: 0, 1, 2; ideal: 2, 1, 1. Discounts 1, log2(3), 2.
    found = 1 / math.log2(3) + 2 / 2
    ideal = 2 + 1 / math.log2(3) + 1 / 2
    assert ev.ndcg(judged, 10) == pytest.approx([found / ideal, 0, 1])
    # Cut at 2, the ideal is cut too.
    assert ev.ndcg(judged, 2) == pytest.approx([(1 / math.log2(3)) / (2 + 1 / math.log2(3)), 0, 1])


def test_measures_agree_with_naive_ones() -> None:
    source = random.Random(7)
    keys = list(range(40))
    rankings = [source.sample(keys, source.randint(0, 30)) for _ in range(60)]
    grades = [
        {key: source.randint(1, 3) for key in source.sample(keys, source.randint(1, 12))} for _ in range(60)
    ]
    judged = ev.judge(rankings, grades)
    for k in (1, 3, 10, 50):
        for index, (ranking, grade) in enumerate(zip(rankings, grades, strict=True)):
            cut = ranking[:k]
            hits = sum(key in grade for key in cut)
            assert ev.recall(judged, k)[index] == pytest.approx(hits / len(grade))
            assert ev.precision(judged, k)[index] == pytest.approx(hits / k)
            dcg = sum(grade.get(key, 0) / math.log2(rank + 2) for rank, key in enumerate(cut))
            best = sorted(grade.values(), reverse=True)[:k]
            assert ev.ndcg(judged, k)[index] == pytest.approx(
                dcg / sum(gain / math.log2(rank + 2) for rank, gain in enumerate(best))
            )
            precisions = [
                sum(key in grade for key in ranking[: rank + 1]) / (rank + 1)
                for rank, found in enumerate(ranking)
                if found in grade
            ]
            assert ev.average_precision(judged)[index] == pytest.approx(sum(precisions) / len(grade))
            first = next((rank + 1 for rank, key in enumerate(ranking) if key in grade), math.inf)
            assert ev.reciprocal_rank(judged)[index] == pytest.approx(1 / first)


def test_the_summary_has_the_means(judged: ev.Judged) -> None:
    summary = ev.summary(judged)
    assert summary["mrr"] == pytest.approx(0.5)
    assert summary["recall@1"] == pytest.approx(1 / 3)
    assert {"ndcg@10", "map", "recall@5", "recall@10", "recall@100", "success@1"} <= set(summary)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="names a result twice"):
        ev.judge([["a", "a"]], [{"a": 1}])
    with pytest.raises(ValueError, match="Nothing is relevant to query 0"):
        ev.judge([["a"]], [{"a": 0}])
    with pytest.raises(ValueError, match="2 rankings"):
        ev.judge([["a"], []], [{"a": 1}])
    with pytest.raises(ValueError, match="no query"):
        ev.summary(ev.judge([], []))


def test_the_bootstrap_interval_holds_the_mean_and_narrows_with_more_queries() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.2, 400)
    low, high = ev.bootstrap_interval(values)
    # The normal interval is mean +- 1.96 x 0.2 / 20: 0.0392 wide; the bootstrap's comes near it.
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert ev.bootstrap_interval(values) == (low, high)


def test_the_randomisation_test_by_hand() -> None:
    # Four queries, each better by 1: of the 16 ways to turn the pairs 2 have a sum of 4 or more in size: p =
    # 1/8.
    better, worse = np.ones(4), np.zeros(4)
    assert ev.paired_randomisation_test(better, worse) == pytest.approx(1 / 8, abs=0.02)
    assert ev.paired_randomisation_test(worse, worse) == 1
    with pytest.raises(ValueError, match="same queries"):
        ev.paired_randomisation_test(better, np.zeros(3))


def _beir(folder: Path, qrels: str, *, nested: bool = False) -> Path:
    rows = [{"_id": "d1", "title": "T", "text": "one"}, {"_id": "d2", "text": "two"}]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    queries = [{"_id": "q1", "text": "what"}, {"_id": "q2", "text": "unanswered"}]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries))
    path = folder / "qrels" / "test.tsv" if nested else folder / "qrels.tsv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(qrels)
    return folder


@pytest.mark.parametrize(
    "qrels", ["query-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td1\t0\n", "q1\td1\t2\n", "q1 0 d1 2\n"]
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_beir_folder_is_read_with_or_without_a_header(tmp_path: Path, qrels: str, nested: bool) -> None:
    data = read_beir(_beir(tmp_path, qrels, nested=nested))
    assert data.qrels == {"q1": {"d1": 2.0}}
    # A query that nothing answers cannot be measured.
    assert data.queries == {"q1": "what"}
    assert (data.corpus["d1"].title, data.corpus["d2"].title) == ("T", "")


@pytest.mark.parametrize(
    ("qrels", "message"),
    [
        ("q1\td1\t1\nq1\td9\t1\n", "qrels.tsv:2: there is no document 'd9'"),
        ("q9\td1\t1\n", "qrels.tsv:1: there is no query 'q9'"),
        ("q1\td1\tmuch\n", "qrels.tsv:1: the grade 'much' is no number"),
        ("q1\td1\n", "qrels.tsv:1: expected a query, a document and a grade"),
        ("", "no query that any document answers"),
    ],
)
def test_broken_judgements_are_named_by_file_and_line(tmp_path: Path, qrels: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_beir(_beir(tmp_path, qrels))


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (b'{"_id": "d1", "text": "one"}\n{broken\n', "corpus.jsonl:2: it is not JSON"),
        (b"[1]\n", "corpus.jsonl:1: expected a JSON object"),
        (b'{"_id": "d1"}\n', "corpus.jsonl:1: expected text in `text`"),
        (
            b'{"_id": "d1", "text": "a"}\n\n{"_id": "d1", "text": "b"}\n',
            "corpus.jsonl:3: the document 'd1' stands here",
        ),
        (b"\xff\xfe\n", "corpus.jsonl:1: it is not UTF-8"),
    ],
)
def test_a_broken_corpus_is_named_by_file_and_line(tmp_path: Path, corpus: bytes, message: str) -> None:
    _beir(tmp_path, "q1\td1\t1\n")
    (tmp_path / "corpus.jsonl").write_bytes(corpus)
    with pytest.raises(DataError, match=message):
        read_beir(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"corpus\.jsonl: No such file"):
        read_beir(tmp_path)


def _captions(folder: Path, *rows: object) -> Path:
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(b"")
    (folder / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_equal_captions_name_every_image_that_has_them(tmp_path: Path) -> None:
    images = read_captions(
        _captions(
            tmp_path,
            {"image": "a.png", "en": ["A boy.", "A child."], "zh": ["小孩。"]},
            {"image": "b.png", "en": "A girl.", "zh": ["小孩。", "小孩。"]},
        )
    )
    a, b = tmp_path.resolve() / "a.png", tmp_path.resolve() / "b.png"
    assert caption_queries(images, "zh") == {"小孩。": frozenset({a, b})}
    assert caption_queries(images, "en")["A girl."] == frozenset({b})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"image": "../x.png", "en": ["x"]}, "captions.jsonl:1: the image '../x.png' is outside the folder"),
        ({"image": "c.png", "en": ["x"]}, "captions.jsonl:1: there is no image 'c.png'"),
        ({"image": "a.png"}, "captions.jsonl:1: it has no caption"),
        (
            {"image": "a.png", "captions": [1]},
            "captions.jsonl:1: expected text, or a list of texts, in `captions`",
        ),
        ({"en": ["x"]}, "captions.jsonl:1: expected text in `image`"),
    ],
)
def test_a_broken_caption_row_is_named_by_file_and_line(
    tmp_path: Path, row: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_captions(_captions(tmp_path, row))


def test_similarities_are_judged_as_the_rankings_they_make() -> None:
    source = np.random.default_rng(5)
    similarity = source.normal(size=(20, 15)).round(1)  # Rounded: there are ties.
    grades = source.integers(-1, 3, size=(20, 15)).astype(np.float64)
    grades[:, 3] = 1
    rankings = [sorted(range(15), key=lambda item: (-row[item], item)) for row in similarity]
    by_name = ev.judge(rankings, [dict(enumerate(row)) for row in grades])
    judged = ev.judge_similarities(similarity, grades)
    for one, other in zip(ev.per_query(judged).values(), ev.per_query(by_name).values(), strict=True):
        np.testing.assert_allclose(one, other)
    with pytest.raises(ValueError, match="Nothing is relevant to query 1"):
        ev.judge_similarities(np.zeros((2, 3)), np.array([[1, 0, 0], [0, 0, 0]]))


@pytest.mark.parametrize("any_positive", [False, True])
def test_chance_is_the_mean_over_all_orders(any_positive: bool) -> None:
    # Five candidates, 1, 2 and 5 of them right: every one of the 120 orders once.
    grades = np.array([[1, 0, 0, 0, 0], [2, 0, 1, 0, 0], [1, 1, 1, 1, 1]], dtype=np.float64)
    orders = np.array(list(itertools.permutations(range(5))), dtype=np.float64)
    expected = ev.chance(ev.judge_similarities(grades, grades), 5, any_positive=any_positive)
    for query, row in enumerate(grades):
        judged = ev.judge_similarities(orders, np.tile(row, (len(orders), 1)))
        for name, values in ev.per_query(judged, any_positive=any_positive).items():
            if name != "rank":
                assert expected[name][query] == pytest.approx(values.mean()), name


def test_chance_with_one_candidate_is_certainty() -> None:
    one = np.ones((1, 1))
    assert ev.chance(ev.judge_similarities(one, one), 1)["map"] == pytest.approx([1])


def test_the_interval_of_a_difference_is_that_of_the_queries_not_of_the_runs() -> None:
    # The runs differ widely from query to query, and by exactly 0.1 from each other.
    first = np.random.default_rng(1).random(50)
    assert ev.difference_interval(first, first + 0.1) == pytest.approx((0.1, 0.1))
    with pytest.raises(ValueError, match="same queries"):
        ev.difference_interval(first, first[1:])
