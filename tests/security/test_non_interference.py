"""Does anything that a person may not see change anything of what they do see?

Every answer is compared whole: hits, scores, ranks, snippets, totals, facets, notices; only the clock is left out.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from PIL import Image

from kb.library import delete_asset
from kb.models import Asset, AudienceMember, Collection, VectorSet
from kb.permissions import AnyUser, Principal, grant, revoke
from retrieval import search, spaces
from retrieval.reading import ReadLine
from retrieval.results import SearchResult
from retrieval.search import SearchRequest
from tests.builders import encoded, scene
from tests.integration.ingest import HashEncoder
from tests.library import Passage, a_collection, a_user, an_asset
from workers.vector_sets import ensure_vector_set

pytestmark = [pytest.mark.django_db, pytest.mark.security]

WORDS = ["pump", "valve", "seal", "motor", "leak", "shaft", "gasket", "水泵", "密封", "E42"]


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch) -> HashEncoder:
    encoder = HashEncoder()
    monkeypatch.setattr(spaces, "text_encoder", lambda: encoder)
    monkeypatch.setattr(spaces, "image_encoder", lambda: None)

    def read_lines(image: Image.Image, *, max_side_px: int) -> tuple[ReadLine, ...]:
        return (ReadLine("E42 pump", (0, 0, 1, 1)),)

    monkeypatch.setattr("retrieval.picture.read_lines", read_lines)
    return encoder


@dataclass(frozen=True)
class Spaces:
    encoder: HashEncoder
    text: VectorSet
    looks: VectorSet

    def passage(self, words: str, **fields: object) -> Passage:
        row = self.encoder.encode_texts([words])[0]
        return Passage(words, vectors=((self.text, row),), **fields)  # type: ignore[arg-type]

    def picture(self, seed: int, words: str) -> Passage:
        row: np.ndarray = spaces.lookalike_encoder().encode_images([scene(seed)])[0]
        return Passage(kind="image", ocr_text=words, vectors=((self.looks, row),))


@pytest.fixture
def made(encoder: HashEncoder) -> Spaces:
    look = spaces.lookalike_encoder().spec
    return Spaces(encoder, ensure_vector_set(encoder.spec, "text"), ensure_vector_set(look, "lookalike"))


def some_words(chosen: random.Random) -> str:
    return " ".join(chosen.choices(WORDS, k=chosen.randint(2, 12)))


def fill(collection: Collection, made: Spaces, chosen: random.Random, **options: object) -> list[Asset]:
    """Documents with figures that link to pictures, and those pictures, always at the same places."""
    assets = []
    for number in range(6):
        passages = [made.passage(some_words(chosen), page=page) for page in (1, 2)]
        passages.append(made.passage(some_words(chosen), kind="figure", picture_uri=f"pictures/{number}.png"))
        title = f"{chosen.choice(WORDS)} {number}"
        assets.append(an_asset(collection, passages, title=title, **options))  # type: ignore[arg-type]
    return assets


def fill_pictures(
    collection: Collection, made: Spaces, chosen: random.Random, folder: str, **options: object
) -> list[Asset]:
    return [
        an_asset(
            collection,
            [made.picture(number, some_words(chosen))],
            title=f"{chosen.choice(WORDS)} picture",
            uri=f"{folder}/{number}.png",
            media_type="image/png",
            **options,  # type: ignore[arg-type]
        )
        for number in range(4)
    ]


@dataclass(frozen=True)
class Library:
    reader: User
    other: User
    mine: Collection
    theirs: Collection


@pytest.fixture
def library() -> Library:
    reader, other = a_user("reader"), a_user("other")
    return Library(reader, other, a_collection("Mine", reader), a_collection("Theirs", other))


def show(library: Library, made: Spaces, seed: int) -> None:
    """What the reader sees. Two of the pictures that the figures link to are there, the others are not."""
    chosen = random.Random(seed)
    fill(library.mine, made, chosen)
    fill_pictures(library.mine, made, chosen, "pictures" if seed % 2 else "elsewhere")


def hide(library: Library, made: Spaces, seed: int) -> list[Asset]:
    """What the reader does not see: the same words, pictures and places, next door and in their own collection."""
    chosen = random.Random(seed + 1000)
    hidden = fill(library.theirs, made, chosen)
    hidden += fill_pictures(library.theirs, made, chosen, "pictures")
    hidden += fill(library.mine, made, chosen, readers=[library.other])
    # Where the reader's documents link to: only what is really there may not be taken.
    folder = "elsewhere" if seed % 2 else "pictures"
    hidden += fill_pictures(library.mine, made, chosen, folder, readers=[library.other])
    for number in range(3):
        # Uploaded, extracted and encoded, but not published.
        passages = [made.passage(some_words(chosen)), made.picture(number, some_words(chosen))]
        hidden.append(an_asset(library.mine, passages, title="pump", published=False))
    return hidden


def _cut(seed: int) -> bytes:
    return encoded(scene(seed).resize((160, 120)), "JPEG", quality=85)


REQUESTS: dict[str, SearchRequest] = {
    "a word": SearchRequest("pump"),
    "words": SearchRequest("pump seal leak gasket"),
    "Chinese words": SearchRequest("水泵 密封"),
    "a phrase": SearchRequest('"pump seal"'),
    "an excluded word": SearchRequest("pump -gasket"),
    "an excluded phrase": SearchRequest('seal -"pump valve"'),
    "words and filters": SearchRequest("pump kind:document in:mine lang:en,zh"),
    "filters": SearchRequest("kind:image,document"),
    "a hidden collection": SearchRequest("pump in:theirs"),
    "the second page": SearchRequest("pump valve", page=2, page_size=3),
    "a known picture": SearchRequest(picture=_cut(2)),
    "an unknown picture": SearchRequest(picture=_cut(77)),
    "words and a picture": SearchRequest("seal", picture=_cut(1)),
    "a picture and a filter": SearchRequest("kind:image", picture=_cut(1)),
    "a picture above all": SearchRequest("motor", picture=_cut(3), text_weight=0.1),
}


def answers(user: AnyUser) -> dict[str, SearchResult]:
    return {name: replace(search.search(user, request), timings_ms={}) for name, request in REQUESTS.items()}


def assert_same(one: dict[str, SearchResult], other: dict[str, SearchResult]) -> None:
    for name in REQUESTS:
        assert one[name] == other[name], name


@pytest.mark.parametrize("seed", range(3))
def test_what_is_hidden_changes_nothing_when_it_comes(library: Library, made: Spaces, seed: int) -> None:
    show(library, made, seed)
    before = answers(library.reader)
    assert sum(result.total for result in before.values()) > 30
    assert len(hide(library, made, seed)) > 20
    assert_same(answers(library.reader), before)


@pytest.mark.parametrize("seed", range(4, 5))
def test_what_is_hidden_changes_nothing_when_it_goes(library: Library, made: Spaces, seed: int) -> None:
    hidden = hide(library, made, seed)
    show(library, made, seed)
    before = answers(library.reader)
    for asset in hidden:
        delete_asset(asset)
    assert_same(answers(library.reader), before)


@pytest.mark.parametrize("seed", [6])
def test_everyone_who_sees_nothing_gets_the_answers_of_an_empty_library(
    library: Library, made: Spaces, seed: int
) -> None:
    empty = answers(library.reader)
    show(library, made, seed)
    hide(library, made, seed)
    nobodies: list[AnyUser] = [
        a_user("without grants"),
        User.objects.create_superuser("root", password="a password of tests"),
        AnonymousUser(),
    ]
    inactive = a_user("inactive")
    grant(library.mine, Principal(user=inactive), 1)
    inactive.is_active = False
    inactive.save()
    for nobody in (*nobodies, inactive):
        found = answers(nobody)
        assert all(result.hits == () and result.total == 0 for result in found.values())
        # But for what they may know of collections: the reader's own is unknown to them.
        for name in REQUESTS.keys() - {"words and filters"}:
            assert found[name] == empty[name], name


def test_nothing_unpublished_is_found(library: Library, made: Spaces) -> None:
    chosen = random.Random(1)
    for _ in range(3):
        passages = [made.passage("pump seal"), made.picture(2, some_words(chosen))]
        an_asset(library.mine, passages, title="pump", published=False)
    assert all(result.total == 0 for result in answers(library.reader).values())


def by_user(library: Library) -> Callable[[], None]:
    """Takes the reader's grant away."""
    member = AudienceMember.objects.get(audience=library.mine.audience, user=library.reader)
    return lambda: assert_true(revoke(library.mine, member.pk))


