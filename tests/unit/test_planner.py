"""Exactly, or through the index? By how much of the library the person may see."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.planner import EXACT_SEGMENTS, INDEX_SHARE, Plan, plan

MANY = 10 * EXACT_SEGMENTS


def test_little_is_scanned_exactly_whatever_its_share() -> None:
    assert plan(visible=EXACT_SEGMENTS, total=EXACT_SEGMENTS, filtered=False, limit=10) == Plan("exact")
    assert plan(visible=0, total=0, filtered=False, limit=10) == Plan("exact")


def test_a_large_share_of_much_goes_through_the_index() -> None:
    assert plan(visible=MANY, total=MANY, filtered=False, limit=10).method == "hnsw"
    assert (
        plan(visible=EXACT_SEGMENTS + 1, total=EXACT_SEGMENTS + 1, filtered=False, limit=10).method == "hnsw"
    )


def test_a_small_share_of_much_is_scanned_exactly() -> None:
    total = int(MANY / INDEX_SHARE)
    assert plan(visible=MANY - 1, total=total, filtered=False, limit=10).method == "exact"
    assert plan(visible=MANY + 1, total=total, filtered=False, limit=10).method == "hnsw"


def test_a_filter_of_unknown_share_is_scanned_exactly() -> None:
    assert plan(visible=MANY, total=MANY, filtered=True, limit=10) == Plan("exact")


@pytest.mark.parametrize(("limit", "ef_search"), [(1, 100), (50, 100), (200, 400), (500, 1000), (5000, 1000)])
def test_the_index_looks_at_twice_what_is_asked_for_within_its_bounds(limit: int, ef_search: int) -> None:
    assert plan(visible=MANY, total=MANY, filtered=False, limit=limit) == Plan("hnsw", ef_search)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.booleans(), st.integers(1, 10_000))
def test_every_plan_is_one_that_pgvector_accepts(
    visible: int, hidden: int, filtered: bool, limit: int
) -> None:
    made = plan(visible=visible, total=visible + hidden, filtered=filtered, limit=limit)
    assert made.method == "exact" or 1 <= made.ef_search <= 1000
