"""Do the viewer and the list of collections show a person all that they may see, and nothing else?"""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from kb.models import Role, SegmentKind
from kb.permissions import Principal, interned_audience
from kb.web.highlight import parts, pattern
from tests.integration.web_library import asset, collection, person, segment


@pytest.fixture
def reader(db: None) -> User:
    return person("reader")


@pytest.fixture
def browser(reader: User, client: Client) -> Client:
    client.force_login(reader)
    return client


def shown(browser: Client, address: str, **headers: str) -> str:
    response = browser.get(address, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def without_token(page: bytes) -> str:
    """The page, less the form tokens, which differ each time."""
    return "".join(
        part.split('">', 1)[-1] for part in page.decode().split('name="csrfmiddlewaretoken" value="')
    )


def test_a_hidden_asset_answers_as_a_missing_one_does(browser: Client, reader: User) -> None:
    hidden = asset(collection("board"), "Secret plan")
    segment(hidden, SegmentKind.TEXT, text="secret words")
    missing = browser.get("/assets/999999/")
    response = browser.get(f"/assets/{hidden.pk}/")
    assert missing.status_code == response.status_code == 404
    assert b"Secret" not in response.content
    assert without_token(response.content).replace(f"/{hidden.pk}/", "/999999/") == without_token(
        missing.content
    )


def test_a_superuser_without_a_grant_sees_nothing(client: Client, db: None) -> None:
    root = User.objects.create_superuser("root")
    client.force_login(root)
    hidden = asset(collection("board"), "Secret plan")
    assert client.get(f"/assets/{hidden.pk}/").status_code == 404
    assert client.get("/collections/board/").status_code == 404
    assert "Board" not in shown(client, "/collections/")


def test_whoever_may_read_one_asset_only_does_not_learn_its_collections_name(
    browser: Client, reader: User
) -> None:
    single = asset(
        collection("board", name="Board of directors"),
        "Open letter",
        audience=interned_audience([Principal(user=reader)]),
    )
    assert "Open letter" in shown(browser, f"/assets/{single.pk}/")
    assert "Board of directors" not in shown(browser, f"/assets/{single.pk}/")
    assert "Board of directors" not in shown(browser, "/collections/")
    assert browser.get("/collections/board/").status_code == 404


def test_a_collection_counts_and_lists_only_what_its_reader_may_see(browser: Client, reader: User) -> None:
    plant = collection("plant", (reader, Role.EDITOR))
    asset(plant, "Pump manual")
    asset(plant, "Pump photo", media_type="image/png")
    asset(plant, "Being read", version=0)
    asset(plant, "Salaries", audience=interned_audience([Principal(user=person("boss"))]))
    page = shown(browser, "/collections/")
    assert "Document 1" in page
    assert "Image 1" in page
    assert "Your role: Editor" in page
    listed = shown(browser, "/collections/plant/")
    assert "Pump manual" in listed
    assert "Pump photo" in listed
    assert "Being read" not in listed
    assert "Salaries" not in listed


def test_a_viewer_is_offered_no_upload(browser: Client, reader: User) -> None:
    collection("plant", (reader, Role.VIEWER))
    assert "?collection=plant" not in shown(browser, "/collections/")


def test_a_documents_page_shows_its_picture_its_words_and_its_figures_place(
    browser: Client, reader: User
) -> None:
    manual = asset(collection("plant", (reader, Role.VIEWER)), "Manual", media_type="application/pdf")
    pages = [
        segment(manual, SegmentKind.PAGE, n, page=n, picture_key="k", thumbnail_key="k") for n in (1, 2, 3)
    ]
    found = segment(manual, SegmentKind.TEXT, 10, page=2, text="Stop the pump.", heading_path=["Safety"])
    segment(manual, SegmentKind.TEXT, 11, page=3, text="On another page.")
    segment(
        manual, SegmentKind.FIGURE, 12, page=2, box=[0.1, 0.2, 0.6, 0.4], picture_key="k", caption="A valve"
    )
    page = shown(browser, f"/assets/{manual.pk}/?segment={found.pk}&q=pump")
    assert f'src="/api/segments/{pages[1].pk}/picture"' in page
    assert "Stop the <mark>pump</mark>." in page
    assert "data-chosen" in page
    assert "Safety" in page
    assert "Page 2 of 3" in page
    assert "On another page." not in page
    assert '<rect class="figure" x="100.0" y="200.0" width="500.0" height="200.0"/>' in page
    assert "A valve" in page
    assert "On another page." in shown(browser, f"/assets/{manual.pk}/?page=3")
    # A page that is not there, and one that is no number, lead to the first.
    assert "Page 1 of 3" in shown(browser, f"/assets/{manual.pk}/?page=77")
    assert "Page 1 of 3" in shown(browser, f"/assets/{manual.pk}/?page=x&segment=99999999999999999999")


def test_a_text_without_pages_opens_around_the_passage_that_was_found(browser: Client, reader: User) -> None:
    handbook = asset(collection("plant", (reader, Role.VIEWER)), "Handbook")
    passages = [segment(handbook, SegmentKind.TEXT, n, text=f"Passage number {n}.") for n in range(100)]
    page = shown(browser, f"/assets/{handbook.pk}/?segment={passages[60].pk}")
    # Ten before it, thirty from it on.
    assert "Passage number 50." in page
    assert "Passage number 49." not in page
    assert "Passage number 89." in page
    assert "Passage number 90." not in page
    assert '"?from=10"' in page
    assert '"?from=90"' in page
    assert "Passage number 0." in shown(browser, f"/assets/{handbook.pk}/")


def test_a_linked_figure_shows_only_to_whoever_may_read_the_picture_itself(
    browser: Client, reader: User
) -> None:
    plant = collection("plant", (reader, Role.VIEWER))
    guide = asset(plant, "Guide")
    open_ = asset(plant, "Open picture", media_type="image/png", source_uri="img/open.png")
    asset(
        plant,
        "Closed picture",
        media_type="image/png",
        source_uri="img/closed.png",
        audience=interned_audience([Principal(user=person("boss"))]),
    )
    for n, name in enumerate(("open", "closed", "gone")):
        segment(guide, SegmentKind.FIGURE, n, picture_uri=f"img/{name}.png", caption=f"The {name} figure")
    page = shown(browser, f"/assets/{guide.pk}/")
    assert "The open figure" in page
    assert f'href="/assets/{open_.pk}/"' in page
    assert "The closed figure" not in page
    assert "The gone figure" not in page


def test_an_image_shows_the_words_read_in_it_at_their_places(browser: Client, reader: User) -> None:
    photo = asset(collection("plant", (reader, Role.VIEWER)), "Photo", media_type="image/png")
    segment(
        photo,
        SegmentKind.IMAGE,
        picture_key="k",
        ocr_lines=[[0.1, 0.2, 0.3, 0.25, "冷却泵 P-204"], [0.1, 0.4, 0.3, 0.45, "<b>Exit</b>"]],
    )
    page = shown(browser, f"/assets/{photo.pk}/?q=冷却泵")
    assert '<li data-line="0" class="matches"><mark>冷却泵</mark> P-204</li>' in page
    assert 'class="line matches" data-line="0" x="100.0" y="200.0" width="200.0" height="50.0"' in page
    assert "&lt;b&gt;Exit&lt;/b&gt;" in page
    assert "<b>Exit" not in page


def test_segments_of_an_older_version_and_unpublished_ones_stay_out_of_sight(
    browser: Client, reader: User
) -> None:
    guide = asset(collection("plant", (reader, Role.VIEWER)), "Guide", version=2)
    segment(guide, SegmentKind.TEXT, 0, text="Current words.")
    draft = segment(guide, SegmentKind.TEXT, 1, text="Draft words.")
    draft.audience = None
    draft.save()
    old = segment(guide, SegmentKind.TEXT, 2, text="Old words.")
    old.version = 1
    old.save()
    page = shown(browser, f"/assets/{guide.pk}/?segment={draft.pk}")
    assert "Current words." in page
    assert "Draft words." not in page
    assert "Old words." not in page


def test_an_asset_that_is_still_being_read_says_so_and_offers_no_download(
    browser: Client, reader: User
) -> None:
    new = asset(collection("plant", (reader, Role.VIEWER)), "New", version=0)
    page = shown(browser, f"/assets/{new.pk}/")
    assert "This file is being read." in page
    assert f"/api/assets/{new.pk}/content" not in page


def test_nothing_that_a_file_says_becomes_markup(browser: Client, reader: User) -> None:
    hostile = "<script>alert(1)</script>\"'>"
    guide = asset(collection("plant", (reader, Role.VIEWER), name=hostile), hostile, language="en")
    segment(guide, SegmentKind.TEXT, 0, text=hostile, heading_path=[hostile], language=hostile[:8])
    segment(guide, SegmentKind.FIGURE, 1, caption=hostile, alt_text=hostile, picture_key="k")
    for address in (f"/assets/{guide.pk}/?q=%3Cscript%3E", "/collections/", "/collections/plant/"):
        page = shown(browser, address)
        assert "alert(1)" in page
        assert "<script>" not in page


@pytest.mark.parametrize(
    ("words", "text", "expected"),
    [
        ("pumps", "A pump and pumping", ["pump", "pumping"]),
        ("pump kind:image -valve", "kind image valve pump", ["pump"]),
        ('"emergency stop"', "Emergency! Stop.", ["Emergency", "Stop"]),
        ("怎样关闭冷却泵", "冷却泵已关闭", ["冷却", "关闭"]),
        ("c++ (", "c++ (", ["c"]),
        ("", "text", []),
    ],
)
def test_the_words_of_the_query_are_marked_in_a_text(words: str, text: str, expected: list[str]) -> None:
    found = parts(text, pattern(words))
    assert [part.text for part in found if part.highlighted] == expected
    assert "".join(part.text for part in found) == text
