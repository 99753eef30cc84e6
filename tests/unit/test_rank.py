"""How do channels become one ranking: formulas by hand, and scores that nothing absent can move."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.rank import (
    Calibration,
    Fused,
    Group,
    RankingSettings,
    RankingSettingsError,
    attainable,
    calibrated_lexical,
    convex_combination,
    fuse,
    group_by_asset,
    ranks,
    reciprocal_rank_fusion,
)

_SCORES = st.dictionaries(st.integers(1, 30), st.floats(0, 1), max_size=12)
_WEIGHTS = {"lexical": 0.5, "text": 0.5}


def test_reciprocal_rank_fusion_by_hand() -> None:
    fused = reciprocal_rank_fusion({"lexical": {1: 9.0, 2: 5.0}, "text": {2: 0.8, 3: 0.1}}, _WEIGHTS, k=60)
    # 1: 0.5/61; 2: 0.5/62 + 0.5/61; 3: 0.5/62.
    assert fused[1].score == pytest.approx(0.5 / 61)
    assert fused[2].score == pytest.approx(0.5 / 62 + 0.5 / 61)
    assert fused[3] == Fused(0.5 / 62, {"text": 0.5 / 62})


def test_equal_scores_share_a_rank() -> None:
    assert ranks({7: 1.0, 3: 1.0, 5: 2.0, 9: 0.5}) == {5: 1, 3: 2, 7: 2, 9: 4}


def test_convex_combination_by_hand() -> None:
    fused = convex_combination(
        {"lexical": {1: 0.4, 2: 1.0}, "text": {1: 0.9}}, {"lexical": 0.25, "text": 0.75}
    )
    # 1: 0.25 x 0.4 + 0.75 x 0.9 = 0.775; 2: 0.25 x 1.0.
    assert fused[1].score == pytest.approx(0.775)
    assert fused[2].score == pytest.approx(0.25)
    assert fused[1].shares == pytest.approx({"lexical": 0.1, "text": 0.675})


def test_lexical_scores_are_shares_of_what_the_query_could_attain() -> None:
    # Two terms of idf 2 and 3, saturation bound k1 + 1 = 2.5: at most 12.5. A negative idf adds nothing.
    maximum = attainable([2.0, 3.0, -1.0], 2.5)
    assert maximum == 12.5
    assert calibrated_lexical({1: 5.0, 2: 12.5, 3: 13.0}, maximum) == {1: 0.4, 2: 1.0, 3: 1.0}
    assert calibrated_lexical({1: 5.0}, 0.0) == {1: 0.0}


def test_cosines_are_mapped_and_clipped() -> None:
    calibrated = Calibration(floor=0.2, ceiling=0.7)
    assert [calibrated(cosine) for cosine in (0.1, 0.2, 0.45, 0.7, 0.9)] == pytest.approx([0, 0, 0.5, 1, 1])
    with pytest.raises(RankingSettingsError):
        Calibration(floor=0.5, ceiling=0.5)


def test_groups_lead_with_their_best_segment_and_gain_little_by_the_others() -> None:
    groups = group_by_asset({1: 0.8, 2: 0.8, 3: 0.4, 4: 0.5}, {1: 10, 2: 20, 3: 20, 4: 30}, bonus=0.1)
    # 20: the other segment is half of the best: 0.8 x (1 + 0.1 x (1 - 2^-0.5)).
    expected = 0.8 * (1 + 0.1 * (1 - 2**-0.5))
    assert groups == [Group(20, expected, (2, 3)), Group(10, 0.8, (1,)), Group(30, 0.5, (4,))]


def test_ties_go_by_id_whatever_the_order_of_rows() -> None:
    assets = {1: 9, 2: 4, 3: 4}
    groups = group_by_asset({3: 0.5, 1: 0.5, 2: 0.5}, assets, bonus=0.0)
    assert groups == [Group(4, 0.5, (2, 3)), Group(9, 0.5, (1,))]
    assert groups == group_by_asset({1: 0.5, 2: 0.5, 3: 0.5}, assets, bonus=0.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200))
def test_many_weak_segments_never_add_more_than_the_bonus(scores: list[float]) -> None:
    by_segment = dict(enumerate(scores))
    (group,) = group_by_asset(by_segment, dict.fromkeys(by_segment, 1), bonus=0.1)
    assert max(scores) <= group.score <= max(scores) * 1.1 + 1e-12


@given(_SCORES, _SCORES, st.integers(31, 40), st.floats(0, 1))
def test_a_further_finding_changes_no_other_score_of_the_convex_combination(
    lexical: dict[int, float], text: dict[int, float], segment: int, score: float
) -> None:
    channels = {"lexical": lexical, "text": text}
    alone = convex_combination(channels, _WEIGHTS)
    beside = convex_combination({"lexical": {**lexical, segment: score}, "text": text}, _WEIGHTS)
    assert {key: beside[key] for key in alone} == alone


@given(_SCORES, _SCORES, st.sampled_from(["convex", "rrf"]))
def test_scores_are_the_sum_of_their_shares_and_the_order_of_channels_is_nothing(
    lexical: dict[int, float], text: dict[int, float], method: str
) -> None:
    settings = RankingSettings().overridden({"method": method})
    fused = fuse(settings, {"lexical": lexical, "text": text}, _WEIGHTS)
    assert fused == fuse(settings, {"text": text, "lexical": lexical}, _WEIGHTS)
    for found in fused.values():
        assert math.isclose(found.score, sum(found.shares.values()))
        assert 0 <= found.score <= 1


def test_the_text_channel_weighs_little_in_a_language_that_its_encoder_does_not_know() -> None:
    settings = RankingSettings(
        lexical_weight=0.5, text_weight=0.5, foreign_text_weight=0.1, chinese_text_weight=0.5
    )
    english = frozenset({"en"})
    assert settings.weights(["lexical", "text"], language="en", text_languages=english) == _WEIGHTS
    # 0.5 and 0.1 of 0.6.
    chinese = settings.weights(["lexical", "text"], language="zh", text_languages=english)
    assert chinese == pytest.approx({"lexical": 5 / 6, "text": 1 / 6})
    # Not clear: as if known. An encoder of all languages: always known.
    assert settings.weights(["lexical", "text"], language="", text_languages=english) == _WEIGHTS
    assert settings.weights(["lexical", "text"], language="zh") == _WEIGHTS


def test_words_find_pictures_in_the_languages_of_their_encoder_only() -> None:
    settings = RankingSettings(lexical_weight=0.5, visual_weight=0.5, foreign_text_weight=0.1)
    english = frozenset({"en"})
    known = settings.weights(["lexical", "visual"], language="en", visual_languages=english)
    assert known == {"lexical": 0.5, "visual": 0.5}
    foreign = settings.weights(["lexical", "visual"], language="zh", visual_languages=english)
    assert foreign == pytest.approx({"lexical": 5 / 6, "visual": 1 / 6})


def test_meaning_counts_less_in_chinese_where_pairs_of_characters_find_more() -> None:
    both = frozenset({"en", "zh"})
    settings = RankingSettings(lexical_weight=0.6, text_weight=0.4, chinese_text_weight=0.2)
    assert settings.weights(["lexical", "text"], language="en", text_languages=both)["text"] == 0.4
    # 0.2 of 0.6 and 0.2 together.
    assert settings.weights(["lexical", "text"], language="zh", text_languages=both)["text"] == pytest.approx(
        0.25
    )
    # Never more than what any language gets.
    low = RankingSettings(lexical_weight=0.9, text_weight=0.1, chinese_text_weight=0.2)
    assert low.weights(["lexical", "text"], language="zh", text_languages=both)["text"] == pytest.approx(0.1)


def test_weights_are_of_the_channels_in_use_and_add_up_to_one() -> None:
    assert RankingSettings().weights(["visual"]) == {"visual": 1.0}
    assert sum(RankingSettings().weights(["lexical", "text", "visual"]).values()) == pytest.approx(1)
    assert RankingSettings(lexical_weight=0, text_weight=0).weights(["lexical", "text"]) == _WEIGHTS


def test_a_collection_overrides_single_fields() -> None:
    settings = RankingSettings().overridden({"method": "rrf", "text_weight": 1})
    assert (settings.method, settings.text_weight) == ("rrf", 1)
    assert settings.lexical_weight == RankingSettings().lexical_weight


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"lexcal_weight": 1}, "no ranking setting 'lexcal_weight'.*lexical_weight"),
        ({"method": "best"}, "convex or rrf, not 'best'"),
        ({"text_weight": "much"}, "`text_weight` is a number"),
        ({"text_weight": -1}, "`text_weight` is a number"),
        ({"text_weight": True}, "`text_weight` is a number"),
        ({"text_weight": float("nan")}, "`text_weight` is a number"),
        ({"rrf_k": None}, "`rrf_k` is a number"),
    ],
)
def test_a_wrong_override_is_refused_by_name(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(RankingSettingsError, match=message):
        RankingSettings().overridden(overrides)


def test_a_channel_without_a_weight_is_an_error() -> None:
    with pytest.raises(RankingSettingsError, match="'visual'"):
        convex_combination({"visual": {1: 1.0}}, _WEIGHTS)
