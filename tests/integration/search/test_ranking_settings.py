"""Does a collection's word on ranking count where a search is inside it alone, and nowhere else?"""

import logging

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from kb.models import Collection
from retrieval.encoders.base import unit_rows
from tests.integration.ingest import HashEncoder
from tests.integration.search.asking import ask, found
from tests.integration.search.test_words import orthogonal
from tests.library import Passage, a_collection, a_user, an_asset
from workers.vector_sets import ensure_vector_set

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_kinds(plant: Collection, encoder: HashEncoder) -> Collection:
    """One file has the word that is asked for, one is only near in meaning."""
    space = ensure_vector_set(encoder.spec, "text")
    (query,) = encoder.encode_texts(["impeller"])
    far = unit_rows(orthogonal(query)[None])[0]
    an_asset(plant, [Passage("impeller " * 30, vectors=((space, far),))], title="word")
    an_asset(plant, [Passage("The turning part.", vectors=((space, query),))], title="meaning")
    return plant


def test_a_collections_settings_hold_for_searches_inside_it_alone(
    reader: User, two_kinds: Collection
) -> None:
    other = a_collection("Other", reader)
    assert found(reader, "impeller in:plant") == ["word", "meaning"]
    two_kinds.ranking = {"lexical_weight": 0.1, "text_weight": 0.9}
    two_kinds.full_clean()
    two_kinds.save()
    assert found(reader, "impeller in:plant") == ["meaning", "word"]
    assert found(reader, "impeller") == ["word", "meaning"]
    assert found(reader, f"impeller in:plant in:{other.slug}") == ["word", "meaning"]


def test_the_settings_of_a_collection_that_the_reader_may_not_know_change_nothing(
    reader: User, two_kinds: Collection
) -> None:
    before = ask(reader, "impeller")
    a_collection("Hidden", a_user("director"))
    Collection.objects.filter(slug="hidden").update(ranking={"lexical_weight": 0})
    assert [hit.score for hit in ask(reader, "impeller").hits] == [hit.score for hit in before.hits]
    assert ask(reader, "impeller in:hidden").hits == ()


@pytest.mark.parametrize(
    ("ranking", "message"),
    [
        ({"lexcal_weight": 1}, "no ranking setting 'lexcal_weight'"),
        ({"lexical_weight": "much"}, "a number from 0 to 1000"),
        ({"method": "borda"}, "convex or rrf"),
        ([1], "JSON object"),
    ],
)
def test_settings_that_make_no_sense_are_refused_where_they_are_written(
    plant: Collection, ranking: object, message: str
) -> None:
    plant.ranking = ranking
    with pytest.raises(ValidationError, match=message):
        plant.full_clean()


def test_settings_that_were_written_past_the_forms_do_not_stop_a_search(
    reader: User, two_kinds: Collection, caplog: pytest.LogCaptureFixture
) -> None:
    Collection.objects.filter(pk=two_kinds.pk).update(ranking={"lexical_weight": -1})
    with caplog.at_level(logging.WARNING, logger="retrieval.search"):
        assert found(reader, "impeller in:plant") == ["word", "meaning"]
    assert "Plant make no sense" in caplog.text
