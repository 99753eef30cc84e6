"""Does every answer name its request, by an id that a caller cannot abuse?"""

import pytest
import structlog
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from kb.logging import HEADER, RequestIdMiddleware


def _answer(given: str | None) -> tuple[str, str]:
    """The id in the response, and the one bound while the view ran."""
    bound: list[str] = []

    def view(_: HttpRequest) -> HttpResponse:
        bound.append(structlog.contextvars.get_contextvars()["request_id"])
        return HttpResponse()

    headers = {} if given is None else {HEADER: given}
    response = RequestIdMiddleware(view)(RequestFactory().get("/", headers=headers))
    return response[HEADER], bound[0]


def test_a_proxys_id_is_kept() -> None:
    assert _answer("proxy-id.0001") == ("proxy-id.0001", "proxy-id.0001")


@pytest.mark.parametrize("given", [None, "", "short", "x" * 65, 'evil"} {"event":', "a b c d e f g h"])
def test_anything_else_is_replaced(given: str | None) -> None:
    shown, bound = _answer(given)
    assert shown == bound
    assert shown != given
    assert len(shown) == 32


def test_the_id_is_not_bound_afterwards() -> None:
    _answer("proxy-id.0001")
    assert "request_id" not in structlog.contextvars.get_contextvars()
