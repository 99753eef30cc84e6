"""Do filters narrow, and do they say what they did not know?"""

from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import User

from kb.models import Asset, Collection
from tests.integration.search.asking import (
    ask,
    found,
    titles,
)
from tests.library import Passage, a_collection, a_user, an_asset

pytestmark = pytest.mark.django_db


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
