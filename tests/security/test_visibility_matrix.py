"""Who gets what from each address that can reach a collection, an asset, a segment or a run?

The table below is written by hand from the rule in kb.permissions. Who is not in it must get, byte for byte, the
answer that an id gets which never existed.
"""

import io
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver, reverse

from kb.permissions import Principal, Role, grant
from kb.storage import FolderStorage
from tests.security.world import ALL_SCOPES, World, body, make_world, signed_in, with_token

pytestmark = [pytest.mark.django_db, pytest.mark.security]

ABSENT = 999_999_999
SIGNED_IN = ("outsider", "viewer", "editor", "manager", "reader", "superuser")
MEMBERS = frozenset({"viewer", "editor", "manager"})
EDITORS = frozenset({"editor", "manager"})
MANAGER = frozenset({"manager"})
PRIVATE = frozenset({"manager", "reader"})
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Case:
    """`allowed` get it; `told` know of the thing and learn that their role is too weak; to the rest it is absent."""

    method: str
    address: str  # The URL's name.
    target: str  # Attribute of World.
    scope: str
    allowed: frozenset[str]
    told: frozenset[str] = NOBODY
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.address} of {self.target}"


def upload() -> dict[str, Any]:
    return {"files": io.BytesIO(b"words")}


READERS = {"readers": [{"user": "manager"}]}
ANNOUNCED = {"Tus-Resumable": "1.0.0", "Upload-Length": "5", "Upload-Metadata": "filename YS50eHQ="}
EVERYONE = {"everyone": True, "role": "viewer"}
# To where it is already; tests/integration/test_library_move.py tries other places.
MOVE = {"collection": "plans"}
CASES = [
    Case("GET", "api-collection", "collection", "read", MEMBERS),
    Case("PATCH", "api-collection", "collection", "manage", MANAGER, MEMBERS - MANAGER, {"name": "New"}),
    Case("DELETE", "api-collection", "collection", "manage", MANAGER, MEMBERS - MANAGER),
    Case("GET", "api-grants", "collection", "manage", MANAGER, MEMBERS - MANAGER),
    Case("PUT", "api-grants", "collection", "manage", MANAGER, MEMBERS - MANAGER, EVERYONE),
    Case("POST", "api-uploads", "collection", "write", EDITORS, MEMBERS - EDITORS, upload),
    Case("POST", "api-tus", "collection", "write", EDITORS, MEMBERS - EDITORS, {}, ANNOUNCED),
    Case("POST", "api-open-runs", "collection", "write", EDITORS, MEMBERS - EDITORS),
    Case("POST", "api-run-seal", "run", "write", EDITORS),
    Case("GET", "api-source", "source", "manage", MANAGER),
    Case("PATCH", "api-source", "source", "manage", MANAGER, NOBODY, {"name": "New"}),
    Case("DELETE", "api-source", "source", "manage", MANAGER),
    Case("POST", "api-source-scan", "source", "manage", MANAGER),
    Case("GET", "api-run", "run", "read", EDITORS),
    Case("GET", "api-run-items", "run", "read", EDITORS),
    Case("GET", "api-run-events", "run", "read", EDITORS),
    Case("POST", "api-run-pause", "run", "write", EDITORS),
    Case("POST", "api-run-resume", "run", "write", EDITORS),
    Case("POST", "api-run-cancel", "run", "write", EDITORS),
    Case("POST", "api-run-retry-failures", "run", "write", EDITORS),
    Case("POST", "api-item-retry", "failed_item", "write", EDITORS),
    Case("GET", "api-asset", "shared", "read", MEMBERS),
    Case("GET", "api-asset-segments", "shared", "read", MEMBERS),
    Case("GET", "api-asset-content", "shared", "read", MEMBERS),
    Case("GET", "api-asset-audience", "shared", "manage", MANAGER, MEMBERS - MANAGER),
    Case("PUT", "api-asset-audience", "shared", "manage", MANAGER, MEMBERS - MANAGER, READERS),
    Case("DELETE", "api-asset-audience", "shared", "manage", MANAGER, MEMBERS - MANAGER),
    Case("POST", "api-asset-move", "shared", "manage", MANAGER, MEMBERS - MANAGER, MOVE),
    Case("DELETE", "api-asset", "shared", "manage", MANAGER, MEMBERS - MANAGER),
    Case("GET", "api-asset-stream", "shared_film", "read", MEMBERS),
    Case("GET", "api-asset-preview", "shared_film", "read", MEMBERS),
    Case("GET", "api-asset-stream", "private_film", "read", PRIVATE),
    Case("GET", "api-asset-preview", "private_film", "read", PRIVATE),
    Case("GET", "api-asset-stream", "unpublished", "read", NOBODY),
    Case("GET", "api-asset-preview", "unpublished", "read", NOBODY),
    Case("GET", "api-segment-picture", "shared_picture", "read", MEMBERS),
    Case("GET", "api-segment-thumbnail", "shared_picture", "read", MEMBERS),
    # Its own readers replace the collection's; the reader does not know of the collection.
    Case("GET", "api-asset", "private", "read", PRIVATE),
    Case("GET", "api-asset-segments", "private", "read", PRIVATE),
    Case("GET", "api-asset-content", "private", "read", PRIVATE),
    Case("GET", "api-asset-audience", "private", "manage", MANAGER),
    Case("PUT", "api-asset-audience", "private", "manage", MANAGER, NOBODY, READERS),
    Case("DELETE", "api-asset-audience", "private", "manage", MANAGER),
    Case("POST", "api-asset-move", "private", "manage", MANAGER, NOBODY, MOVE),
    Case("DELETE", "api-asset", "private", "manage", MANAGER),
    Case("GET", "api-segment-picture", "private_picture", "read", PRIVATE),
    Case("GET", "api-segment-thumbnail", "private_picture", "read", PRIVATE),
    # The figure is the viewer's to see, but its pixels are the private asset's.
    Case("GET", "api-segment-picture", "linked_figure", "read", MANAGER),
    Case("GET", "api-segment-thumbnail", "linked_figure", "read", MANAGER),
    # Known to those who will read it, so that they see it is coming; nothing of its content is.
    Case("GET", "api-asset", "unpublished", "read", MEMBERS),
    Case("GET", "api-asset-segments", "unpublished", "read", MEMBERS),
    Case("GET", "api-asset-content", "unpublished", "read", NOBODY),
    Case("GET", "api-segment-picture", "unpublished_text", "read", NOBODY),
    Case("GET", "api-segment-thumbnail", "unpublished_text", "read", NOBODY),
]
# Answered by whose token or account it is, or listed below: no id in them names anything of another person's.
WITHOUT_TARGET = {
    "api-collections",
    "api-runs",
    "api-sources",
    "api-tokens",
    "api-me",
    "api-schema",
    "api-docs",
    "api-search",
}
TESTED_ELSEWHERE = {"api-grant", "api-token", "api-tus-upload"}


