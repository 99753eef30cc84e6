"""Do tokens do what they say, for as long as they say, and is their secret kept by nobody?"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kb import tokens
from kb.models import ApiToken, AuditEvent
from tests.security.world import member, signed_in, with_token

pytestmark = pytest.mark.django_db


def bearer(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})


def create(client: Client, **fields: Any) -> Any:
    return client.post("/api/tokens/", {"name": "script", **fields}, content_type="application/json")


def test_a_secret_is_shown_once_and_only_its_digest_is_kept() -> None:
    client = signed_in(member("ana"))
    made = create(client, scopes=["read"]).json()
    secret = made["secret"]
    assert len(secret) == 43  # kb_ and 40 characters.
    assert secret.startswith("kb_")
    assert made["prefix"] == secret[:9]
    assert secret not in client.get("/api/tokens/").content.decode()
    row = ApiToken.objects.values().get()
    assert secret not in str(row)
    assert bearer(secret).get("/api/me/").json()["token_scopes"] == ["read"]


def test_a_token_ends_when_it_expires() -> None:
    ana = member("ana")
    _, secret = tokens.issue(ana, "short", ["read"], timezone.now() + timedelta(minutes=1))
    assert bearer(secret).get("/api/me/").status_code == 200
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    refused = bearer(secret).get("/api/me/")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_a_deleted_token_stops_at_once_and_leaves_a_trail() -> None:
    client = signed_in(member("ana"))
    made = create(client, scopes=["read"]).json()
    assert client.delete(f"/api/tokens/{made['id']}/").status_code == 204
    assert bearer(made["secret"]).get("/api/me/").status_code == 401
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["token.created", "token.deleted"]


def test_a_wrong_token_is_not_rescued_by_a_session() -> None:
    client = signed_in(member("ana"))
    for wrong in ("Bearer kb_nonsense", "Bearer ", "Bearer \xff", "bearer kb_" + "a" * 40):
        assert client.get("/api/me/", headers={"Authorization": wrong}).status_code == 401


def test_the_token_of_another_person_cannot_be_told_from_none() -> None:
    token, _ = tokens.issue(member("ben"), "his", ["read"])
    client = signed_in(member("ana"))
    theirs, absent = client.delete(f"/api/tokens/{token.pk}/"), client.delete("/api/tokens/999999/")
    assert (
        (theirs.status_code, theirs.content) == (absent.status_code, absent.content) == (404, absent.content)
    )
    assert ApiToken.objects.filter(pk=token.pk).exists()
    assert client.get("/api/tokens/").json() == []


def test_a_token_makes_and_ends_no_tokens() -> None:
    ana = member("ana")
    client = with_token(ana, ["search", "read", "write", "manage"])
    assert create(client, scopes=["read"]).status_code == 403
    assert client.get("/api/tokens/").status_code == 403
    assert client.delete(f"/api/tokens/{ApiToken.objects.get().pk}/").status_code == 403


def test_the_last_use_is_written_once_a_minute() -> None:
    token, secret = tokens.issue(member("ana"), "busy", ["read"])

    def writes() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert tokens.holder(secret) is not None
        return sum(query["sql"].startswith("UPDATE") for query in queries)

    assert [writes(), writes()] == [1, 0]
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now() - timedelta(seconds=61))
    assert writes() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes.0"),
        ({"scopes": ["read"], "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"scopes": ["read"], "name": ""}, "name"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused_by_field(fields: dict[str, Any], field: str) -> None:
    response = create(signed_in(member("ana")), **fields)
    assert response.status_code == 400
    assert response.json()["error"]["field"] == field


def test_me_says_who_is_calling() -> None:
    assert signed_in(member("ana", first_name="Ana")).get("/api/me/").json() == {
        "id": ApiToken.user.field.related_model.objects.get().pk,
        "username": "ana",
        "full_name": "Ana",
        "groups": [],
        "may_create_collections": False,
        "token_scopes": None,
    }
