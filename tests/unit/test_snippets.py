"""Which part of a text shows why it was found: the right window, whole words, the right marks."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from retrieval.analysis import query_terms
from retrieval.results import SnippetPart
from retrieval.snippets import CJK_CHARACTERS, ELLIPSIS, LATIN_CHARACTERS, snippet

_FILLER = "The plant was built by the river and has been running ever since then. " * 10
_CHINESE = "大莱龙铁路位于山东省北部环渤海地区，全长一百多公里。" * 6


def _text(parts: tuple[SnippetPart, ...]) -> str:
    return "".join(part.text for part in parts)


def _marked(parts: tuple[SnippetPart, ...]) -> list[str]:
    return [part.text for part in parts if part.highlighted]


def test_a_short_text_is_shown_whole_with_its_words_marked() -> None:
    assert snippet("Reset the pumps.", query_terms("reset pump")) == (
        SnippetPart("Reset", True),
        SnippetPart(" the ", False),
        SnippetPart("pumps", True),
        SnippetPart(".", False),
    )


def test_the_window_is_where_most_of_the_words_are() -> None:
    text = f"A pump. {_FILLER}Error ERR-4012 means that the pump has no flow. {_FILLER}"
    parts = snippet(text, query_terms("err4012 pump flow"))
    assert _marked(parts) == ["ERR-4012", "pump", "flow"]
    assert _text(parts).startswith(ELLIPSIS)
    assert _text(parts).endswith(ELLIPSIS)


def test_a_heavier_word_draws_the_window() -> None:
    text = f"The river pump. {_FILLER}The gasket. {_FILLER}"
    # "river" and "pump" stand together, but the gasket counts for more.
    parts = snippet(text, ["pump", "gasket"], weights={"gasket": 8.0, "pump": 1.0})
    assert "gasket" in _marked(parts)


def test_the_window_starts_at_a_sentence_where_one_is_near() -> None:
    text = f"{_FILLER}Here the gasket leaks. {_FILLER}"
    assert _text(snippet(text, ["gasket"])).startswith(f"{ELLIPSIS}Here the gasket leaks. The plant")


def test_without_a_match_the_beginning_is_shown() -> None:
    parts = snippet(_FILLER, query_terms("zebra"))
    assert _marked(parts) == []
    assert _text(parts).startswith("The plant was built")
    assert len(_text(parts)) <= LATIN_CHARACTERS + 1


def test_chinese_windows_are_shorter_and_mark_the_longer_words() -> None:
    parts = snippet(f"{_CHINESE}骑自行车的小孩在车站。{_CHINESE}", query_terms("自行车"))
    # Not the 车 of 车站: it is only part of what was asked.
    assert _marked(parts) == ["自行车"]
    assert len(_text(parts)) <= CJK_CHARACTERS + 2


def test_a_single_character_is_marked_when_it_is_what_was_asked() -> None:
    assert _marked(snippet("一只猫咪在睡觉", query_terms("猫"))) == ["猫"]


def test_an_empty_text_has_no_parts() -> None:
    assert snippet("", ["pump"]) == ()
    assert snippet(" \n ", ["pump"]) == ()


def test_markup_stays_text() -> None:
    parts = snippet("<script>alert('pump')</script>", ["pump"])
    assert _text(parts) == "<script>alert('pump')</script>"
    assert _marked(parts) == ["pump"]


def test_white_space_is_collapsed() -> None:
    assert _text(snippet("The\n\n  pump\t is\r\noff", ["pump"])) == "The pump is off"


@given(
    st.lists(
        st.sampled_from(
            ["pump", "gasket", "猫咪", "大学", "ERR-4012", "x" * 300, "a.", "。", "\n", "é", "<b>"]
        ),
        max_size=80,
    ),
    st.lists(st.sampled_from(["pump", "gasket", "猫咪", "猫", "err4012", "4012", "none"]), max_size=4),
    st.integers(10, 200),
    st.sampled_from([" ", ""]),
)
def test_a_snippet_is_a_piece_of_the_text_within_its_length(
    words: list[str], terms: list[str], characters: int, glue: str
) -> None:
    text = glue.join(words)
    parts = snippet(text, terms, characters=characters)
    shown = _text(parts).removeprefix(ELLIPSIS).removesuffix(ELLIPSIS)
    assert " ".join(shown.split()) in " ".join(text.split())
    assert len(shown) <= characters
    assert all(part.text for part in parts)
    assert all(first.highlighted != second.highlighted for first, second in pairwise(parts))