@pytest.fixture
def world(storage: FolderStorage, settings: Any) -> World:
    settings.KB_EVENT_STREAM_S = 0  # One look at the run, and the stream ends.
    return make_world()


def address(case: Case, world: World, *, absent: bool = False) -> str:
    pk = ABSENT if absent else getattr(world, case.target).pk
    return reverse(case.address, args=[world.run.pk, pk] if case.address == "api-item-retry" else [pk])


def call(client: Client, case: Case, path: str) -> HttpResponse:
    """Makes the request and undoes what it did."""
    with transaction.atomic():
        send = getattr(client, case.method.lower())
        if callable(case.body):
            response = send(path, case.body(), headers=case.headers)
        elif case.method == "GET":
            response = send(path, headers=case.headers)
        else:
            response = send(path, case.body, content_type="application/json", headers=case.headers)
        transaction.set_rollback(True)
    return response


def seen(response: Any) -> tuple[int, bytes, dict[str, str]]:
    """All that a client can tell two answers apart by, but for the request's id."""
    headers = {name: value for name, value in response.headers.items() if name != "X-Request-ID"}
    return response.status_code, body(response), headers


def mismatch(client: Client, case: Case, world: World, expected: str) -> str | None:
    answer = seen(call(client, case, address(case, world)))
    absent = seen(call(client, case, address(case, world, absent=True)))
    fine = {
        "allowed": answer[0] in (200, 201, 202, 204) and absent[0] == 404,
        "told": answer[0] == 403 and absent[0] == 404,
        "absent": answer == absent and answer[0] == 404,
        "refused": answer == absent and answer[0] in (401, 403),
    }
    return None if fine[expected] else f"{case}: not {expected} but {answer[0]} {answer[1][:200]!r}"


