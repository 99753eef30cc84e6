"""Can a statement forget the audiences, or a filter slip past them?"""

from datetime import date
from typing import Any

import pytest

from retrieval.scope import Scope

EVERYTHING: dict[str, Any] = {
    "kinds": ("image",),
    "collections": (3,),
    "languages": ("en",),
    "media_types": ("image/png",),
    "after": date(2026, 1, 1),
    "before": date(2026, 2, 1),
    "excluded_lexemes": (5, 6),
    "excluded_assets": (7,),
}


def test_the_audiences_are_always_the_first_condition() -> None:
    for scope in (Scope((1, 2)), Scope((1, 2), **EVERYTHING), Scope((1, 2), segments=(9,), is_empty=True)):
        for (condition, parameters), column in ((scope.where("w"), "w"), (scope.where_asset(), "a")):
            assert condition.startswith(f"{column}.audience_id = ANY(%(audiences)s)")
            assert parameters["audiences"] == [1, 2]
            # Conditions only ever narrow: an OR would let rows in past the audiences.
            assert " OR " not in condition


def test_audiences_alone_are_no_filter() -> None:
    assert Scope((1,)).where("v") == ("v.audience_id = ANY(%(audiences)s)", {"audiences": [1]})
    assert Scope((1,)).where_asset() == ("a.audience_id = ANY(%(audiences)s)", {"audiences": [1]})
    assert not Scope((1,)).is_filtered


@pytest.mark.parametrize("name", EVERYTHING)
def test_each_filter_restricts_by_a_parameter_and_by_readable_assets(name: str) -> None:
    scope = Scope((1,), **{name: EVERYTHING[name]})
    condition, parameters = scope.where("w")
    assert scope.is_filtered
    assert f"%({name})s" in condition
    value = EVERYTHING[name]
    assert parameters[name] == (list(value) if isinstance(value, tuple) else value)
    # The assets that a filter is asked of are readable ones, too.
    assert "WHERE a.audience_id = ANY(%(audiences)s) AND" in condition
    assert f"%({name})s" in scope.where_asset()[0]


def test_words_are_excluded_only_where_the_person_can_read_them() -> None:
    condition, _ = Scope((1,), excluded_lexemes=(5,)).where("w")
    assert "x.audience_id = ANY(%(audiences)s)" in condition


def test_a_filter_that_names_nothing_and_a_phrase_that_stands_nowhere_match_nothing() -> None:
    nothing = Scope((1,), is_empty=True)
    assert nothing.is_filtered
    assert nothing.where("w")[0].endswith(" AND FALSE")
    assert nothing.where_asset()[0].endswith(" AND FALSE")
    # No segments is not the same as any segment.
    nowhere = Scope((1,), segments=())
    assert nowhere.is_filtered
    assert nowhere.where("w")[1]["segments"] == []
    assert "w.segment_id = ANY(%(segments)s)" in nowhere.where("w")[0]


def test_every_placeholder_has_its_parameter() -> None:
    scope = Scope((1,), **EVERYTHING, segments=(8,))
    for condition, parameters in (scope.where("w"), scope.where_asset()):
        filled = condition % dict.fromkeys(parameters, "x")
        assert "%" not in filled
