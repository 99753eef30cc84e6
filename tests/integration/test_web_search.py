"""Does the search page ask what the person asked, and show what came back, and nothing that a file smuggled in?"""

import io
import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from PIL import Image as Pixels

from kb.exceptions import QueryError
from kb.models import Role
from kb.permissions import AnyUser
from retrieval.results import ChannelScore, Facet, Hit, SearchResult, SnippetPart
from retrieval.search import SearchRequest
from retrieval.web.filters import filters, narrowed, without
from tests.integration.web_library import collection, person

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>"

HIT = Hit(
    asset_id=7,
    kind="document",
    title="Pump manual",
    media_type="application/pdf",
    language="en",
    collection_id=1,
    collection_name="Plant",
    source_uri="pump.pdf",
    updated_at="2026-01-02T03:04:05+00:00",
    segment_id=70,
    segment_kind="page",
    page=3,
    start_ms=None,
    heading_path=("Maintenance", "Stopping"),
    box=(0.1, 0.2, 0.5, 0.6),
    snippet=(SnippetPart("Stop the ", False), SnippetPart("pump", True), SnippetPart(" first.", False)),
    thumbnail_url="/api/segments/70/thumbnail",
    content_url="/api/assets/7/content",
    score=0.8123,
    channels=(ChannelScore("text", 4, 0.7, 0.25), ChannelScore("lexical", 1, 12.5, 0.75)),
    more=((71, 5, None),),
)
RESULT = SearchResult(
    hits=(HIT,),
    total=25,
    total_is_capped=False,
    facets=(
        Facet("kind", "image", "Image", 4),
        Facet("collection", "plant", "Plant", 20),
        Facet("language", "zh", "zh", 5),
    ),
    timings_ms={"total": 12.3},
)


class Engine:
    """Stands in for the search: remembers what was asked, answers with `answer`."""

    def __init__(self) -> None:
        self.asked: list[tuple[AnyUser, SearchRequest]] = []
        self.answer: SearchResult | QueryError = RESULT

    def __call__(self, user: AnyUser, request: SearchRequest) -> SearchResult:
        self.asked.append((user, request))
        if isinstance(self.answer, QueryError):
            raise self.answer
        return self.answer


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr("retrieval.web.views.search", made)
    return made


@pytest.fixture
def reader(db: None) -> User:
    return person("reader")


@pytest.fixture
def browser(reader: User, client: Client) -> Client:
    client.force_login(reader)
    return client


def page(browser: Client, words: str, **headers: str) -> str:
    return browser.get("/", {"q": words}, headers=headers).content.decode()


@cache
def png() -> bytes:
    stream = io.BytesIO()
    # Noise does not compress, so that half of the file is half of the picture.
    Pixels.effect_noise((32, 32), 80).save(stream, "PNG")
    return stream.getvalue()


def upload(name: str, data: bytes) -> io.BytesIO:
    stream = io.BytesIO(data)
    stream.name = name
    return stream


