"""Is the answer cut into pages, counted, timed, and refused where nothing can be asked?"""

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from kb.exceptions import QueryError
from kb.models import Collection, VectorSet
from retrieval import search
from retrieval.results import Hit
from retrieval.search import MAX_PAGE_SIZE, SearchRequest
from retrieval.web import presentation
from tests.integration.ingest import HashEncoder
from tests.integration.search.asking import a_picture, ask, found, thumbnail_of
from tests.library import Passage, an_asset
from workers.vector_sets import ensure_vector_set

pytestmark = pytest.mark.django_db


def test_pages_are_the_ranking_cut_in_pieces(reader: User, plant: Collection) -> None:
    for number in range(23):
        an_asset(plant, ["pump " * (1 + number % 5)], title=f"{number}")
    whole = found(reader, "pump", page_size=50)
    pages = [found(reader, "pump", page=page, page_size=5) for page in range(1, 7)]
    assert [title for page in pages for title in page] == whole
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3, 0]
    assert len(set(whole)) == 23
    assert ask(reader, "pump", page=3, page_size=5).total == 23


def test_equal_scores_are_in_the_order_of_their_assets_every_time(reader: User, plant: Collection) -> None:
    made = [an_asset(plant, ["pump"], title=f"same {n}", uri=f"same-{n}.txt").pk for n in range(10, 30)]
    for _ in range(3):
        assert [hit.asset_id for hit in ask(reader, "pump", page_size=50).hits] == made


@pytest.mark.parametrize("page_size", [0, -1, MAX_PAGE_SIZE + 1])
def test_a_page_has_its_limits(reader: User, page_size: int) -> None:
    with pytest.raises(QueryError, match="A page holds between 1 and 50 results"):
        ask(reader, "pump", page_size=page_size)


def test_a_total_that_may_be_larger_says_so(
    reader: User, plant: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        an_asset(plant, ["pump"], title=f"{number}")
    monkeypatch.setattr(search, "DEPTH", 7)
    assert (ask(reader, "pump").total, ask(reader, "pump").total_is_capped) == (6, False)
    for depth in (5, 3):
        monkeypatch.setattr(search, "DEPTH", depth)
        for words in ("pump", "kind:document"):
            result = ask(reader, words)
            assert (result.total, result.total_is_capped) == (depth, True), words


@pytest.mark.parametrize("words", ["", "   ", "?!", "\0", '""'])
def test_without_words_and_picture_there_is_no_question(reader: User, words: str) -> None:
    with pytest.raises(QueryError, match="Type some words or add a picture"):
        ask(reader, words)


def test_ten_thousand_characters_are_no_question(reader: User) -> None:
    with pytest.raises(QueryError, match="10,000 characters; 2,000 are allowed"):
        ask(reader, "x" * 10_000)


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_the_weight_of_the_words_has_its_limits(reader: User, weight: float) -> None:
    with pytest.raises(QueryError, match="between 0 and 1"):
        ask(reader, "pump", text_weight=weight)


def test_an_answer_names_the_time_of_each_stage(reader: User, plant: Collection) -> None:
    an_asset(plant, ["pump"])
    assert list(ask(reader, "pump").timings_ms) == ["understand", "permit", "retrieve", "rank", "render"]


def test_evaluation_gets_the_ranking_that_people_get(reader: User, plant: Collection) -> None:
    for number in range(5):
        an_asset(plant, ["pump " * (number + 1)], title=f"{number}")
    lists = search.ranked_assets(reader, SearchRequest("pump"), 3)
    shown: tuple[Hit, ...] = ask(reader, "pump").hits
    assert lists == {
        "lexical": [hit.asset_id for hit in shown][:3],
        "fused": [hit.asset_id for hit in shown][:3],
        "without_pixels": [hit.asset_id for hit in shown][:3],
    }


def test_every_channel_that_answers_has_a_name_for_people(
    reader: User, plant: Collection, looks: VectorSet, encoder: HashEncoder
) -> None:
    text = ensure_vector_set(encoder.spec, "text")
    row = encoder.encode_texts(["wiring"])[0]
    an_asset(plant, [Passage("wiring", vectors=((text, row),))])
    a_picture(plant, looks, 1, words="wiring")
    answers = [ask(reader, "wiring"), ask(reader, "in:plant"), ask(reader, picture=thumbnail_of(1))]
    named = {channel.channel for answer in answers for hit in answer.hits for channel in hit.channels}
    assert named == {"lexical", "text", "newest", "lookalike", "read"}
    assert named <= set(presentation.CHANNELS)


def test_what_is_said_to_a_person_is_in_their_language(reader: User) -> None:
    with translation.override("zh-hans"):
        assert ask(reader, "pump in:Atlantis kind:unicorn").notices == (
            "“unicorn”不是类别；可用 document、image 和 video。",
            "您可见的资料集中没有“Atlantis”。",
        )
        with pytest.raises(QueryError, match="请输入文字或添加图片"):
            ask(reader)
        with pytest.raises(QueryError, match="图片是空的"):
            ask(reader, picture=b"")
