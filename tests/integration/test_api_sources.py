"""Can managers, and only they, say over HTTP what a collection follows; and only where this server may be asked to?"""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from kb.models import AuditEvent, Source, SourceFolder, SourceState
from kb.storage import FolderStorage
from tests.security.world import World, make_world, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(storage: FolderStorage) -> World:
    return make_world()


@pytest.fixture
def manager(world: World) -> Client:
    return signed_in(world.users["manager"])


def connecting(world: World) -> Client:
    """The manager, with the right to connect what the server reaches."""
    user = world.users["manager"]
    assert user is not None
    user.user_permissions.add(Permission.objects.get(codename="connect_storage"))
    return signed_in(User.objects.get(pk=user.pk))


def website(world: World, **fields: Any) -> dict[str, Any]:
    return {
        "collection": world.collection.pk,
        "name": "Site",
        "kind": "website",
        "settings": {"url": "https://example.org/"},
        **fields,
    }


def folder(world: World, path: Path, **fields: Any) -> dict[str, Any]:
    return website(world, name="Share", kind="folder", settings={"path": str(path)}, **fields)


def post(client: Client, body: dict[str, Any]) -> Any:
    return client.post("/api/sources/", body, content_type="application/json")


def error(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_a_source_is_made_read_changed_and_deleted(world: World, manager: Client) -> None:
    response = post(
        manager,
        website(world, schedule_minutes=60, folders=[{"folder": "/hr/", "readers": [{"user": "reader"}]}]),
    )
    assert response.status_code == 201
    made = response.json()
    assert made["settings"] == {
        "url": "https://example.org/",
        "sitemap": "",
        "path_prefix": "/",
        "max_depth": 3,
        "max_pages": 500,
        "delay_s": 1.0,
    }
    assert (made["state"], made["prefix"], made["next_scan_at"] is None) == ("idle", "", False)
    assert made["folders"] == [
        {"folder": "hr", "readers": [{"user": "reader", "group": None, "everyone": False}]}
    ]
    changed = manager.patch(
        made["url"],
        {"settings": {"url": "https://example.org/b"}, "schedule_minutes": None, "folders": []},
        content_type="application/json",
    ).json()
    assert (changed["settings"]["url"], changed["next_scan_at"], changed["folders"]) == (
        "https://example.org/b",
        None,
        [],
    )
    assert manager.delete(made["url"]).status_code == 204
    assert manager.get(made["url"]).status_code == 404
    actions = AuditEvent.objects.filter(action__startswith="source.").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "source.created",
        "source.changed",
        "source.deleted",
    ]


def test_a_source_is_made_only_by_a_manager_of_its_collection(world: World) -> None:
    for name, status in (("editor", 403), ("viewer", 403), ("outsider", 404), ("superuser", 404)):
        assert post(signed_in(world.users[name]), website(world)).status_code == status, name
    absent = website(world) | {"collection": 999_999_999}
    hidden = post(signed_in(world.users["outsider"]), website(world))
    assert post(signed_in(world.users["outsider"]), absent).content == hidden.content
    assert Source.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("website", {}),
        ("website", {"url": "ftp://example.org/"}),
        ("website", {"url": "https://user:secret@example.org/"}),
        ("website", {"url": "https://example.org/", "max_depth": True}),
        ("website", {"url": "https://example.org/", "max_pages": 10**9}),
        ("website", {"url": "https://example.org/", "delay_s": -1}),
        ("website", {"url": "https://example.org/", "sitemap": "https://elsewhere.org/s.xml"}),
        ("website", {"url": "https://example.org/", "colour": "red"}),
        ("website", {"url": ["https://example.org/"]}),
        ("s3", {"endpoint": "http://s3.example.org", "bucket": "abc"}),
        ("s3", {"endpoint": "s3.example.org", "bucket": "abc", "access_key_env": "SECRET_KEY"}),
        ("folder", {"path": "relative"}),
        ("folder", {"path": "/srv/../etc"}),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(
    kind: str, values: dict[str, Any], world: World
) -> None:
    response = post(connecting(world), website(world, kind=kind, settings=values))
    assert error(response) == (400, "source_settings")


