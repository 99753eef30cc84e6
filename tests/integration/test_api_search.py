"""Does a search reach retrieval as it was asked, and is its result written out field by field?"""

import io
from dataclasses import dataclass, field
from typing import Any

import pytest

from kb.exceptions import QueryError
from kb.permissions import AnyUser
from retrieval import search
from retrieval.results import ChannelScore, Facet, Hit, SearchResult, SnippetPart
from retrieval.search import SearchRequest
from tests.builders import png_claiming
from tests.security.world import member, png, signed_in, with_token

pytestmark = pytest.mark.django_db

HIT = Hit(
    asset_id=7,
    kind="document",
    title="Pump manual",
    media_type="application/pdf",
    language="en",
    collection_id=3,
    collection_name="Plans",
    source_uri="pumps/manual.pdf",
    updated_at="2026-01-02T03:04:05Z",
    segment_id=70,
    segment_kind="text",
    page=4,
    start_ms=None,
    heading_path=("Pumps", "Seals"),
    box=(0.1, 0.2, 0.3, 0.4),
    snippet=(SnippetPart("the ", False), SnippetPart("seal", True)),
    thumbnail_url="/api/segments/70/thumbnail",
    content_url="/api/assets/7/content",
    score=0.5,
    channels=(ChannelScore("lexical", 1, 7.5, 0.5),),
    more=((71, 5, None),),
)
RESULT = SearchResult(
    hits=(HIT,),
    total=1,
    total_is_capped=False,
    facets=(Facet("kind", "document", "Documents", 1),),
    timings_ms={"total": 4.5},
    description="",
    understood={"words": ["seal"]},
    notices=("No picture encoder is configured.",),
)


@dataclass
class FakeSearch:
    asked: list[tuple[AnyUser, SearchRequest]] = field(default_factory=list)

    def __call__(self, user: AnyUser, request: SearchRequest) -> SearchResult:
        self.asked.append((user, request))
        return RESULT


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeSearch:
    fake = FakeSearch()
    monkeypatch.setattr(search, "search", fake)
    return fake


def test_words_and_the_page_come_from_the_address(fake: FakeSearch) -> None:
    ana = member("ana")
    response = signed_in(ana).get(
        "/api/search/", {"q": "kind:image seal", "page": 2, "page_size": 50, "w": 0.25}
    )
    assert response.status_code == 200
    assert fake.asked == [(ana, SearchRequest("kind:image seal", None, 2, 50, 0.25))]


def test_the_result_is_written_as_it_is(fake: FakeSearch) -> None:
    assert signed_in(member("ana")).get("/api/search/", {"q": "seal"}).json() == {
        "hits": [
            {
                "asset_id": 7,
                "kind": "document",
                "title": "Pump manual",
                "media_type": "application/pdf",
                "language": "en",
                "collection_id": 3,
                "collection_name": "Plans",
                "source_uri": "pumps/manual.pdf",
                "updated_at": "2026-01-02T03:04:05Z",
                "segment_id": 70,
                "segment_kind": "text",
                "page": 4,
                "start_ms": None,
                "heading_path": ["Pumps", "Seals"],
                "box": [0.1, 0.2, 0.3, 0.4],
                "snippet": [{"text": "the ", "highlighted": False}, {"text": "seal", "highlighted": True}],
                "thumbnail_url": "/api/segments/70/thumbnail",
                "content_url": "/api/assets/7/content",
                "score": 0.5,
                "channels": [{"channel": "lexical", "rank": 1, "score": 7.5, "share": 0.5}],
                "more": [{"segment_id": 71, "page": 5, "start_ms": None}],
            }
        ],
        "total": 1,
        "total_is_capped": False,
        "facets": [{"field": "kind", "value": "document", "label": "Documents", "count": 1}],
        "timings_ms": {"total": 4.5},
        "description": "",
        "understood": {"words": ["seal"]},
        "notices": ["No picture encoder is configured."],
    }


def test_a_question_may_be_posted_as_json(fake: FakeSearch) -> None:
    ana = member("ana")
    signed_in(ana).post("/api/search/", {"q": "seal", "page_size": 3}, content_type="application/json")
    assert fake.asked == [(ana, SearchRequest("seal", page_size=3))]


def test_a_picture_may_be_posted_with_words_or_alone(fake: FakeSearch) -> None:
    ana = member("ana")
    client = signed_in(ana)
    client.post("/api/search/", {"q": "wiring", "picture": io.BytesIO(png())})
    client.post("/api/search/", {"picture": io.BytesIO(png())})
    assert fake.asked == [(ana, SearchRequest("wiring", png())), (ana, SearchRequest("", png()))]


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (b"", "The picture is empty."),
        (
            b"%PDF-1.7 not a picture",
            "This is not a picture that can be read: use PNG, JPEG, WebP, GIF, BMP or TIFF.",
        ),
        (png((200, 200))[:-40], "The picture is damaged. Save it again and retry."),
        (
            png_claiming(8000, 8000),
            "The picture has more than 60 million pixels. Scale it down and search again.",
        ),
        (b"x" * 2001, "The picture is larger than 0 MB. Scale it down and search again."),
    ],
    ids=["empty", "pdf", "truncated", "pixels", "bytes"],
)
def test_what_is_no_usable_picture_gets_a_clear_answer(picture: bytes, message: str, settings: Any) -> None:
    if message.startswith("The picture is larger"):
        settings.KB_MAX_QUERY_PICTURE_BYTES = 2000
    response = signed_in(member("ana")).post("/api/search/", {"picture": io.BytesIO(picture)})
    assert response.status_code == 400
    assert response.json() == {"error": {"code": "query", "message": message}}


def test_a_pasted_document_is_no_question(fake: FakeSearch) -> None:
    client = signed_in(member("ana"))
    for response in (
        client.get("/api/search/", {"q": "x" * 10_000}),
        client.post("/api/search/", {"q": "x" * 10_000}, content_type="application/json"),
    ):
        assert response.status_code == 400
        assert response.json()["error"] == {
            "code": "query_too_long",
            "message": "The question is longer than 2000 characters. Shorten it to the words that matter.",
            "field": "q",
        }
    assert fake.asked == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page", "0"),
        ("page", "101"),
        ("page_size", "51"),
        ("page_size", "x"),
        ("w", "nan"),
        ("w", "1.1"),
        ("q", "\0"),
    ],
)
def test_a_parameter_out_of_bounds_is_named(name: str, value: str, fake: FakeSearch) -> None:
    response = signed_in(member("ana")).get("/api/search/", {name: value})
    assert response.status_code == 400
    assert response.json()["error"]["field"] == name
    assert fake.asked == []


def test_a_query_that_retrieval_refuses_is_a_bad_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(user: AnyUser, request: SearchRequest) -> SearchResult:
        raise QueryError("`before:` takes a date, like before:2026-01-31.")

    monkeypatch.setattr(search, "search", refuse)
    response = signed_in(member("ana")).get("/api/search/", {"q": "before:x"})
    assert response.status_code == 400
    assert response.json()["error"]["message"] == "`before:` takes a date, like before:2026-01-31."


def test_a_token_needs_the_scope_search(fake: FakeSearch) -> None:
    ana = member("ana")
    assert with_token(ana, ["read", "write", "manage"]).get("/api/search/", {"q": "x"}).status_code == 403
    assert with_token(ana, ["search"]).get("/api/search/", {"q": "x"}).status_code == 200
    assert [user for user, _ in fake.asked] == [ana]
