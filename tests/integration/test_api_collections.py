"""Can collections and their grants be kept over HTTP, and do the rules that keep them usable hold?"""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from kb.models import Asset, Audience, AuditEvent, Collection, Role
from kb.permissions import role_in
from kb.storage import FolderStorage
from tests.security.world import body, make_world, member, png, published, segment, signed_in

pytestmark = pytest.mark.django_db
JSON = "application/json"


def creator(name: str = "ana") -> Client:
    user = member(name)
    user.user_permissions.add(Permission.objects.get(codename="add_collection"))
    return signed_in(user)


def made(client: Client, name: str = "Pumps") -> Any:
    return client.post("/api/collections/", {"name": name}, content_type=JSON).json()


def test_whoever_creates_a_collection_manages_it_alone() -> None:
    collection = made(creator())
    assert (collection["slug"], collection["role"], collection["asset_count"]) == ("pumps", "manager", 0)
    assert signed_in(member("ben")).get("/api/collections/").json()["count"] == 0
    assert AuditEvent.objects.get().action == "collection.created"


def test_creating_needs_the_permission() -> None:
    response = signed_in(member("ana")).post("/api/collections/", {"name": "Pumps"}, content_type=JSON)
    assert response.status_code == 403
    assert not Collection.objects.exists()


def test_a_name_that_is_taken_gets_another_slug() -> None:
    first, second = made(creator("ana")), made(creator("ben"))
    assert (first["slug"], second["slug"]) == ("pumps", "pumps-2")


def test_a_manager_changes_the_named_fields_only() -> None:
    client = creator()
    collection = made(client)
    changed = client.patch(collection["url"], {"description": "All of them.", "slug": "x"}, content_type=JSON)
    assert changed.json() == {**collection, "description": "All of them."}


def grants(client: Client, collection: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{collection['url']}grants/").json()
    return [{k: v for k, v in entry.items() if k != "id"} for entry in found]


def test_grants_name_a_user_a_group_or_everyone_and_change_in_place() -> None:
    client = creator()
    collection = made(client)
    member("ben")
    Group.objects.create(name="Fitters")
    for wanted in (
        {"user": "ben", "role": "viewer"},
        {"user": "ben", "role": "editor"},
        {"group": "Fitters", "role": "viewer"},
        {"everyone": True, "role": "viewer"},
    ):
        assert client.put(f"{collection['url']}grants/", wanted, content_type=JSON).status_code == 200
    assert grants(client, collection) == [
        {"user": "ana", "group": None, "everyone": False, "role": "manager"},
        {"user": "ben", "group": None, "everyone": False, "role": "editor"},
        {"user": None, "group": "Fitters", "everyone": False, "role": "viewer"},
        {"user": None, "group": None, "everyone": True, "role": "viewer"},
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "viewer"}, None),
        ({"user": "ana", "everyone": True, "role": "viewer"}, None),
        ({"user": "nobody", "role": "viewer"}, "user"),
        ({"group": "nobody", "role": "viewer"}, "group"),
        ({"everyone": True, "role": "editor"}, "role"),
        ({"user": "ana", "role": "owner"}, "role"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(body: dict[str, Any], field: str | None) -> None:
    client = creator()
    response = client.put(f"{made(client)['url']}grants/", body, content_type=JSON)
    assert response.status_code == 400
    assert response.json()["error"].get("field") == field


def test_the_last_manager_can_neither_leave_nor_step_down() -> None:
    client = creator()
    collection = made(client)
    own = client.get(f"{collection['url']}grants/").json()[0]["id"]
    left = client.delete(f"{collection['url']}grants/{own}/")
    stepped_down = client.put(
        f"{collection['url']}grants/", {"user": "ana", "role": "viewer"}, content_type=JSON
    )
    assert [left.status_code, stepped_down.status_code] == [400, 400]
    assert left.json()["error"]["code"] == "last_manager"
    assert grants(client, collection)[0]["role"] == "manager"


def test_deleting_a_collection_leaves_nothing_of_it(storage: FolderStorage) -> None:
    world = make_world()
    audience = world.collection.audience_id
    assert (
        signed_in(world.users["manager"]).delete(f"/api/collections/{world.collection.pk}/").status_code
        == 204
    )
    assert not Collection.objects.exists()
    assert not Asset.objects.exists()
    assert not Audience.objects.filter(pk=audience).exists()
    assert AuditEvent.objects.get(action="collection.deleted").actor == world.users["manager"]


def test_the_readers_of_an_asset_replace_those_of_its_collection_and_can_be_reset(
    storage: FolderStorage,
) -> None:
    world = make_world()
    manager, viewer = signed_in(world.users["manager"]), signed_in(world.users["viewer"])
    address = f"/api/assets/{world.shared.pk}/audience"
    response = manager.put(
        address, {"readers": [{"user": "manager"}, {"user": "outsider"}]}, content_type=JSON
    )
    assert response.json() == {
        "own": True,
        "readers": [
            {"user": "manager", "group": None, "everyone": False},
            {"user": "outsider", "group": None, "everyone": False},
        ],
    }
    picture = f"/api/segments/{world.shared_picture.pk}/picture"
    assert viewer.get(picture).status_code == 404
    assert body(signed_in(world.users["outsider"]).get(picture)) == png(colour="blue")
    assert manager.delete(address).json()["own"] is False
    assert body(viewer.get(picture)) == png(colour="blue")
    actions = AuditEvent.objects.filter(action__startswith="asset.readers").order_by("pk")
    assert [event.action for event in actions] == ["asset.readers_set", "asset.readers_reset"]


def test_nobody_gives_an_asset_to_readers_that_they_are_not_among(storage: FolderStorage) -> None:
    world = make_world()
    manager = signed_in(world.users["manager"])
    address = f"/api/assets/{world.shared.pk}/audience"
    response = manager.put(address, {"readers": [{"user": "viewer"}]}, content_type=JSON)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "readers_without_you"
    assert manager.get(address).json()["own"] is False


def test_the_outline_has_each_heading_once_in_reading_order(storage: FolderStorage) -> None:
    client = creator()
    collection = Collection.objects.get(pk=made(client)["id"])
    asset = published(collection, "manual.txt", b"x")
    first = segment(asset, 0, heading_path=["Pumps"], page=1)
    segment(asset, 1, heading_path=["Pumps"], page=2)
    second = segment(asset, 2, heading_path=["Pumps", "Seals"], page=3)
    segment(asset, 3)
    assert client.get(f"/api/assets/{asset.pk}/").json()["outline"] == [
        {"heading_path": ["Pumps"], "page": 1, "segment_id": first.pk},
        {"heading_path": ["Pumps", "Seals"], "page": 3, "segment_id": second.pk},
    ]


def test_deleting_an_asset_removes_its_rows_and_says_who_did_it(storage: FolderStorage) -> None:
    world = make_world()
    manager = signed_in(world.users["manager"])
    assert manager.delete(f"/api/assets/{world.shared.pk}/").status_code == 204
    assert manager.get(f"/api/assets/{world.shared.pk}/").status_code == 404
    assert not Asset.objects.filter(pk=world.shared.pk).exists()
    event = AuditEvent.objects.get(action="asset.deleted")
    assert (event.actor, event.target) == (world.users["manager"], f"asset:{world.shared.pk}")
    assert role_in(world.users["manager"], world.collection) == Role.MANAGER
