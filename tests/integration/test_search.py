"""Does a search find what a person asks for, in the right order, and only inside what they asked?"""

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import translation
from PIL import Image

from kb.exceptions import QueryError
from kb.models import Asset, Collection, VectorSet
from kb.permissions import visible_audiences
from retrieval import planner, search, spaces, vectors
from retrieval.analysis import analyse
from retrieval.encoders.base import Vectors, unit_rows
from retrieval.reading import ReadLine
from retrieval.results import Hit, SearchResult
from retrieval.scope import Scope
from retrieval.search import MAX_PAGE_SIZE, SearchRequest
from retrieval.web import presentation
from tests.builders import encoded, scene
from tests.integration.ingest import DIMENSIONS, HashEncoder
from tests.library import Passage, a_collection, a_user, an_asset
from workers.vector_sets import ensure_vector_set

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def encoder(hash_encoder: HashEncoder) -> HashEncoder:
    return hash_encoder


@pytest.fixture(autouse=True)
def read_in_pictures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that are read in any query picture."""
    lines: list[str] = []

    def read_lines(image: Image.Image, *, max_side_px: int) -> tuple[ReadLine, ...]:
        return tuple(ReadLine(line, (0, 0, 1, 1)) for line in lines)

    monkeypatch.setattr("retrieval.picture.read_lines", read_lines)
    # Scenes of flat shapes have no letters that a look would find.
    monkeypatch.setattr("retrieval.picture.seems_written", lambda _image: True)
    return lines


@pytest.fixture
def reader() -> User:
    return a_user("reader")


@pytest.fixture
def plant(reader: User) -> Collection:
    return a_collection("Plant", reader)


def ask(user: User, words: str = "", **request: object) -> SearchResult:
    return search.search(user, SearchRequest(words, **request))  # type: ignore[arg-type]


def titles(result: SearchResult) -> list[str]:
    return [hit.title for hit in result.hits]


def found(user: User, words: str = "", **request: object) -> list[str]:
    return titles(ask(user, words, **request))


# Words.


def test_words_find_the_passage_with_its_page_heading_and_highlights(reader: User, plant: Collection) -> None:
    manual = an_asset(
        plant,
        [
            Passage("Read this first.", page=1),
            Passage("Drain the impeller housing.", page=7, heading_path=("Service", "Impeller")),
        ],
        title="Manual",
        uri="manual.pdf",
        media_type="application/pdf",
    )
    an_asset(plant, ["Lunch is at noon."], title="Menu")
    (hit,) = ask(reader, "impeller").hits
    assert (hit.asset_id, hit.title, hit.kind, hit.page) == (manual.pk, "Manual", "document", 7)
    assert hit.heading_path == ("Service", "Impeller")
    assert (hit.collection_name, hit.source_uri) == ("Plant", "manual.pdf")
    assert [part.text for part in hit.snippet if part.highlighted] == ["impeller"]
    assert hit.content_url == f"/api/assets/{manual.pk}/content"


def test_other_places_in_the_same_asset_follow_as_more(reader: User, plant: Collection) -> None:
    an_asset(plant, [Passage("seal seal seal", page=3), Passage("a seal", page=5), Passage("no", page=9)])
    (hit,) = ask(reader, "seal").hits
    assert hit.page == 3
    assert [page for _, page, _ in hit.more] == [5]


def test_a_title_a_heading_and_a_file_name_are_words_too(reader: User, plant: Collection) -> None:
    an_asset(plant, ["Text."], title="Travel policy", uri="a.txt")
    an_asset(plant, [Passage("Text.", heading_path=("Reimbursement",))], title="B", uri="b.txt")
    an_asset(plant, ["Text."], title="C", uri="wiring-diagram_v2.txt")
    assert found(reader, "travel") == ["Travel policy"]
    assert found(reader, "reimbursement") == ["B"]
    assert found(reader, "wiring diagram") == ["C"]


def test_a_lexical_score_is_the_share_of_what_the_word_could_attain(reader: User, plant: Collection) -> None:
    # Terms: the text's, the title's and the file name's. With k1 = 1.5, b = 0.5 and a pivot of 120 terms, and no
    # vector set, the score is tf / (tf + 1.5 (0.5 + 0.5 n / 120)); the idf is in both and falls out.
    an_asset(plant, ["pump"], title="x", uri="a1.txt")  # pump, x, a1
    an_asset(plant, ["pump pump pump"], title="y", uri="b1.txt")
    an_asset(plant, ["pump" + " filler" * 117], title="z", uri="c1.txt")  # 120 terms
    an_asset(plant, ["valve"], title="w", uri="d1.txt")
    result = ask(reader, "pump")

    def score(tf: int, terms: int) -> float:
        return tf / (tf + 1.5 * (0.5 + 0.5 * terms / 120))

    expected = {hit.title: hit.score for hit in result.hits}
    lengths = {"x": terms_of(plant, "a1.txt"), "y": terms_of(plant, "b1.txt"), "z": terms_of(plant, "c1.txt")}
    assert expected == pytest.approx(
        {"y": score(3, lengths["y"]), "x": score(1, lengths["x"]), "z": score(1, lengths["z"])}, rel=1e-4
    )
    assert titles(result) == ["y", "x", "z"]


def terms_of(collection: Collection, uri: str) -> int:
    asset = Asset.objects.get(collection=collection, source_uri=uri)
    text = asset.segments.get().text
    own = analyse(text)
    whole = dict.fromkeys(analyse(f"{asset.title}\n{uri.removesuffix('.txt')}"))
    return len(own) + len([term for term in whole if term not in own])


def test_rarer_words_count_more(reader: User, plant: Collection) -> None:
    for number in range(8):
        an_asset(plant, ["common words here"], title=f"common {number}")
    an_asset(plant, ["common gasket"], title="both")
    an_asset(plant, ["gasket other things"], title="rare only")
    assert found(reader, "common gasket")[:2] == ["both", "rare only"]


def test_words_and_meaning_together_decide(reader: User, plant: Collection, encoder: HashEncoder) -> None:
    space = ensure_vector_set(encoder.spec, "text")
    (query,) = encoder.encode_texts(["stop the pump"])
    halfway = unit_rows((query + orthogonal(query))[None])[0]
    an_asset(plant, [Passage("The flow ends.", vectors=((space, query),))], title="meaning")
    an_asset(plant, [Passage("The flow halves.", vectors=((space, halfway),))], title="half")
    an_asset(plant, [Passage("Nothing.", vectors=((space, orthogonal(query)),))], title="nothing")
    result = ask(reader, "stop the pump")
    # The cosines are 1, 1/√2 and 0; the weight of meaning is 0.4 of 1; what is near to nothing is no match.
    assert {hit.title: hit.score for hit in result.hits} == pytest.approx(
        {"meaning": 0.4, "half": 0.4 / 2**0.5}, abs=2e-3
    )
    assert [(item.channel, item.rank) for item in result.hits[0].channels] == [("text", 1)]


def orthogonal(row: np.ndarray) -> np.ndarray:
    other = np.roll(row, 1)
    return unit_rows((other - (other @ row) * row)[None])[0]


def test_chinese_words_find_chinese_text(reader: User, plant: Collection) -> None:
    an_asset(plant, ["水泵的密封件需要每年更换。"], title="维护")
    an_asset(plant, ["食堂中午十二点开饭。"], title="食堂")
    result = ask(reader, "更换密封件")
    assert titles(result) == ["维护"]
    assert "密封" in "".join(part.text for part in result.hits[0].snippet if part.highlighted)
    # Traditional characters find simplified ones.
    assert found(reader, "更換密封件") == ["维护"]
    assert found(reader, "“密封件需要”") == ["维护"]
    assert found(reader, "“密封需要”") == []


def test_a_word_longer_than_a_lexeme_is_found(reader: User, plant: Collection) -> None:
    word = "x" * 90
    an_asset(plant, [f"The checksum is {word}."], title="long")
    assert found(reader, word) == ["long"]


def test_nothing_found_is_an_empty_answer(reader: User, plant: Collection) -> None:
    an_asset(plant, ["pump"])
    result = ask(reader, "xylophone")
    assert (result.hits, result.total, result.total_is_capped, result.facets) == ((), 0, False, ())


# Phrases and exclusions.


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


# Filters.


@pytest.fixture
def mixed(reader: User, plant: Collection) -> Collection:
    """The word pump in assets that differ in all that can be filtered by."""
    office = a_collection("Head Office", reader)
    an_asset(plant, ["The pump is on."], title="text", uri="t.txt")
    an_asset(plant, ["The pump is in the pdf."], title="pdf", uri="p.pdf", media_type="application/pdf")
    an_asset(
        plant, [Passage(kind="image", ocr_text="pump")], title="png", uri="i.png", media_type="image/png"
    )
    an_asset(office, ["这台 pump 水泵在这里，我们每天检查它。"], title="chinese", uri="z.txt")
    Asset.objects.filter(title="text").update(updated_at=datetime(2025, 3, 31, 23, 59, tzinfo=UTC))
    Asset.objects.filter(title="pdf").update(updated_at=datetime(2025, 4, 1, tzinfo=UTC))
    Asset.objects.filter(title="png").update(updated_at=datetime(2025, 5, 1, tzinfo=UTC), language="")
    Asset.objects.filter(title="chinese").update(updated_at=datetime(2025, 6, 1, tzinfo=UTC))
    return office


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("kind:image", {"png"}),
        ("kind:document", {"text", "pdf", "chinese"}),
        ("kind:video", set()),
        ("kind:image,document", {"text", "pdf", "png", "chinese"}),
        ("in:plant", {"text", "pdf", "png"}),
        ("in:PLANT", {"text", "pdf", "png"}),
        ('in:"head office"', {"chinese"}),
        ("in:head-office in:plant", {"text", "pdf", "png", "chinese"}),
        ("lang:zh", {"chinese"}),
        ("lang:en", {"text", "pdf"}),
        ("type:pdf", {"pdf"}),
        ("type:png,txt", {"text", "png", "chinese"}),
        ("after:2025-04-01", {"pdf", "png", "chinese"}),
        ("before:2025-04-01", {"text"}),
        ("after:2025-04 before:2025-05", {"pdf"}),
        ("kind:document in:plant type:pdf", {"pdf"}),
        ("kind:image lang:zh", set()),
    ],
)
@pytest.mark.parametrize("words", ["pump", ""], ids=["words", "filters alone"])
def test_filters_narrow(
    reader: User, mixed: Collection, words: str, filters: str, expected: set[str]
) -> None:
    result = ask(reader, f"{words} {filters}")
    assert set(titles(result)) == expected
    assert (result.total, result.notices) == (len(expected), ())


def test_filters_alone_list_the_newest_first(reader: User, mixed: Collection) -> None:
    assert found(reader, "kind:document,image") == ["chinese", "png", "pdf", "text"]
    assert found(reader, "in:plant -pdf") == ["png", "text"]


def test_an_unknown_filter_value_is_a_notice_and_no_filter(reader: User, mixed: Collection) -> None:
    result = ask(reader, "pump kind:unicorn lang:klingonese before:yesterdayish type:xyz")
    assert result.total == 4
    assert len(result.notices) == 4
    assert any("unicorn" in notice for notice in result.notices)


def test_an_unknown_collection_is_a_notice_and_finds_nothing(reader: User, mixed: Collection) -> None:
    a_collection("Board", a_user("director"))
    for name in ("Atlantis", "Board"):
        result = ask(reader, f"pump in:{name}")
        assert (result.hits, result.total) == ((), 0)
        # Whether it exists and is hidden, or does not exist, cannot be told apart.
        assert result.notices == (f"There is no collection “{name}” that you can see.",)
    one_of_two = ask(reader, "pump in:Atlantis in:head-office")
    assert (titles(one_of_two), len(one_of_two.notices)) == (["chinese"], 1)


def test_the_answer_says_what_was_understood_and_counts_by_facet(reader: User, mixed: Collection) -> None:
    result = ask(reader, "pump after:2025-04-01")
    assert result.understood["after"] == date(2025, 4, 1)
    assert {(facet.field, facet.value, facet.count) for facet in result.facets} == {
        ("kind", "document", 2),
        ("kind", "image", 1),
        ("collection", "plant", 2),
        ("collection", "head-office", 1),
        ("language", "en", 1),
        ("language", "zh", 1),
    }


# Pages.


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


# What cannot be asked.


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


# Pictures.


@pytest.fixture
def looks() -> VectorSet:
    return ensure_vector_set(spaces.lookalike_encoder().spec, "lookalike")


def look(image: Image.Image) -> np.ndarray:
    return spaces.lookalike_encoder().encode_images([image])[0]


def a_picture(
    collection: Collection, looks: VectorSet, seed: int, *, words: str = "", title: str = ""
) -> Asset:
    """An image asset of scene `seed`, at scenes/`seed`.png."""
    passage = Passage(kind="image", ocr_text=words, vectors=((looks, look(scene(seed))),))
    uri = f"scenes/{seed}.png"
    return an_asset(collection, [passage], title=title or f"scene {seed}", uri=uri, media_type="image/png")


def thumbnail_of(seed: int) -> bytes:
    return encoded(scene(seed).resize((160, 120)), "JPEG", quality=85)


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


# Figures that link to pictures of the same collection.


def a_document_showing(collection: Collection, uri: str, words: str, **options: object) -> Asset:
    figure = Passage(words, kind="figure", picture_uri=uri)
    return an_asset(collection, ["Introduction.", figure], title="document", **options)  # type: ignore[arg-type]


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


# Vectors.


def random_rows(count: int, seed: int) -> Vectors:
    return unit_rows(np.random.default_rng(seed).normal(size=(count, DIMENSIONS)))


def fill(collection: Collection, space: VectorSet, rows: Vectors, **options: object) -> list[int]:
    """One asset with a segment a row; the segments' ids."""
    passages = [Passage(f"row {number}", vectors=((space, row),)) for number, row in enumerate(rows)]
    asset = an_asset(collection, passages, **options)  # type: ignore[arg-type]
    return list(asset.segments.order_by("ordinal").values_list("pk", flat=True))


