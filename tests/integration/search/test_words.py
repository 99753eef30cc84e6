"""Do words find what a person asks for, in the right order?"""

import numpy as np
import pytest
from django.contrib.auth.models import User

from kb.models import Asset, Collection
from retrieval.analysis import analyse
from retrieval.encoders.base import unit_rows
from tests.integration.ingest import HashEncoder
from tests.integration.search.asking import ask, found, titles
from tests.library import Passage, an_asset
from workers.vector_sets import ensure_vector_set

pytestmark = pytest.mark.django_db


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
