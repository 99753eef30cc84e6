"""Is the API described without gaps, offline; and do probes and metrics answer whom they should?"""

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client

from kb import health
from kb.exceptions import StorageError
from kb.storage import FolderStorage
from tests.security.world import member, signed_in


@pytest.mark.django_db
def test_the_schema_is_valid_and_made_without_a_warning(tmp_path: Any) -> None:
    target = tmp_path / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(target))
    schema = target.read_text()
    assert "/api/search/:" in schema
    assert "$ref: '#/components/schemas/Error'" in schema


@pytest.mark.django_db
def test_the_schema_and_its_page_are_for_those_who_are_signed_in() -> None:
    client = signed_in(member("ana"))
    for path in ("/api/schema/", "/api/docs/"):
        assert client.get(path).status_code == 200
        assert Client().get(path).status_code == 401


@pytest.mark.django_db
def test_the_docs_need_nothing_from_elsewhere_and_no_inline_script() -> None:
    response = signed_in(member("ana")).get("/api/docs/")
    page = response.content.decode()
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) >= 4
    for source in sources:
        assert source.startswith("/")
        assert not source.startswith("//")
        if source.startswith("/static/"):
            assert finders.find(source.removeprefix("/static/")), source
    assert re.findall(r"<script>", page) == []
    policy = dict(
        part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; ") if " " in part
    )
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self' 'unsafe-inline'"


@pytest.mark.django_db
def test_the_script_of_the_docs_is_a_script_of_its_own() -> None:
    response = signed_in(member("ana")).get("/api/docs/?script=")
    assert response.headers["Content-Type"] == "application/javascript"
    assert b"SwaggerUIBundle" in response.content


def test_a_process_is_alive_whoever_asks_by_whatever_name() -> None:
    assert Client().get("/livez", headers={"Host": "10.1.2.3:8000"}).json() == {"alive": True}


@pytest.mark.django_db
def test_a_process_is_ready_when_all_its_parts_are(storage: FolderStorage) -> None:
    response = Client().get("/readyz", headers={"Host": "10.1.2.3:8000"})
    assert (response.status_code, response.json()) == (200, {"ready": True, "failing": []})


@pytest.mark.django_db
@pytest.mark.parametrize("part", ["postgres", "migrations", "storage"])
def test_a_process_that_is_not_ready_names_the_part_and_nothing_more(
    part: str, storage: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = {
        "postgres": DatabaseError("password authentication failed for user kb"),
        "migrations": health.NotReadyError("2 migrations"),
        "storage": StorageError("the bucket secret-plans is missing"),
    }

    def fail() -> None:
        raise failures[part]

    monkeypatch.setattr(health, "CHECKS", [(n, fail if n == part else c) for n, c in health.CHECKS])
    response = Client().get("/readyz")
    assert (response.status_code, response.json()) == (503, {"ready": False, "failing": [part]})


def metrics(**request: str) -> Any:
    return Client().get("/metrics", **request)


def test_metrics_are_for_this_machine_or_for_the_token(settings: Any) -> None:
    settings.KB_METRICS_TOKEN = "let me read"
    assert metrics(REMOTE_ADDR="127.0.0.1").status_code == 200
    assert metrics(REMOTE_ADDR="::1").status_code == 200
    assert metrics(REMOTE_ADDR="10.0.0.9").status_code == 404
    assert metrics(REMOTE_ADDR="").status_code == 404
    assert metrics(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="10.0.0.9").status_code == 404
    assert metrics(REMOTE_ADDR="10.0.0.9", HTTP_AUTHORIZATION="Bearer let me read").status_code == 200
    assert metrics(REMOTE_ADDR="10.0.0.9", HTTP_AUTHORIZATION="Bearer wrong").status_code == 404


def test_an_empty_metrics_token_opens_nothing(settings: Any) -> None:
    settings.KB_METRICS_TOKEN = ""
    assert metrics(REMOTE_ADDR="10.0.0.9", HTTP_AUTHORIZATION="Bearer ").status_code == 404


@pytest.mark.django_db
def test_requests_are_timed_by_view_and_status() -> None:
    client = signed_in(member("ana"))
    client.get("/api/assets/12345/")
    text = metrics().content.decode()
    assert 'kb_http_request_seconds_count{method="GET",status="404",view="api-asset"}' in text
    assert "12345" not in text
