"""Is every error one JSON shape, and does none tell more than it should?"""

import json
from typing import Any

import pytest
from django.http import Http404
from django.test import Client
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate

from kb.api.base import MAX_BODY_BYTES, ApiView
from kb.api.ranges import ByteRange, UnsatisfiableError, parse
from kb.exceptions import FailureCode, IngestError, KbError, ObjectMissingError, QueryError, StorageError
from tests.security.world import member, signed_in


class LastBarrelError(KbError):
    """There is one barrel left."""


def answer(raised: Exception) -> Response:
    class Failing(ApiView):
        def get(self, request: Request) -> Response:
            raise raised

    request = APIRequestFactory().get("/")
    force_authenticate(request, user=member("someone"))
    response = Failing.as_view()(request)
    response.render()
    return response


EXPECTED: list[tuple[Exception, int, dict[str, str]]] = [
    (Http404("No Asset matches the given query."), 404, {"code": "not_found", "message": "Not found."}),
    (ObjectMissingError(), 404, {"code": "not_found", "message": "Not found."}),
    (QueryError("Too long."), 400, {"code": "query", "message": "Too long."}),
    (LastBarrelError(), 400, {"code": "last_barrel", "message": "There is one barrel left."}),
    (
        IngestError(FailureCode.TOO_LARGE),
        413,
        {"code": "too_large", "message": "The file is larger than this site accepts."},
    ),
    (
        StorageError("http://10.0.0.7/ said no"),
        503,
        {"code": "storage_unavailable", "message": "The object store did not answer. Retry it."},
    ),
    (
        exceptions.ValidationError({"readers": [{}, {"user": ["There is no such user."]}]}),
        400,
        {"code": "invalid", "message": "There is no such user.", "field": "readers.user"},
    ),
    (
        exceptions.Throttled(wait=3),
        429,
        {"code": "throttled", "message": "Request was throttled. Expected available in 3 seconds."},
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("raised", "status", "error"), EXPECTED)
def test_an_error_becomes_its_status_and_one_shape(
    raised: Exception, status: int, error: dict[str, str]
) -> None:
    response = answer(raised)
    assert response.status_code == status
    assert json.loads(response.content) == {"error": error}


@pytest.mark.django_db
def test_an_unexpected_error_is_logged_whole_and_answered_without_a_word_of_it(caplog: Any) -> None:
    response = answer(ZeroDivisionError("secret of the house"))
    assert response.status_code == 500
    assert json.loads(response.content)["error"]["code"] == "internal"
    assert b"secret" not in response.content
    assert "secret of the house" in caplog.text


@pytest.mark.django_db
def test_every_answer_names_its_request_and_may_not_be_kept() -> None:
    response = signed_in(member("someone")).get("/api/me/", headers={"X-Request-ID": "abcdef-123456"})
    assert response.headers["X-Request-ID"] == "abcdef-123456"
    assert response.headers["Cache-Control"] == "private, no-store"


class Unread:
    """A body that may not be touched."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("The body was read.")

    readline = read


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "size"),
    [
        ("/api/collections/", MAX_BODY_BYTES + 1),
        ("/api/collections/1/uploads/", 2 * 1024**3),
        ("/api/search/", 1024**3),
    ],
)
def test_a_body_over_the_limit_is_refused_unread_even_before_its_csrf_token(address: str, size: int) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(member("someone"))
    response = client.post(
        address,
        b"",
        content_type="multipart/form-data; boundary=b",
        CONTENT_LENGTH=str(size),
        **{"wsgi.input": Unread()},
    )
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"


@pytest.mark.django_db
def test_a_session_without_its_csrf_token_changes_nothing() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(member("someone"))
    response = client.post("/api/tokens/", {"name": "x", "scopes": ["read"]}, content_type="application/json")
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "permission_denied"


@pytest.mark.django_db
def test_broken_json_is_a_bad_request() -> None:
    response = signed_in(member("someone")).post("/api/tokens/", "{", content_type="application/json")
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "parse_error"


@pytest.mark.django_db
def test_calls_above_the_rate_are_told_when_to_come_back(settings: Any) -> None:
    settings.KB_RATE_LIMITS = {"api": "2/min"}
    client = signed_in(member("someone"))
    assert [client.get("/api/me/").status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get("/api/me/")
    assert refused.json()["error"]["code"] == "throttled"
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    # Another person has a budget of their own.
    assert signed_in(member("other")).get("/api/me/").status_code == 200


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=2-", ByteRange(2, 10)),
        ("bytes=2-99", ByteRange(2, 10)),
        ("bytes=-3", ByteRange(7, 10)),
        ("bytes=-30", ByteRange(0, 10)),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=0-1,4-5", None),
        ("pages=1-2", None),
    ],
)
def test_a_range_header_names_one_range_or_the_whole(header: str, expected: ByteRange | None) -> None:
    assert parse(header, 10) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=-0"])
def test_a_range_outside_the_object_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(UnsatisfiableError):
        parse(header, 10)