def expectation(case: Case, name: str) -> str:
    return "allowed" if name in case.allowed else "told" if name in case.told else "absent"


@pytest.mark.parametrize("name", SIGNED_IN)
def test_a_signed_in_person_gets_what_the_table_says(name: str, world: World) -> None:
    client = signed_in(world.users[name])
    assert [m for case in CASES if (m := mismatch(client, case, world, expectation(case, name)))] == []


@pytest.mark.parametrize("name", SIGNED_IN)
def test_a_token_with_every_scope_gets_what_its_user_gets(name: str, world: World) -> None:
    user = world.users[name]
    assert user is not None
    client = with_token(user, ALL_SCOPES)
    assert [m for case in CASES if (m := mismatch(client, case, world, expectation(case, name)))] == []


def test_a_token_without_the_scope_is_refused_before_anything_is_looked_up(world: World) -> None:
    manager = world.users["manager"]
    assert manager is not None
    for scope in ALL_SCOPES:
        client = with_token(manager, [other for other in ALL_SCOPES if other != scope])
        wrong = [
            m for case in CASES if case.scope == scope and (m := mismatch(client, case, world, "refused"))
        ]
        assert wrong == []


@pytest.mark.parametrize("name", ["anonymous", "inactive"])
def test_who_is_not_signed_in_and_active_is_refused_everywhere(name: str, world: World) -> None:
    client = signed_in(world.users[name])
    assert [m for case in CASES if (m := mismatch(client, case, world, "refused"))] == []


def test_the_token_of_an_inactive_user_does_not_hold(world: World) -> None:
    inactive = world.users["inactive"]
    assert inactive is not None
    client = with_token(inactive, ALL_SCOPES)
    assert [m for case in CASES if (m := mismatch(client, case, world, "refused"))] == []


def test_the_matrix_has_every_address_of_the_api() -> None:
    names = {key for key in get_resolver().reverse_dict if isinstance(key, str) and key.startswith("api-")}
    assert names - WITHOUT_TARGET - TESTED_ELSEWHERE == {case.address for case in CASES}


# Per person: the collections, the runs and the sources.
LISTS = {
    "outsider": (0, 0, 0),
    "viewer": (1, 0, 0),
    "editor": (1, 1, 0),
    "manager": (1, 1, 1),
    "reader": (0, 0, 0),
    "superuser": (0, 0, 0),
}


@pytest.mark.parametrize(("name", "expected"), LISTS.items())
def test_lists_hold_what_the_person_may_see_and_count_nothing_else(
    name: str, expected: tuple[int, int, int], world: World
) -> None:
    client = signed_in(world.users[name])
    collections = client.get("/api/collections/").json()
    runs = client.get("/api/runs/").json()
    sources = client.get("/api/sources/").json()
    assert (collections["count"], runs["count"], sources["count"]) == expected
    assert len(sources["results"]) == expected[2]
    assert len(collections["results"]) == expected[0]
    assert len(runs["results"]) == expected[1]


def test_a_collection_counts_only_the_assets_that_the_caller_sees(world: World) -> None:
    # viewer: shared, its film and unpublished; manager: the two private ones too.
    counts = {
        name: signed_in(world.users[name])
        .get(f"/api/collections/{world.collection.pk}/")
        .json()["asset_count"]
        for name in ("viewer", "manager")
    }
    assert counts == {"viewer": 3, "manager": 5}


