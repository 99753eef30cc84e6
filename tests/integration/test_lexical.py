"""The lexical channel is BM25, exactly, over what the person may read."""

import math
import random

import pytest

from kb.permissions import visible_audiences
from retrieval import channels, lexical
from retrieval.analysis import analyse
from retrieval.query import parse
from retrieval.scope import Scope
from tests.library import a_collection, a_user, an_asset

pytestmark = pytest.mark.django_db

WORDS = ["pump", "valve", "seal", "motor", "pressure", "leak", "shaft", "bearing", "flange", "gasket"]


def test_scores_are_those_of_a_naive_bm25_over_the_readable_segments() -> None:
    reader, other = a_user("reader"), a_user("other")
    mine, theirs = a_collection("Mine", reader), a_collection("Theirs", other)
    random.seed(7)
    texts = [" ".join(random.choices(WORDS, k=random.randint(3, 30))) for _ in range(40)]
    for index, text in enumerate(texts):
        an_asset(mine, [text], uri=f"{index}.txt", title="x")
    for _ in range(10):
        an_asset(theirs, ["pump pump pump seal"], title="x")
    query = ["pump", "seal", "gasket"]

    found = lexical.find(
        lexical.weigh(query, visible_audiences(reader)), Scope(visible_audiences(reader)), 40
    )

    documents = [[*analyse(text), *analyse("x"), *analyse(str(index))] for index, text in enumerate(texts)]
    expected = sorted((naive_bm25(query, document, documents) for document in documents), reverse=True)
    expected = [score for score in expected if score > 0]
    assert [item.score for item in found.items] == pytest.approx(expected, rel=1e-3)


def naive_bm25(query: list[str], document: list[str], documents: list[list[str]]) -> float:
    score = 0.0
    for term in query:
        n = sum(term in other for other in documents)
        tf = document.count(term)
        norm = lexical.K1 * (1 - lexical.B + lexical.B * len(document) / lexical.PIVOT_TERMS_OTHERWISE)
        score += math.log(1 + (len(documents) - n + 0.5) / (n + 0.5)) * tf * (lexical.K1 + 1) / (tf + norm)
    return score


@pytest.mark.parametrize("limit", [1, 3, 10])
def test_stopping_early_changes_no_result(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = a_user("reader")
    collection = a_collection("Mine", reader)
    random.seed(11)
    for _ in range(60):
        # Zipf-like: "pump" is in most texts, "gasket" in few.
        weights = [1 / (rank + 1) ** 2 for rank in range(len(WORDS))]
        an_asset(collection, [" ".join(random.choices(WORDS, weights, k=12))], title="x")
    audiences = visible_audiences(reader)
    terms = lexical.weigh(["pump", "valve", "flange", "gasket"], audiences)
    everything = lexical.find(terms, Scope(audiences), 1000)

    # One term a statement: the most chances to stop too early.
    monkeypatch.setattr(lexical, "BATCH_SEGMENTS", 0)
    first = lexical.find(terms, Scope(audiences), limit)

    assert [item.segment_id for item in first.items] == [item.segment_id for item in everything.items[:limit]]


def test_words_that_stand_nowhere_make_a_match_less_of_one_and_hidden_ones_count_as_such() -> None:
    reader = a_user("reader")
    an_asset(a_collection("Mine", reader), ["pump and valve"], title="x")
    an_asset(a_collection("Theirs", a_user("other")), ["zirconium"], title="x")
    scope = Scope(visible_audiences(reader))

    def share(words: str) -> float:
        query = parse(words, max_characters=100)
        found = channels.by_words(query, lexical.weigh(query.terms, scope.audiences), scope, 10)[0]
        return found.items[0].score / found.attainable

    alone = share("pump")
    # df 1 of 1 segment: ln(1 + 0.5/1.5); of none: ln(1 + 1.5/0.5).
    known, nowhere = math.log(4 / 3), math.log(4)
    assert share("pump quasar") == pytest.approx(alone * known / (known + nowhere))
    assert share("pump zirconium") == share("pump quasar")


def test_nobody_finds_anything_without_an_audience() -> None:
    an_asset(a_collection("Theirs", a_user("other")), ["pump"])
    assert lexical.weigh(["pump"], ()) == []
    assert lexical.find([lexical.WeightedTerm("pump", 1, 1, 1.0, 1)], Scope(()), 10).items == ()
