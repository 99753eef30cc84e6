"""What does a person ask for: words, phrases, exclusions, filters; and never an error but for length."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.exceptions import QueryError
from retrieval.query import ParsedQuery, parse


def _parse(words: str) -> ParsedQuery:
    return parse(words, max_characters=2000)


def test_everything_at_once_is_told_apart() -> None:
    query = _parse('pump "wiring diagram" -legacy -"old model" kind:image in:"HR handbook" lang:zh type:pdf')
    assert query.text == "pump wiring diagram"
    assert query.terms == ("pump", "wire", "diagram")
    assert query.phrases == (("wire", "diagram"),)
    assert query.excluded == (("legaci",), ("old", "model"))
    assert query.kinds == ("image",)
    assert query.collections == ("HR handbook",)
    assert query.languages == ("zh",)
    assert query.media_types == ("application/pdf",)
    assert query.notices == ()


@pytest.mark.parametrize("words", ["“清华大学”", "「清华大学」", "『清华大学』", '"清华大学"'])
def test_chinese_quotes_make_phrases(words: str) -> None:
    query = _parse(words)
    assert query.phrase_units == (("清", "华", "大", "学"),)
    assert query.phrases == (("清华", "华大", "大学"),)
    assert query.language == "zh"


def test_filters_have_chinese_names() -> None:
    query = _parse("水泵 类型：图片 语言:中文 格式:pdf 集合:“员工 手册” 早于:2026年1月31日")
    assert query.text == "水泵"
    assert (query.kinds, query.languages, query.media_types) == (("image",), ("zh",), ("application/pdf",))
    assert query.collections == ("员工 手册",)
    assert query.before == date(2026, 1, 31)


def test_one_filter_takes_several_values() -> None:
    assert _parse("kind:image,video kind:image").kinds == ("image", "video")
    assert _parse('in:"HR handbook",sales').collections == ("HR handbook", "sales")


def test_a_kind_may_be_given_as_a_type_and_the_other_way_round() -> None:
    assert _parse("type:image").kinds == ("image",)
    assert _parse("类型:pdf").media_types == ("application/pdf",)
    assert _parse("type:text/html type:.MD").media_types == ("text/html", "text/markdown")


def test_dates_are_the_first_day_of_what_they_name_and_the_narrowest_wins() -> None:
    query = _parse("before:2026-01-31 after:2025 before:2026-03 after:2024/5/6")
    assert (query.before, query.after) == (date(2026, 1, 31), date(2025, 1, 1))


@pytest.mark.parametrize(
    "words",
    [
        "kind:sheet",
        "lang:klingon",
        "type:nonsense!",
        "before:soon",
        "after:2026-13",
        "after:2026-02-30",
        "before:0000",
    ],
)
def test_a_value_that_names_nothing_is_a_notice_and_no_filter(words: str) -> None:
    query = _parse(f"pump {words}")
    assert len(query.notices) == 1
    assert words.partition(":")[2] in query.notices[0]
    assert not query.has_filters
    assert query.text == "pump"


def test_an_unknown_filter_is_words_with_a_notice() -> None:
    query = _parse("author:smith pump")
    assert query.terms == ("author", "smith", "pump")
    assert "author:" in query.notices[0]


@pytest.mark.parametrize("words", ["https://example.com/a?b=c", "at 12:30", "error: no flow", "ratio 3:4"])
def test_a_colon_in_running_text_is_no_filter(words: str) -> None:
    query = _parse(words)
    assert query.notices == ()
    assert query.text == words


def test_a_filter_cannot_be_excluded_and_a_range_can_be_empty() -> None:
    assert "cannot be excluded" in _parse("pump -kind:image").notices[0]
    assert "No day" in _parse("pump before:2024 after:2025").notices[0]
    assert "Nothing but exclusions" in _parse("-pump").notices[0]


def test_a_hyphen_inside_a_word_and_a_minus_before_a_number_exclude_nothing() -> None:
    query = _parse("boundary-layer at -40 degrees - really")
    assert query.excluded == ()
    assert query.text == "boundary-layer at -40 degrees - really"


def test_an_open_quote_is_no_phrase() -> None:
    query = _parse('a 5" disk "wiring')
    assert query.phrases == ()
    assert {"disk", "wire"} <= set(query.terms)


def test_control_characters_and_broken_unicode_are_cleaned() -> None:
    assert _parse("pu\x00mp \ud800 on\x07").text == "pu mp on"


def test_too_long_a_query_is_refused_with_the_limit_in_the_message() -> None:
    assert parse("x" * 2000, max_characters=2000).terms
    with pytest.raises(QueryError, match="2,001 characters; 2,000 are allowed"):
        parse("x" * 2001, max_characters=2000)


@given(
    st.lists(
        st.sampled_from(
            ['"', "“", "”", "「", "-", ":", "：", ",", "kind:", "in:", "after:", "2026", " ", "猫", "a", "\\"]
        ),
        max_size=25,
    ).map("".join)
    | st.text(max_size=80)
)
def test_no_query_fails(words: str) -> None:
    query = _parse(words)
    query.text.encode()
    assert len(query.phrases) == len(query.phrase_units)
    assert len(query.excluded) == len(query.excluded_units)
    assert all(query.phrase_units)
    assert all(query.excluded_units)
