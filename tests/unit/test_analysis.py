"""What are the words of a text: one analyser for texts and queries, and places that highlights can trust."""

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retrieval.analysis import (
    MAX_TERM_CHARACTERS,
    analyse,
    contains_phrase,
    detect_language,
    is_weak,
    phrase_terms,
    phrase_units,
    query_terms,
    spans,
)
from retrieval.characters import fold

# Letters whose case, width, accents or composition differ, signs inside tokens, and scripts with and without
# spaces.
_TRICKY = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "aAzZé É\u0301ßﬁ①½İſΣςёйのガｶﾞ가각ᄀ猫東东の的々-_.'’@&+#,:/019 \n\x00\u00ad\u200b\ud800𠀀𝐀"
        ),
        st.characters(),
    ),
    max_size=60,
)


@pytest.mark.parametrize("query", ["ERR-4012", "err4012", "4012", "Err_4012", "ＥＲＲ－４０１２"])
def test_an_error_code_is_found_however_it_is_written(query: str) -> None:
    assert set(query_terms(query)) <= set(analyse("The pump stopped with ERR-4012."))


@pytest.mark.parametrize(
    ("text", "found_by"),
    [
        ("version v2.3.1", ["v2.3.1", "2.3.1"]),
        ("part AB12-33", ["ab12-33", "ab12", "33"]),
        ("call max_retry_count", ["max_retry_count", "retry", "maxretrycount"]),
        ("see report.final.pdf", ["report.final.pdf", "report", "pdf"]),
        ("write to jane.doe@example.com", ["jane.doe@example.com", "jane", "example"]),
        ("class HTTPServerError", ["HTTPServerError", "httpservererror", "server error"]),
        ("an iPhone15 case", ["iphone15", "iphone", "15"]),
        ("1,000,000 units", ["1000000"]),
        ("in C++ and C#", ["c++", "C#"]),
        ("send an e-mail by wi-fi", ["email", "wifi", "e-mail"]),
        ("the boundary-layer", ["boundary", "layers"]),
        ("the company's café", ["company", "cafe", "CAFÉ"]),
        ("die Straße", ["strasse"]),
        ("l'eau d’or", ["eau", "or"]),
        ("Привет мирам", ["мир"]),
        ("猫咪在睡觉", ["猫", "猫咪", "睡觉"]),
        ("使用iPhone手机", ["iphone", "手机"]),
        ("圖書館", ["图书馆", "图书"]),
        ("ガギグ", ["ｶﾞｷﾞ"]),
        ("안녕하세요", ["안녕"]),
        ("สวัสดี", ["สวัสดี"]),
    ],
)
def test_a_text_is_found_by_what_people_type_for_it(text: str, found_by: list[str]) -> None:
    terms = set(analyse(text))
    for query in found_by:
        assert set(query_terms(query)) <= terms, query


def test_a_part_number_written_as_one_still_meets_its_whole() -> None:
    assert "ab1233" in analyse("part AB12-33")
    assert "ab1233" in query_terms("AB1233")


def test_words_come_in_order_with_repeats_and_in_their_stems() -> None:
    # Snowball's English stems: flows -> flow, heated -> heat.
    assert analyse("Heated flows; heated FLOW") == ["heat", "flow", "heat", "flow"]


def test_a_hyphenated_word_of_plain_words_is_just_those_words() -> None:
    assert analyse("boundary-layer") == analyse("boundary layer")


def test_chinese_is_pairs_and_single_characters_that_are_no_grammar() -> None:
    # 的 is grammar: it is in pairs, but not alone.
    assert analyse("红的车") == ["红的", "的车", "红", "车"]


def test_a_character_of_grammar_is_a_term_where_it_stands_alone() -> None:
    assert analyse("的") == ["的"]


def test_a_query_drops_stop_words_only_when_other_words_remain() -> None:
    assert query_terms("how do I reset the pump") == ["reset", "pump"]
    assert query_terms("to be or not to be") == ["not"]
    assert query_terms("who are you") == analyse("who are you")
    assert query_terms("") == []


def test_a_stop_word_in_capitals_is_a_name() -> None:
    assert query_terms("IT support") == ["it", "support"]
    assert query_terms("IT IS THE PUMP") == ["pump"]


