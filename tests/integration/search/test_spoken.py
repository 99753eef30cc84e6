"""What is shown beside spoken words? What is seen while they are spoken, found for all hits at once."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kb.models import Asset, AssetVersion, Collection, SegmentKind
from kb.permissions import visible_versions
from tests.integration.search.asking import ask
from tests.library import Passage, a_collection, a_user, an_asset

pytestmark = pytest.mark.django_db


def a_film(collection: Collection, title: str, word: str) -> Asset:
    """Shots from 0, 10 and 20 s on, the last without a picture; `word` is said at 12 s."""
    shots = [
        Passage(kind="shot", start_ms=start_ms, thumbnail_key=key)
        for start_ms, key in ((0, "pictures/1/0/a"), (10_000, "pictures/1/0/b"), (20_000, ""))
    ]
    return an_asset(
        collection,
        [*shots, Passage(word, kind="speech", start_ms=12_000)],
        title=title,
        uri=f"{title}.mp4",
        media_type="video/mp4",
    )


def thumbnail(asset: Asset, start_ms: int) -> str:
    shot = asset.segments.get(kind=SegmentKind.SHOT, start_ms=start_ms)
    return f"/api/segments/{shot.pk}/thumbnail"


def test_spoken_words_show_the_shot_they_are_spoken_over(reader: User, plant: Collection) -> None:
    films = [a_film(plant, f"film {number}", "impeller") for number in range(3)]
    late = an_asset(
        plant,
        [
            Passage(kind="shot", start_ms=5_000, thumbnail_key="pictures/2/0/a"),
            Passage("impeller", kind="speech", start_ms=1_000),
        ],
        title="late",
        uri="late.mp4",
        media_type="video/mp4",
    )
    shown = {hit.asset_id: hit.thumbnail_url for hit in ask(reader, "impeller").hits}
    # Before the first shot there is none; the video's first picture stands in.
    assert shown == {film.pk: thumbnail(film, 10_000) for film in films} | {late.pk: thumbnail(late, 5_000)}


def test_more_spoken_hits_need_no_more_statements(reader: User, plant: Collection) -> None:
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as sent:
            ask(reader, "impeller")
        return len(sent)

    a_film(plant, "first", "impeller")
    one = statements()
    for number in range(6):
        a_film(plant, f"film {number}", "impeller")
    assert statements() == one


def test_only_the_published_version_of_what_a_person_sees_is_visible(reader: User, plant: Collection) -> None:
    mine = an_asset(plant, ["pump"])
    AssetVersion.objects.create(
        asset=mine,
        number=2,
        sha256="0" * 64,
        media_type="text/plain",
        size_bytes=1,
        object_key="originals/00/0",
    )
    an_asset(a_collection("Theirs", a_user("other")), ["pump"])
    assert [(row.asset_id, row.number) for row in visible_versions(reader)] == [(mine.pk, 1)]
