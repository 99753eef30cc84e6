"""Does a figure count for the picture of the same collection that it links to, and for no hidden one?"""

import pytest
from django.contrib.auth.models import User

from kb.models import Collection, VectorSet
from tests.builders import scene
from tests.integration.search.asking import (
    a_document_showing,
    a_picture,
    ask,
    found,
    look,
    thumbnail_of,
    titles,
)
from tests.library import Passage, a_collection, a_user, an_asset

pytestmark = pytest.mark.django_db


def test_a_figure_counts_for_the_picture_that_it_links_to(
    reader: User, plant: Collection, looks: VectorSet
) -> None:
    picture = a_picture(plant, looks, 1, title="picture")
    document = a_document_showing(plant, "scenes/1.png", "exploded view of the gearbox")
    (hit,) = ask(reader, "gearbox").hits
    assert (hit.asset_id, hit.kind) == (picture.pk, "image")
    # A page or box of the document is no place in the picture.
    assert (hit.page, hit.box) == (None, None)
    assert found(reader, "introduction") == [document.title]


def test_a_link_into_another_collection_or_to_nothing_counts_for_the_document(
    reader: User, plant: Collection, looks: VectorSet
) -> None:
    a_picture(a_collection("Other", reader), looks, 1)
    a_document_showing(plant, "scenes/1.png", "exploded view of the gearbox")
    assert found(reader, "gearbox") == ["document"]


def test_a_linked_picture_that_the_reader_may_not_see_is_not_revealed(
    reader: User, plant: Collection, looks: VectorSet
) -> None:
    director = a_user("director")
    passage = Passage(kind="image", vectors=((looks, look(scene(1))),))
    an_asset(plant, [passage], title="secret", uri="scenes/1.png", media_type="image/png", readers=[director])
    a_document_showing(plant, "scenes/1.png", "exploded view of the gearbox")
    result = ask(reader, "gearbox")
    assert titles(result) == ["document"]
    assert "scenes/1.png" not in repr(result)
    assert "secret" not in repr(result)
    assert found(reader, picture=thumbnail_of(1)) == []
    # The director sees the picture, but is not in the collection, so has no document to be led by.
    assert found(director, "gearbox") == []
    assert found(director, picture=thumbnail_of(1)) == ["secret"]


def test_a_linked_picture_that_is_not_searchable_yet_stays_hidden(reader: User, plant: Collection) -> None:
    an_asset(plant, [Passage(kind="image")], uri="scenes/1.png", media_type="image/png", published=False)
    a_document_showing(plant, "scenes/1.png", "exploded view of the gearbox")
    assert found(reader, "gearbox") == ["document"]


def test_a_filter_holds_for_the_picture_that_a_figure_counts_for(
    reader: User, plant: Collection, looks: VectorSet
) -> None:
    a_picture(plant, looks, 1, title="picture", words="obsolete")
    a_document_showing(plant, "scenes/1.png", "exploded view of the gearbox")
    assert found(reader, "gearbox") == ["picture"]
    assert found(reader, "gearbox kind:document") == ["document"]
    assert found(reader, "gearbox type:txt") == ["document"]
    assert found(reader, "gearbox -obsolete") == ["document"]


def test_a_document_that_begins_with_a_linked_figure_is_listed_itself(
    reader: User, plant: Collection, looks: VectorSet
) -> None:
    a_picture(plant, looks, 1, title="picture")
    an_asset(plant, [Passage("View.", kind="figure", picture_uri="scenes/1.png"), "Text."], title="document")
    assert found(reader, "in:plant") == ["document", "picture"]