def naive(query: np.ndarray, ids: Sequence[int], rows: Vectors, limit: int) -> list[tuple[int, float]]:
    """As the database stores them, in halves, but ranked by numpy."""
    stored, asked = (np.asarray(value, np.float16).astype(np.float64) for value in (rows, query))
    cosines = stored @ asked / np.linalg.norm(stored, axis=1) / np.linalg.norm(asked)
    ranked = sorted(zip(ids, cosines, strict=True), key=lambda item: (-item[1], item[0]))
    return [(pk, float(cosine)) for pk, cosine in ranked[:limit]]


@pytest.fixture
def crowd(encoder: HashEncoder) -> tuple[VectorSet, dict[str, User], dict[str, tuple[list[int], Vectors]]]:
    """Three collections and an asset with readers of its own, 60 vectors each."""
    space = ensure_vector_set(encoder.spec, "text")
    users = {name: a_user(name) for name in ("one", "two", "all", "none")}
    content = {}
    for seed, (name, readers) in enumerate(
        {"A": ("one", "all"), "B": ("two", "all"), "C": ("all",)}.items(), start=1
    ):
        rows = random_rows(60, seed)
        collection = a_collection(name, *(users[reader] for reader in readers))
        content[name] = (fill(collection, space, rows), rows)
    rows = random_rows(60, 9)
    own = fill(Collection.objects.get(name="C"), space, rows, readers=[users["one"], users["two"]])
    content["own"] = (own, rows)
    return space, users, content