def test_folders_and_buckets_need_the_right_to_connect_them(
    world: World, manager: Client, tmp_path: Path, settings: Any
) -> None:
    settings.KB_SOURCE_FOLDERS = [str(tmp_path)]
    bucket = website(world, kind="s3", settings={"endpoint": "s3.example.org", "bucket": "abc"})
    for body in (folder(world, tmp_path), bucket):
        assert error(post(manager, body)) == (403, "permission_denied")
    client = connecting(world)
    made = post(client, folder(world, tmp_path)).json()
    assert (made["settings"], made["prefix"]) == ({"path": str(tmp_path.resolve())}, "share")
    assert post(client, bucket).status_code == 201


def test_whoever_may_not_connect_a_share_may_not_turn_one_to_other_readers(
    world: World, tmp_path: Path, settings: Any
) -> None:
    settings.KB_SOURCE_FOLDERS = [str(tmp_path)]
    made = post(connecting(world), folder(world, tmp_path)).json()
    user = world.users["manager"]
    assert user is not None
    user.user_permissions.clear()
    client = signed_in(User.objects.get(pk=user.pk))
    for body in ({"folders": [{"folder": "", "readers": [{"everyone": True}]}]}, {"settings": {"path": "/"}}):
        assert client.patch(made["url"], body, content_type="application/json").status_code == 403
    assert client.patch(made["url"], {"name": "X"}, content_type="application/json").status_code == 200
    assert not SourceFolder.objects.filter(source=made["id"]).exists()


def test_only_folders_that_the_operators_opened_can_be_sources(
    world: World, tmp_path: Path, settings: Any
) -> None:
    client = connecting(world)
    assert error(post(client, folder(world, tmp_path))) == (400, "source_settings")
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "link").symlink_to(tmp_path)
    settings.KB_SOURCE_FOLDERS = [str(tmp_path / "open")]
    for path in (tmp_path, tmp_path / "opener", tmp_path / "open" / "link", Path("/etc")):
        assert error(post(client, folder(world, path))) == (400, "source_settings"), path
    made = post(client, folder(world, tmp_path / "open"))
    assert made.status_code == 201
    moved = client.patch(made.json()["url"], {"settings": {"path": "/etc"}}, content_type="application/json")
    assert error(moved) == (400, "source_settings")


def test_names_and_places_in_the_collection_are_once_each(
    world: World, tmp_path: Path, settings: Any
) -> None:
    settings.KB_SOURCE_FOLDERS = [str(tmp_path)]
    client = connecting(world)
    assert post(client, folder(world, tmp_path)).status_code == 201
    assert error(post(client, folder(world, tmp_path))) == (400, "source_taken")
    same_place = folder(world, tmp_path) | {"name": "Other", "prefix": "share"}
    assert error(post(client, same_place)) == (400, "source_taken")
    for prefix in ("../x", "/x", "x\\..\\y", ""):
        body = folder(world, tmp_path) | {"name": "Other", "prefix": prefix}
        assert post(client, body).status_code == 400, prefix


def test_a_scan_is_asked_for_once_at_a_time(world: World, manager: Client) -> None:
    url = f"/api/sources/{world.source.pk}/scan/"
    assert manager.post(url, {"may_delete_most": True}, content_type="application/json").status_code == 202
    world.source.refresh_from_db()
    assert (world.source.state, world.source.may_delete_most) == (SourceState.WAITING, True)
    assert manager.post(url).json()["state"] == "waiting"
    world.source.refresh_from_db()
    assert world.source.may_delete_most is False
    Source.objects.update(state=SourceState.SCANNING)
    assert error(manager.post(url)) == (400, "scan_under_way")