def by_group(library: Library) -> Callable[[], None]:
    """The same by a group that the reader then leaves."""
    by_user(library)()
    group = Group.objects.create(name="readers")
    library.reader.groups.add(group)
    grant(library.mine, Principal(group=group), 1)
    return lambda: library.reader.groups.remove(group)


def assert_true(value: bool) -> None:
    assert value


@pytest.mark.parametrize("way", [by_user, by_group])
def test_a_grant_that_is_taken_away_counts_at_once(
    way: Callable[[Library], Callable[[], None]], library: Library, made: Spaces
) -> None:
    empty = {name: result.total for name, result in answers(library.reader).items()}
    assert set(empty.values()) == {0}
    show(library, made, 7)
    take_away = way(library)
    assert sum(result.total for result in answers(library.reader).values()) > 30
    # Twice, so that every cache is warm.
    answers(library.reader)
    take_away()
    for result in answers(library.reader).values():
        assert (result.hits, result.total, result.facets) == ((), 0, ())


def test_a_grant_that_is_given_counts_at_once(library: Library, made: Spaces) -> None:
    hide(library, made, 8)
    assert search.search(library.reader, SearchRequest("pump")).total == 0
    grant(library.theirs, Principal(user=library.reader), 1)
    assert search.search(library.reader, SearchRequest("pump")).total > 0


def test_a_reader_of_one_asset_learns_nothing_of_its_collection(library: Library, made: Spaces) -> None:
    an_asset(library.theirs, [made.passage("pump pump")], title="shared", readers=[library.reader])
    alone = answers(library.reader)
    assert alone["a word"].total == 1
    (hit,) = alone["a word"].hits
    assert hit.collection_name == ""
    assert [facet for facet in alone["a word"].facets if facet.field == "collection"] == []
    assert alone["a hidden collection"].total == 0
    fill(library.theirs, made, random.Random(9))
    assert_same(answers(library.reader), alone)
