"""Does a picture find itself, what speaks of it, and together with words the right thing?"""

import io

import pytest
from django.contrib.auth.models import User

from kb.models import Collection, VectorSet
from retrieval import search
from retrieval.search import SearchRequest
from tests.builders import encoded, scene
from tests.integration.search.asking import (
    a_picture,
    ask,
    found,
    look,
    thumbnail_of,
    titles,
)
from tests.library import Passage, a_collection, an_asset

pytestmark = pytest.mark.django_db


def test_a_picture_finds_itself_and_no_other(reader: User, plant: Collection, looks: VectorSet) -> None:
    for seed in range(12):
        a_picture(plant, looks, seed)
    result = ask(reader, picture=thumbnail_of(5))
    assert titles(result) == ["scene 5"]
    assert [item.channel for item in result.hits[0].channels] == ["lookalike"]


def test_a_known_picture_finds_what_speaks_of_its_words(
    reader: User, plant: Collection, looks: VectorSet, read_in_pictures: list[str]
) -> None:
    an_asset(plant, ["Alarm E42: the seal is dry."], title="alarms")
    a_picture(plant, looks, 1, words="E42", title="panel")
    # What ingest read counts; nobody reads the picture again.
    read_in_pictures.append("nonsense")
    assert found(reader, picture=encoded(scene(1))) == ["panel", "alarms"]


def test_an_unknown_picture_is_read(
    reader: User, plant: Collection, looks: VectorSet, read_in_pictures: list[str]
) -> None:
    an_asset(plant, ["Alarm E42: the seal is dry."], title="alarms")
    a_picture(plant, looks, 1, title="another picture")
    read_in_pictures.append("E42")
    result = ask(reader, picture=encoded(scene(99)))
    assert titles(result) == ["alarms"]
    assert [item.channel for item in result.hits[0].channels] == ["read"]


def test_words_and_picture_are_weighed(reader: User, plant: Collection, looks: VectorSet) -> None:
    a_picture(plant, looks, 1, title="picture")
    an_asset(plant, ["wiring wiring wiring"], title="wiring plan")
    for weight, first in ((0.0, "picture"), (0.1, "picture"), (0.9, "wiring plan"), (1.0, "wiring plan")):
        assert found(reader, "wiring", picture=thumbnail_of(1), text_weight=weight)[0] == first
    assert found(reader, "wiring", picture=thumbnail_of(1), text_weight=0.0) == ["picture"]
    assert found(reader, "wiring", picture=thumbnail_of(1), text_weight=1.0) == ["wiring plan"]
    assert sorted(found(reader, "wiring", picture=thumbnail_of(1))) == ["picture", "wiring plan"]


def test_an_asset_that_has_both_beats_those_that_have_one(
    reader: User, plant: Collection, looks: VectorSet
) -> None:
    a_picture(plant, looks, 1, title="looks alike")
    an_asset(
        plant,
        [Passage("wiring", kind="image", vectors=((looks, look(scene(1))),))],
        title="both",
        media_type="image/png",
    )
    an_asset(plant, ["wiring"], title="words")
    assert found(reader, "wiring", picture=thumbnail_of(1))[0] == "both"


def test_filters_and_phrases_narrow_a_picture_search(
    reader: User, plant: Collection, looks: VectorSet
) -> None:
    a_picture(plant, looks, 1, words="north pump station")
    other = a_collection("Other", reader)
    a_picture(other, looks, 1, words="south pump station")
    assert found(reader, "in:other", picture=thumbnail_of(1)) == ["scene 1"]
    assert [hit.collection_name for hit in ask(reader, "in:other", picture=thumbnail_of(1)).hits] == ["Other"]
    exact = ask(reader, '"north pump"', picture=thumbnail_of(1))
    assert [hit.collection_name for hit in exact.hits] == ["Plant"]
    assert found(reader, "kind:document", picture=thumbnail_of(1)) == []


def test_pictures_in_every_mode_can_be_asked_with(reader: User, plant: Collection, looks: VectorSet) -> None:
    a_picture(plant, looks, 1)
    for mode in ("L", "LA", "P", "RGBA", "CMYK"):
        stream = io.BytesIO()
        scene(1).convert(mode).save(stream, "TIFF" if mode == "CMYK" else "PNG")
        assert found(reader, picture=stream.getvalue()) == ["scene 1"], mode


def test_evaluation_can_leave_out_what_only_pixels_tell(
    reader: User, plant: Collection, looks: VectorSet, read_in_pictures: list[str]
) -> None:
    alarms = an_asset(plant, ["Alarm E42: the seal is dry."], title="alarms")
    picture = a_picture(plant, looks, 1, title="picture")
    read_in_pictures.append("E42")
    lists = search.ranked_assets(reader, SearchRequest(picture=encoded(scene(1))), 10)
    assert lists["lookalike"] == [picture.pk]
    # The picture is known, so what ingest read in it counts: nothing.
    assert lists["without_pixels"] == []
    lists = search.ranked_assets(reader, SearchRequest(picture=encoded(scene(99))), 10)
    assert lists["without_pixels"] == lists["read"] == [alarms.pk]
