"""How do channels' proposals become a ranking of assets? By hand, and whatever the other proposals are."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.ranking import RankingSettings
from retrieval.encoders.base import CosineRange
from retrieval.ranking import (
    CALIBRATIONS,
    MATCHES_FROM,
    PICTURE_WEIGHTS,
    Placed,
    Proposals,
    RankedAsset,
    of_picture,
    of_words,
    rank,
)
from retrieval.scope import Candidate, Candidates

SETTINGS = RankingSettings(lexical_weight=0.6, text_weight=0.4, segments_bonus=0.1)


def _lexical(scores: dict[int, float], attainable: float = 10.0) -> Candidates:
    return _channel("lexical", scores, attainable)


def _channel(name: str, scores: dict[int, float], attainable: float = 0.0) -> Candidates:
    best_first = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return Candidates(name, tuple(Candidate(*item) for item in best_first), attainable=attainable)


def _words(*channels: Candidates, share: float = 1.0, language: str = "en") -> Proposals:
    return of_words(channels, SETTINGS, share=share, language=language, text_languages=frozenset({"en"}))


def _own_assets(*segments: int) -> dict[int, Placed]:
    """Each segment in an asset of ten times its number."""
    return {segment: Placed(segment, segment * 10) for segment in segments}


def _scores(ranked: list[RankedAsset]) -> dict[int, float]:
    return {item.asset_id: item.score for item in ranked}


def test_words_and_meaning_are_weighed_by_hand() -> None:
    sides = [_words(_lexical({1: 5.0, 2: 8.0}), _channel("text", {1: 0.9, 3: 0.5}))]
    # 1: 0.6 x 5/10 + 0.4 x 0.9 = 0.66; 2: 0.6 x 0.8 = 0.48; 3: 0.4 x 0.5 = 0.2. MiniLM's map is the identity.
    assert CALIBRATIONS["text"](0.9) == 0.9
    assert _scores(rank(sides, _own_assets(1, 2, 3), SETTINGS)) == pytest.approx(
        {10: 0.66, 20: 0.48, 30: 0.2}
    )


def test_each_hit_says_what_each_channel_gave_it() -> None:
    sides = [_words(_lexical({1: 5.0, 2: 8.0}), _channel("text", {1: 0.9}))]
    first, second = rank(sides, _own_assets(1, 2), SETTINGS)
    assert [(item.channel, item.rank, item.score) for item in first.channels] == [
        ("text", 1, 0.9),
        ("lexical", 2, 5.0),
    ]
    assert [item.share for item in first.channels] == pytest.approx([0.36, 0.3])
    assert sum(item.share for item in first.channels) == pytest.approx(first.score)
    assert [(item.channel, item.rank) for item in second.channels] == [("lexical", 1)]


def test_words_and_picture_share_the_score_as_the_person_weighs_them() -> None:
    picture = of_picture([_channel("lookalike", {2: 1.0})], share=0.25)
    words = _words(_lexical({1: 10.0}), share=0.75)
    assert _scores(rank([words, picture], _own_assets(1, 2), SETTINGS)) == pytest.approx({10: 0.75, 20: 0.25})


def test_a_side_that_counts_little_still_brings_up_what_it_finds() -> None:
    picture = of_picture([_channel("lookalike", {2: 1.0}), _channel("read", {3: 5.0}, 10.0)], share=0.95)
    words = _words(_lexical({1: 10.0}), _channel("text", {1: 0.5}), share=0.05)
    assert set(_scores(rank([words, picture], _own_assets(1, 2, 3), SETTINGS))) == {10, 20, 30}


def test_a_pictures_channels_are_weighed_among_those_that_answer() -> None:
    alone = of_picture([_channel("lookalike", {1: 1.0})], share=1.0)
    assert alone.weights == {"lookalike": 1.0}
    both = of_picture([_channel("lookalike", {}), _channel("read", {})], share=0.5)
    total = PICTURE_WEIGHTS["lookalike"] + PICTURE_WEIGHTS["read"]
    assert both.weights == pytest.approx({name: 0.5 * PICTURE_WEIGHTS[name] / total for name in both.weights})


def test_near_to_nothing_is_no_match_but_adds_to_one() -> None:
    below = MATCHES_FROM["text"] - 0.05
    sides = [_words(_lexical({1: 5.0}), _channel("text", {1: below, 2: below}))]
    # 1: 0.6 x 0.5 + 0.4 x 0.15.
    assert _scores(rank(sides, _own_assets(1, 2), SETTINGS)) == pytest.approx({10: 0.3 + 0.4 * below})


def test_meaning_brings_up_nothing_in_a_language_that_its_encoder_does_not_know() -> None:
    channels = (_lexical({1: 5.0}), _channel("text", {1: 0.9, 2: 0.9}))
    assert set(_scores(rank([_words(*channels, language="zh")], _own_assets(1, 2), SETTINGS))) == {10}
    assert set(_scores(rank([_words(*channels, language="en")], _own_assets(1, 2), SETTINGS))) == {10, 20}


def test_segments_without_a_place_are_left_out() -> None:
    sides = [_words(_lexical({1: 5.0, 2: 8.0}))]
    ranked = rank(sides, _own_assets(1), SETTINGS)
    assert [item.asset_id for item in ranked] == [10]
    # Its rank in the channel stays what it was.
    assert ranked[0].channels[0].rank == 2


def test_an_encoder_that_says_where_its_cosines_lie_is_read_so() -> None:
    cosines = CosineRange(low=0.1, high=0.3, matches_from=0.2)
    seen = replace(_channel("visual", {1: 0.25, 2: 0.19, 3: 0.05}), cosines=cosines)
    picture = of_picture([seen], share=1.0)
    # (0.25 - 0.1) / 0.2 = 0.75; 0.19 is above `low` and yet no match.
    assert _scores(rank([picture], _own_assets(1, 2, 3), SETTINGS)) == pytest.approx({10: 0.75})


def test_a_picture_that_shows_it_stays_below_a_text_with_all_words() -> None:
    settings = RankingSettings()
    cosines = CosineRange(low=0.0, high=0.2, matches_from=0.1)
    words = of_words(
        [_lexical({1: 6.0}), _channel("text", {}), replace(_channel("visual", {2: 0.9}), cosines=cosines)],
        settings,
        share=1.0,
        language="en",
        text_languages=None,
    )
    ranked = rank([words], _own_assets(1, 2), settings)
    assert [item.asset_id for item in ranked] == [10, 20]
    # 0.6 of 1.2, of it 6/10; and 0.2 of 1.2, all of it.
    assert _scores(ranked) == pytest.approx({10: 0.36 / 1.2, 20: 0.2 / 1.2})


def test_an_assets_segments_lead_with_the_best_and_the_others_follow() -> None:
    places = {1: Placed(1, 7, page=3), 2: Placed(2, 7, page=1), 3: Placed(3, 8)}
    first, second = rank([_words(_lexical({1: 4.0, 2: 8.0, 3: 8.0}))], places, SETTINGS)
    assert [(item.asset_id, item.page) for item in first.segments] == [(7, 1), (7, 3)]
    # 0.8 x (1 + 0.1 x (1 - 2^-0.5)) against 0.8.
    assert first.score == pytest.approx(0.8 * (1 + 0.1 * (1 - 2**-0.5)))
    assert second.score == pytest.approx(0.8)


def test_ties_go_by_asset() -> None:
    ranked = rank([_words(_lexical({3: 5.0, 1: 5.0, 2: 5.0}))], _own_assets(3, 2, 1), SETTINGS)
    assert [item.asset_id for item in ranked] == [10, 20, 30]


def test_the_newest_come_in_their_order() -> None:
    newest = Candidates(
        "newest", (Candidate(5, 1.0), Candidate(2, 1 / 2), Candidate(9, 1 / 3)), attainable=1.0
    )
    ranked = rank([_words(newest)], _own_assets(2, 5, 9), SETTINGS)
    assert [item.asset_id for item in ranked] == [50, 20, 90]


def test_nothing_proposed_is_an_empty_ranking() -> None:
    assert rank([], {}, SETTINGS) == []
    assert rank([_words(_lexical({})), of_picture([], share=0.0)], {}, SETTINGS) == []


_FOUND = st.dictionaries(st.integers(1, 20), st.floats(0, 10), max_size=10)
_NEAR = st.dictionaries(st.integers(1, 20), st.floats(-1, 1), max_size=10)


@given(_FOUND, _NEAR, _FOUND, _NEAR)
def test_what_else_is_found_moves_no_score(
    lexical: dict[int, float], text: dict[int, float], more: dict[int, float], nearer: dict[int, float]
) -> None:
    def beside(scores: dict[int, float]) -> dict[int, float]:
        return {segment + 100: score for segment, score in scores.items()}

    alone = [_words(_lexical(lexical), _channel("text", text))]
    crowded = [_words(_lexical(lexical | beside(more)), _channel("text", text | beside(nearer)))]
    places = _own_assets(*range(1, 21), *range(101, 121))
    with_others = _scores(rank(crowded, places, SETTINGS))
    assert {asset: with_others[asset] for asset in _scores(rank(alone, places, SETTINGS))} == _scores(
        rank(alone, places, SETTINGS)
    )


@given(_FOUND, _NEAR)
def test_scores_fall_and_lie_between_0_and_the_bonus_above_1(
    lexical: dict[int, float], text: dict[int, float]
) -> None:
    ranked = rank([_words(_lexical(lexical), _channel("text", text))], _own_assets(*range(1, 21)), SETTINGS)
    scores = [item.score for item in ranked]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1.1 for score in scores)
