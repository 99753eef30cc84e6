"""Are two runs compared query by query, and are runs kept as they were measured?"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from retrieval.evaluation_runs import Run, RunError, Section, compare, load, save


def section(**values: list[float]) -> Section:
    size = len(next(iter(values.values())))
    arrays = {name.replace("_at_", "@"): np.array(row) for name, row in values.items()}
    return Section(tuple(f"query {number}" for number in range(size)), arrays)


def test_a_run_reads_as_it_was_saved(tmp_path: Path) -> None:
    made = Run(
        "captions",
        "photos",
        {"profile": "embedded"},
        {"to_image": section(mrr=[0.5, 0.0, 1.0], rank=[2, math.inf, 1])},
    )
    save(made, tmp_path / "run.json")
    read = load(tmp_path / "run.json")
    assert (read.kind, read.dataset, read.settings) == ("captions", "photos", {"profile": "embedded"})
    again = read.sections["to_image"]
    assert again.keys == ("query 0", "query 1", "query 2")
    np.testing.assert_array_equal(again.values["rank"], [2, math.inf, 1])
    # Of ranks 1, 2 and never the middle one; of the others the mean.
    assert again.means() == {"mrr": 0.5, "median_rank": 2}


def test_runs_are_paired_by_query_whatever_their_order() -> None:
    first = Section(("a", "b", "c"), {"mrr": np.array([1.0, 0.0, 0.5])})
    second = Section(("c", "a", "d"), {"mrr": np.array([0.7, 1.0, 0.0])})
    found = compare(Run("x", "y", {}, {"s": first}), Run("x", "y", {}, {"s": second}))
    (difference,) = found.differences
    # Of a and c: 1.0 and 0.5 before, 1.0 and 0.7 after; b and d have no partner.
    assert (difference.first, difference.second) == pytest.approx((0.75, 0.85))
    assert found.unpaired_queries == 2


def test_a_difference_that_every_query_shows_is_significant_and_none_is_not() -> None:
    before = np.random.default_rng(3).random(40)
    noise = np.random.default_rng(4).normal(0, 0.1, 40)
    run = lambda values: Run("x", "y", {}, {"s": Section(tuple(map(str, range(40))), {"mrr": values})})  # noqa: E731
    (better,) = compare(run(before), run(before + 0.1)).differences
    assert better.p < 0.001
    assert better.low > 0
    (alike,) = compare(run(before), run(before + noise - noise.mean())).differences
    assert alike.p > 0.9
    assert alike.low < 0 < alike.high


def test_sections_of_one_run_only_are_named() -> None:
    shared = section(mrr=[1.0, 0.0])
    found = compare(Run("x", "y", {}, {"s": shared, "t": shared}), Run("x", "y", {}, {"s": shared}))
    assert found.only_in_one == ("t",)


def test_runs_without_a_common_query_cannot_be_compared() -> None:
    one, other = section(mrr=[1.0]), Section(("else",), {"mrr": np.array([1.0])})
    with pytest.raises(RunError, match="no query in common"):
        compare(Run("x", "y", {}, {"s": one}), Run("x", "y", {}, {"s": other}))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"format": 0}',
        '{"format": 1, "kind": "x", "dataset": "y"}',
        json.dumps(
            {
                "format": 1,
                "kind": "x",
                "dataset": "y",
                "settings": {},
                "sections": {"s": {"keys": ["a", "b"], "values": {"mrr": [1]}}},
            }
        ),
    ],
)
def test_what_is_no_run_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(content)
    with pytest.raises(RunError, match=r"run\.json.* make it anew"):
        load(path)
    with pytest.raises(RunError, match="cannot be read"):
        load(tmp_path / "none.json")