def test_stop_words_of_english_are_words_in_other_languages() -> None:
    assert query_terms("el perro con las casas de la ciudad") == analyse(
        "el perro con las casas de la ciudad"
    )


def test_terms_fit_their_column() -> None:
    assert max(map(len, analyse("x" * 300 + " " + "ab12" * 100 + " " + "가" * 200))) == MAX_TERM_CHARACTERS


def test_a_long_run_without_spaces_takes_time_in_proportion() -> None:
    # Would not end within the test run if a token's length were squared.
    assert analyse("a-" * 100_000)
    assert analyse("é" * 100_000 + "!")


@given(_TRICKY)
@example("e\u0301-ß'ﬁ")
def test_spans_are_the_terms_and_lie_inside_the_text(text: str) -> None:
    found = spans(text)
    assert [span.term for span in found] == analyse(text)
    assert all(0 <= span.start < span.end <= len(text) for span in found)


@given(_TRICKY)
def test_analysis_never_fails_and_gives_clean_terms(text: str) -> None:
    for term in analyse(text) + query_terms(text):
        assert 0 < len(term) <= MAX_TERM_CHARACTERS
        assert not any(character.isspace() or character == "\x00" for character in term)
        term.encode()  # Raises for a lone surrogate, which PostgreSQL would refuse.


@given(_TRICKY)
def test_folding_a_folded_text_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet="aéÉßñçöйё가각のガ猫 -'", max_size=30))
def test_composed_and_decomposed_texts_have_the_same_terms(text: str) -> None:
    assert analyse(unicodedata.normalize("NFD", text)) == analyse(unicodedata.normalize("NFC", text))


def test_a_span_covers_what_a_reader_would_mark() -> None:
    # The accent is a character of its own here; the ligature is one character for two letters.
    text = "cafe\u0301 of\ufb01ce ＥＲＲ"
    assert [text[span.start : span.end] for span in spans(text)] == ["cafe\u0301", "of\ufb01ce", "ＥＲＲ"]


@given(_TRICKY, _TRICKY, _TRICKY)
def test_a_text_contains_every_phrase_cut_from_it_at_spaces(before: str, phrase: str, after: str) -> None:
    units = phrase_units(phrase)
    text = f"{before} {phrase} {after}"
    if units:
        assert contains_phrase(text, units)
        assert set(phrase_terms(phrase)) <= set(analyse(text))


def test_phrases_are_compared_by_neighbouring_words() -> None:
    assert contains_phrase("The wiring diagrams.", phrase_units("wiring diagram"))
    assert not contains_phrase("a diagram of the wiring", phrase_units("wiring diagram"))
    assert contains_phrase("我在北京清华大学读书", phrase_units("清华大学"))
    assert not contains_phrase("大学在清华园", phrase_units("清华大学"))
    assert contains_phrase("an iPhone 15", phrase_units("iPhone15"))
    # Not by parts of words: "art" is not in "part".
    assert not contains_phrase("a part", phrase_units("art"))


def test_only_single_ideographs_are_weak() -> None:
    assert [is_weak(term) for term in ("猫", "猫咪", "x", "の")] == [True, False, False, False]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I reset the pump?", "en"),
        ("Wie wird die Pumpe zurückgesetzt?", "de"),
        ("Comment est-ce que la pompe est réparée dans les ateliers", "fr"),
        ("¿Cómo se repara la bomba de los talleres?", "es"),
        ("Come si ripara la pompa che non è nella officina", "it"),
        ("Como se repara a bomba que não está na oficina", "pt"),
        ("如何重置水泵？", "zh"),
        ("安装 Kubernetes cluster 的方法和步骤", "zh"),
        ("東京都に住んでいます", "ja"),
        ("안녕하세요 세계", "ko"),
        ("Как сбросить насос", "ru"),
        ("Як скинути насос її", "uk"),
        ("สวัสดีครับ", "th"),
        ("pump", ""),
        ("ERR-4012 42", ""),
        ("", ""),
    ],
)
def test_the_language_is_told_where_it_is_clear(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_the_analyser_needs_neither_django_nor_a_model() -> None:
    # In a process of its own: the test run has imported much.
    code = (
        "import sys; from retrieval import analysis; analysis.analyse('words 词语');"
        "print(sorted({'django', 'torch', 'transformers', 'jieba', 'numpy'} & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")
