"""Does a picture find the passages that say what it shows, and none that its owner may not read?"""

from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from PIL import Image

from kb.models import Collection, VectorSet
from retrieval import channels, spaces
from retrieval.encoders.base import Vectors, unit_rows
from retrieval.encoders.compact_image import CompactEncoder
from tests import compact_encoder
from tests.builders import encoded
from tests.integration.ingest import DIMENSIONS, HashEncoder
from tests.integration.search.asking import ask, found
from tests.library import Passage, a_collection, a_user, an_asset
from workers.vector_sets import ensure_vector_set

pytestmark = pytest.mark.django_db

COLOURS = np.eye(3, DIMENSIONS, dtype=np.float32)
RED, LIME, BLUE = (unit_rows(row[None])[0] for row in COLOURS)


def swapping_head() -> dict[str, Vectors]:
    """Moves words of red to where green pictures lie, and the other way round: no text is near its own pictures."""
    head = compact_encoder.silent_head(DIMENSIONS, hidden=2)
    head["w1"][0, 0] = head["w1"][1, 1] = 20.0
    # gelu(20) is 20, and 20 x 0.1 is 2.
    head["w2"][0, 0] = head["w2"][1, 1] = -0.1
    head["w2"][1, 0] = head["w2"][0, 1] = 0.1
    return head


@pytest.fixture
def passages(encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> VectorSet:
    source = compact_encoder.source(
        tmp_path, colours=COLOURS, head=swapping_head(), text_space=encoder.spec.name
    )
    compact = CompactEncoder(source, encoder)
    monkeypatch.setattr(spaces, "image_encoder", lambda: compact)
    return ensure_vector_set(encoder.spec, "text")


def about(collection: Collection, passages: VectorSet, title: str, row: Vectors) -> None:
    an_asset(collection, [Passage(f"{title}.", vectors=((passages, row),))], title=title)


def a_square(colour: str) -> bytes:
    return encoded(Image.new("RGB", (40, 30), colour))


def test_a_picture_finds_what_says_what_it_shows(
    reader: User, plant: Collection, passages: VectorSet
) -> None:
    for title, row in (("red", RED), ("green", LIME), ("blue", BLUE)):
        about(plant, passages, title, row)
    # Through the head, which swaps red and green.
    result = ask(reader, picture=a_square("lime"))
    assert [hit.title for hit in result.hits] == ["red"]
    assert [item.channel for item in result.hits[0].channels] == [channels.DESCRIBED]
    assert found(reader, picture=a_square("blue")) == ["blue"]


def test_what_one_may_not_read_is_not_found(reader: User, plant: Collection, passages: VectorSet) -> None:
    about(a_collection("Board", a_user("director")), passages, "secret blue", BLUE)
    about(plant, passages, "red", RED)
    assert found(reader, picture=a_square("blue")) == []


def test_passages_are_told_apart_by_words_that_come_with_the_picture(
    reader: User, plant: Collection, passages: VectorSet
) -> None:
    about(plant, passages, "pump", BLUE)
    about(plant, passages, "valve", BLUE)
    assert found(reader, "valve", picture=a_square("blue"))[0] == "valve"
    assert found(reader, "pump", picture=a_square("blue"))[0] == "pump"


def test_encoders_without_a_space_in_common_find_no_passages(reader: User, plant: Collection) -> None:
    an_asset(plant, ["blue"], title="blue")
    assert spaces.passage_head() is None
    assert found(reader, picture=a_square("blue")) == []


def test_what_adds_nothing_is_no_reason(reader: User, plant: Collection, passages: VectorSet) -> None:
    # The words find it. Its passage is not what the picture shows.
    about(plant, passages, "valve", RED)
    (hit,) = ask(reader, "valve", picture=a_square("blue")).hits
    assert channels.DESCRIBED not in {item.channel for item in hit.channels}
    assert "lexical" in {item.channel for item in hit.channels}