SEES = {"one": ("A", "own"), "two": ("B", "own"), "all": ("A", "B", "C"), "none": ()}


@pytest.mark.parametrize("name", SEES)
@pytest.mark.parametrize("limit", [1, 10, 200])
def test_the_exact_plan_is_a_naive_ranking_of_what_the_person_sees(
    name: str, limit: int, crowd: tuple[VectorSet, dict[str, User], dict[str, tuple[list[int], Vectors]]]
) -> None:
    space, users, content = crowd
    seen_ids = [pk for part in SEES[name] for pk in content[part][0]]
    seen_rows = np.concatenate([np.zeros((0, DIMENSIONS)), *(content[part][1] for part in SEES[name])])
    for query in random_rows(5, 77):
        answer = vectors.find("text", space, query, Scope(visible_audiences(users[name])), limit)
        expected = naive(query, seen_ids, seen_rows, limit)
        assert [item.segment_id for item in answer.items] == [pk for pk, _ in expected]
        assert [item.score for item in answer.items] == pytest.approx(
            [cosine for _, cosine in expected], abs=1e-3
        )
        assert answer.is_capped == (len(expected) == limit)


@pytest.fixture
def through_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small sets go through HNSW, too, and PostgreSQL may not prefer to sort them."""
    monkeypatch.setattr(planner, "EXACT_SEGMENTS", -1)
    monkeypatch.setattr(planner, "INDEX_SHARE", 0.0)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")


@pytest.mark.parametrize("name", ["one", "two", "all"])
def test_the_index_finds_the_same_ten_on_a_small_set(
    name: str,
    crowd: tuple[VectorSet, dict[str, User], dict[str, tuple[list[int], Vectors]]],
    through_the_index: None,
) -> None:
    space, users, content = crowd
    seen_ids = [pk for part in SEES[name] for pk in content[part][0]]
    seen_rows = np.concatenate([content[part][1] for part in SEES[name]])
    for query in random_rows(5, 78):
        answer = vectors.find("text", space, query, Scope(visible_audiences(users[name])), 10)
        assert [item.segment_id for item in answer.items] == [
            pk for pk, _ in naive(query, seen_ids, seen_rows, 10)
        ]


def test_the_index_never_gives_fewer_than_there_are(encoder: HashEncoder, through_the_index: None) -> None:
    """The worst case: all that is near is hidden, what may be seen is far, and the scan gives up early."""
    space = ensure_vector_set(encoder.spec, "text")
    reader, other = a_user("reader"), a_user("other")
    query = np.eye(DIMENSIONS)[0]
    near = unit_rows(query + 0.1 * random_rows(600, 5))
    far = unit_rows(-query + 0.1 * random_rows(15, 6))
    fill(a_collection("Theirs", other), space, near)
    mine = fill(a_collection("Mine", reader), space, far)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL hnsw.max_scan_tuples = 1")
    answer = vectors.find("text", space, query, Scope(visible_audiences(reader)), 10)
    assert [item.segment_id for item in answer.items] == [pk for pk, _ in naive(query, mine, far, 10)]


def test_equally_near_vectors_are_in_the_order_of_their_segments(
    reader: User, plant: Collection, encoder: HashEncoder
) -> None:
    space = ensure_vector_set(encoder.spec, "text")
    row = random_rows(1, 1)[0]
    ids = fill(plant, space, np.stack([row] * 30))
    answer = vectors.find("text", space, row, Scope(visible_audiences(reader)), 10)
    assert [item.segment_id for item in answer.items] == ids[:10]


# The answer as a whole.


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
    }


def test_pictures_in_every_mode_can_be_asked_with(reader: User, plant: Collection, looks: VectorSet) -> None:
    a_picture(plant, looks, 1)
    for mode in ("L", "LA", "P", "RGBA", "CMYK"):
        stream = io.BytesIO()
        scene(1).convert(mode).save(stream, "TIFF" if mode == "CMYK" else "PNG")
        assert found(reader, picture=stream.getvalue()) == ["scene 1"], mode


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