@pytest.mark.parametrize(
    "address", ["/", "/collections/", "/collections/x/", "/assets/1/", "/upload/", "/runs/1/"]
)
def test_whoever_is_not_signed_in_is_sent_to_the_login(db: None, client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 302
    assert response.headers["Location"] == f"/login/?next={address}"


def test_signing_in_leads_to_the_search_and_signing_out_back_to_the_login(
    reader: User, client: Client
) -> None:
    assert client.post("/login/", {"username": "reader", "password": "wrong"}).status_code == 200
    assert client.post("/login/", {"username": "reader", "password": "secret"}).headers["Location"] == "/"
    assert client.get("/").status_code == 200
    assert client.post("/logout/").headers["Location"] == "/login/"
    assert client.get("/").status_code == 302


def test_the_start_page_asks_nothing_and_names_only_the_collections_open_to_the_reader(
    browser: Client, reader: User, engine: Engine
) -> None:
    collection("plant", (reader, Role.VIEWER))
    collection("board")
    shown = browser.get("/").content.decode()
    assert "/collections/plant/" in shown
    assert "board" not in shown.lower()
    assert engine.asked == []


def test_a_hit_shows_where_it_is_why_it_is_here_and_what_matches(browser: Client, engine: Engine) -> None:
    shown = page(browser, "pump")
    assert '<a href="/assets/7/?segment=70&amp;page=3&amp;q=pump"><bdi>Pump manual</bdi></a>' in shown
    assert "Stop the <mark>pump</mark> first." in shown
    for part in ("Plant", "Page 3", "Maintenance", "Stopping", "About 25 results", "12 ms", "Jan. 2, 2026"):
        assert part in shown
    # The larger share comes first, whatever the order of the channels.
    assert shown.index("Words</span><svg") < shown.index("Meaning</span><svg")
    assert '<rect class="share" width="75" height="6"/>' in shown
    # The further match of the same file.
    assert '<a href="/assets/7/?segment=71&amp;page=5&amp;q=pump">Page 5</a>' in shown
    assert "0.8123" in shown[shown.index("<details") : shown.index("</details>")]


def test_the_words_the_page_and_the_person_reach_the_engine(
    browser: Client, engine: Engine, reader: User
) -> None:
    browser.get("/", {"q": "pump kind:image", "page": "3"})
    assert engine.asked == [(reader, SearchRequest(words="pump kind:image", page=3))]


def test_the_matching_region_is_drawn_on_a_page_but_not_on_a_figure_shown_by_itself(
    browser: Client, engine: Engine
) -> None:
    # (0.1, 0.2) to (0.5, 0.6), in thousandths.
    region = '<rect class="region" x="100.0" y="200.0" width="400.0" height="400.0"/>'
    assert region in page(browser, "pump")
    engine.answer = replace(RESULT, hits=(replace(HIT, segment_kind="figure"),))
    assert 'class="region"' not in page(browser, "pump")


def test_a_language_is_named_only_where_it_is_not_the_interfaces_own(browser: Client, engine: Engine) -> None:
    engine.answer = replace(RESULT, hits=(replace(HIT, language="zh"),), facets=())
    tag = '<li class="badge language">{}</li>'
    assert tag.format("Chinese") in page(browser, "pump")
    assert "badge language" not in page(browser, "pump", **{"accept-language": "zh-CN"})
    engine.answer = replace(RESULT, facets=())
    assert "badge language" not in page(browser, "pump")
    assert tag.format("英语") in page(browser, "pump", **{"accept-language": "zh-CN"})


def test_nothing_that_a_file_or_a_query_says_becomes_markup(browser: Client, engine: Engine) -> None:
    hostile_hit = replace(
        HIT,
        title=HOSTILE,
        collection_name=HOSTILE,
        heading_path=(HOSTILE,),
        language=HOSTILE,
        snippet=(SnippetPart(HOSTILE, False), SnippetPart(HOSTILE, True)),
        thumbnail_url=HOSTILE,
        channels=(ChannelScore(HOSTILE, 1, 1.0, 1.0),),
        kind=HOSTILE,
    )
    engine.answer = replace(
        RESULT,
        hits=(hostile_hit,),
        facets=tuple(Facet(field, HOSTILE, HOSTILE, 1) for field in ("kind", "collection", "language")),
        notices=(HOSTILE,),
        description=HOSTILE,
    )
    shown = page(browser, f'{HOSTILE} in:"{HOSTILE}"')
    assert "alert(1)" in shown
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown
    engine.answer = QueryError(HOSTILE)
    assert "<script>alert" not in page(browser, HOSTILE)


INLINE = re.compile(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+\s*=|javascript:", re.IGNORECASE)


def test_pages_have_no_inline_script_or_style_and_the_policy_forbids_them(
    browser: Client, engine: Engine, reader: User
) -> None:
    collection("plant", (reader, Role.MANAGER))
    for address in (
        "/",
        "/?q=pump",
        "/?q=" + "x" * 3000,
        "/upload/",
        "/collections/",
        "/nowhere/",
        "/login/",
    ):
        response = browser.get(address)
        policy = response.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "script-src 'self'", "style-src 'self'"} <= set(policy)
        assert INLINE.search(response.content.decode()) is None


def test_words_that_are_posted_go_to_an_address_that_can_be_shared(browser: Client, engine: Engine) -> None:
    response = browser.post("/", {"q": "水泵 & valve"})
    assert response.status_code == 302
    assert response.headers["Location"] == "/?q=%E6%B0%B4%E6%B3%B5+%26+valve"
    assert engine.asked == []


def test_words_too_long_for_an_address_are_answered_where_they_were_posted(
    browser: Client, engine: Engine
) -> None:
    response = browser.post("/", {"q": "泵" * 400})  # 3,600 bytes in an address.
    assert response.status_code == 200
    assert engine.asked[0][1].words == "泵" * 400


def test_a_picture_is_searched_with_the_words_and_their_weight(browser: Client, engine: Engine) -> None:
    response = browser.post(
        "/", {"q": "valve", "picture": upload("a.png", png()), "words_weight": "20", "page": "2"}
    )
    assert response.status_code == 200
    assert engine.asked[0][1] == SearchRequest(words="valve", picture=png(), page=2, text_weight=0.2)


def test_a_picture_alone_is_searched_and_described(browser: Client, engine: Engine) -> None:
    engine.answer = replace(RESULT, description="A pump with two gauges.")
    response = browser.post("/", {"q": "", "picture": upload("a.png", png())})
    assert engine.asked[0][1] == SearchRequest(picture=png())
    assert "A pump with two gauges." in response.content.decode()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"", "empty"), (b"no image at all", "not a picture"), (png()[: len(png()) // 2], "damaged")],
    ids=["empty", "text", "truncated"],
)
def test_a_picture_that_is_none_gets_a_sentence(browser: Client, data: bytes, sentence: str) -> None:
    response = browser.post("/", {"q": "valve", "picture": upload("a.png", data)})
    assert response.status_code == 400
    alert = re.search(r'<p class="problem" role="alert">(.*?)</p>', response.content.decode())
    assert alert is not None
    assert sentence in alert[1]


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(
    browser: Client, engine: Engine, settings: Any
) -> None:
    settings.KB_MAX_QUERY_PICTURE_BYTES = 10_000
    response = browser.post("/", {"picture": upload("a.png", b"x" * 3_000_000)})
    assert response.status_code == 413
    assert "Too large" in response.content.decode()
    assert engine.asked == []


def test_forms_without_their_token_are_refused(reader: User, engine: Engine) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(reader)
    assert strict.post("/", {"q": "pump"}).status_code == 403
    assert strict.post("/upload/", {}).status_code == 403


@pytest.mark.parametrize("words", ["x" * 10_000, "a\x00b"], ids=["ten thousand characters", "a NUL"])
def test_words_that_cannot_be_asked_get_a_sentence(browser: Client, engine: Engine, words: str) -> None:
    for response in (browser.get("/", {"q": words}), browser.post("/", {"q": words})):
        assert response.status_code == 400
        assert 'role="alert"' in response.content.decode()
    assert engine.asked == []


def test_what_the_engine_cannot_answer_is_said_in_its_words(browser: Client, engine: Engine) -> None:
    engine.answer = QueryError("The date is no date.")
    response = browser.get("/", {"q": "after:x"})
    assert response.status_code == 400
    assert "The date is no date." in response.content.decode()


def test_a_page_number_that_is_none_is_refused_without_a_search(browser: Client, engine: Engine) -> None:
    assert browser.get("/", {"q": "pump", "page": "-1"}).status_code == 400
    assert browser.get("/", {"q": "pump", "page": "x"}).status_code == 400
    assert engine.asked == []


def test_facets_add_a_filter_and_take_it_away_again(browser: Client, engine: Engine) -> None:
    shown = page(browser, "pump")
    assert 'href="/?q=pump+kind%3Aimage"' in shown
    assert 'href="/?q=pump+in%3Aplant"' in shown
    assert 'href="/?q=pump+lang%3Azh"' in shown
    shown = page(browser, "pump kind:image")
    assert 'href="/?q=pump" aria-current="true"><bdi>Image</bdi>' in shown


def test_paging_keeps_the_query_and_ends_with_the_last_page(browser: Client, engine: Engine) -> None:
    # 25 results, ten a page: three pages.
    shown = browser.get("/", {"q": "pump", "page": "3"}).content.decode()
    assert 'rel="prev" href="/?q=pump&amp;page=2"' in shown
    assert 'rel="next"' not in shown
    assert '<ol class="hits" start="21">' in shown


def test_no_results_come_with_advice_and_a_capped_total_says_so(browser: Client, engine: Engine) -> None:
    engine.answer = SearchResult((), 0, False, (), notices=("No collection is called x.",))
    shown = page(browser, "pump in:x")
    assert "Nothing found" in shown
    assert "No collection is called x." in shown
    engine.answer = replace(RESULT, total=1000, total_is_capped=True)
    assert "More than 1000 results" in page(browser, "pump")


def test_the_interface_speaks_chinese_to_whoever_asks_for_it(browser: Client, engine: Engine) -> None:
    shown = page(browser, "pump", **{"accept-language": "zh-CN,zh;q=0.9"})
    assert '<html lang="zh-hans">' in shown
    for part in ("约 25 条结果", "第 3 页", "文档", "资料集", "退出"):
        assert part in shown
    browser.post("/language/", {"language": "zh-hans", "next": "/"})
    assert "想找什么？" in browser.get("/").content.decode()


def test_filters_are_found_outside_phrases_and_replaced_by_name() -> None:
    words = 'pump "say kind:image" kind:document in:"People handbook"'
    assert [(found.name, found.value) for found in filters(words)] == [
        ("kind", "document"),
        ("in", "People handbook"),
    ]
    assert without(words, "in") == 'pump "say kind:image" kind:document'
    assert narrowed("pump Kind:document", "kind", "image") == "pump kind:image"
    assert narrowed("pump", "in", 'a "b" c') == 'pump in:"a b c"'
    assert narrowed("", "lang", "zh") == "lang:zh"