def test_a_run_names_the_id_of_an_asset_only_to_those_who_see_it(world: World) -> None:
    def ids(name: str) -> list[int | None]:
        items = signed_in(world.users[name]).get(f"/api/runs/{world.run.pk}/items/").json()["results"]
        return [item["asset_id"] for item in items]

    assert ids("manager") == [world.shared.pk, world.private.pk, world.unpublished.pk]
    assert ids("editor") == [world.shared.pk, None, world.unpublished.pk]


def test_someone_who_reads_a_single_asset_does_not_learn_its_collection(world: World) -> None:
    asset = signed_in(world.users["reader"]).get(f"/api/assets/{world.private.pk}/").json()
    assert asset["collection"] is None
    assert "Plans" not in json.dumps(asset)


def test_nothing_of_an_unpublished_version_is_in_its_asset(world: World) -> None:
    client = signed_in(world.users["viewer"])
    asset = client.get(f"/api/assets/{world.unpublished.pk}/").json()
    assert (asset["outline"], asset["content_url"]) == ([], "")
    assert client.get(f"/api/assets/{world.unpublished.pk}/segments/").json()["count"] == 0


def test_taking_a_grant_away_takes_effect_at_once(world: World) -> None:
    viewer, manager = signed_in(world.users["viewer"]), signed_in(world.users["manager"])
    path = f"/api/segments/{world.shared_picture.pk}/picture"
    first = viewer.get(path)
    assert body(first)
    etag = first.headers["ETag"]
    assert viewer.get(path, headers={"If-None-Match": etag}).status_code == 304
    grants = manager.get(f"/api/collections/{world.collection.pk}/grants/").json()
    pk = next(entry["id"] for entry in grants if entry["user"] == "viewer")
    assert manager.delete(f"/api/collections/{world.collection.pk}/grants/{pk}/").status_code == 204
    assert viewer.get(path, headers={"If-None-Match": etag}).status_code == 404


def test_a_grant_of_another_collection_cannot_be_removed_through_ones_own(world: World) -> None:
    outsider = world.users["outsider"]
    assert outsider is not None
    from kb import curation

    own = curation.create_collection(outsider, "Mine")
    theirs = world.collection.audience.members.first()
    assert theirs is not None
    client = signed_in(outsider)
    hidden = client.delete(f"/api/collections/{own.pk}/grants/{theirs.pk}/")
    absent = client.delete(f"/api/collections/{own.pk}/grants/{ABSENT}/")
    assert seen(hidden) == seen(absent)
    assert hidden.status_code == 404
    assert world.collection.audience.members.filter(pk=theirs.pk).exists()


SECRETS = ("Plans", "shared.txt", "private.png", "unpublished.txt", "Seals")


def test_the_admin_shows_a_superuser_without_a_grant_no_content(world: World) -> None:
    client = signed_in(world.users["superuser"])
    for model in admin.site._registry:
        if model._meta.app_label != "kb":
            continue
        page = client.get(reverse(f"admin:kb_{model._meta.model_name}_changelist"))
        assert page.status_code == 200, model
        assert [secret for secret in SECRETS if secret in page.content.decode()] == [], model


def test_the_admin_shows_a_granted_superuser_what_the_grant_says(world: World) -> None:
    grant(world.collection, Principal(user=world.users["superuser"]), Role.VIEWER)
    client = signed_in(world.users["superuser"])
    page = client.get(reverse("admin:kb_asset_changelist")).content.decode()
    assert "shared.txt" in page
    assert "private.png" not in page
    assert client.get(reverse("admin:kb_asset_change", args=[world.shared.pk])).status_code == 200
    # The admin sends whoever asks for what is not there back to its start.
    assert client.get(reverse("admin:kb_asset_change", args=[world.private.pk])).status_code == 302
