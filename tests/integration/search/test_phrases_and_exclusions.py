"""Does a phrase stand word by word, and does an exclusion take out?"""

import pytest
from django.contrib.auth.models import User

from kb.exceptions import QueryError
from kb.models import Collection
from tests.integration.search.asking import (
    ask,
    found,
)
from tests.library import Passage, a_collection, a_user, an_asset

pytestmark = pytest.mark.django_db


def test_a_phrase_stands_word_by_word(reader: User, plant: Collection) -> None:
    an_asset(plant, ["the mechanical seal leaks"], title="phrase")
    an_asset(plant, ["a seal that is mechanical"], title="words")
    assert found(reader, '"mechanical seal"') == ["phrase"]
    assert set(found(reader, "mechanical seal")) == {"phrase", "words"}
    assert found(reader, '"mechanical seal" "leaks the"') == []


def test_a_phrase_may_stand_in_the_title_the_heading_or_the_file_name(
    reader: User, plant: Collection
) -> None:
    an_asset(plant, ["Text."], title="Mechanical seal", uri="a.txt")
    an_asset(plant, [Passage("Text.", heading_path=("The mechanical seal",))], title="B", uri="b.txt")
    an_asset(plant, ["Text."], title="C", uri="plans/mechanical-seal_v2.txt")
    # Each by itself: no phrase goes from the end of the heading to the beginning of the text.
    an_asset(plant, [Passage("Seal it.", heading_path=("Mechanical",))], title="D", uri="d.txt")
    assert sorted(found(reader, '"mechanical seal"')) == ["B", "C", "Mechanical seal"]


def test_an_excluded_word_takes_out_the_whole_asset(reader: User, plant: Collection) -> None:
    an_asset(plant, ["pump one", "obsolete"], title="old")
    an_asset(plant, ["pump two"], title="new")
    assert found(reader, "pump -obsolete") == ["new"]
    # As the index has it: the plural goes too.
    assert found(reader, "one -pumps") == []
    assert sorted(found(reader, "pump -xylophone")) == ["new", "old"]


def test_an_excluded_phrase_takes_out_only_where_it_stands(reader: User, plant: Collection) -> None:
    an_asset(plant, ["pump with mechanical seal"], title="phrase")
    an_asset(plant, ["pump whose seal is mechanical"], title="words")
    assert found(reader, 'pump -"mechanical seal"') == ["words"]


def test_what_somebody_else_excludes_by_is_no_reason(reader: User, plant: Collection) -> None:
    other = a_user("other")
    an_asset(plant, ["pump"], title="mine")
    an_asset(a_collection("Theirs", other), ["obsolete"], title="theirs")
    assert found(reader, "pump -obsolete") == ["mine"]


def test_nothing_but_exclusions_is_no_question(reader: User) -> None:
    with pytest.raises(QueryError, match="Nothing but exclusions: add a word or a filter"):
        ask(reader, "-pump")
