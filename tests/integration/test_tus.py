"""Does an upload survive a broken connection, and is it taken in once and whole?"""

import base64
import hashlib
import io
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from tusclient.client import TusClient

from kb import tokens, tus
from kb.exceptions import StorageError
from kb.models import AssetVersion, IngestItem, IngestRun, RunState, TusPiece, TusUpload
from kb.storage import FolderStorage
from tests.security.world import World, make_world, signed_in

VERSION = {"Tus-Resumable": "1.0.0"}
PIECE = 64 * 1024
WORDS = b"".join(b"Line %d says that pumps move water.\n" % number for number in range(10_000))


@pytest.fixture
def world(db: None, storage: FolderStorage) -> World:
    return make_world()


def editor(world: World) -> Client:
    return signed_in(world.users["editor"])


def encoded(**values: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())


def announce(client: Client, world: World, length: int, **metadata: str) -> Any:
    return client.post(
        f"/api/collections/{world.collection.pk}/tus/",
        headers={
            **VERSION,
            "Upload-Length": str(length),
            "Upload-Metadata": encoded(**(metadata or {"filename": "a.txt"})),
        },
    )


def created(client: Client, world: World, length: int, **metadata: str) -> str:
    response = announce(client, world, length, **metadata)
    assert response.status_code == 201, response.content
    return urlsplit(response["Location"]).path


def patch(client: Client, path: str, offset: int, content: bytes, **headers: str) -> Any:
    return client.patch(
        path,
        content,
        content_type="application/offset+octet-stream",
        headers={
            **VERSION,
            "Upload-Offset": str(offset),
            **{k.replace("_", "-"): v for k, v in headers.items()},
        },
    )


def offset_of(client: Client, path: str) -> int:
    return int(client.head(path, headers=VERSION)["Upload-Offset"])


def until(happened: Callable[[], bool], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


def tus_client(live_server: LiveServer, world: World) -> TusClient:
    user = world.users["editor"]
    assert user is not None
    _, secret = tokens.issue(user, "tus", ["write"])
    return TusClient(
        f"{live_server.url}/api/collections/{world.collection.pk}/tus/",
        headers={"Authorization": f"Bearer {secret}"},
    )


def assert_taken_in(path: str, content: bytes, storage: FolderStorage) -> None:
    item = IngestItem.objects.get(path=path)
    version = item.asset_version
    assert version is not None
    assert version.sha256 == hashlib.sha256(content).hexdigest()
    with storage.open(version.object_key) as stream:
        assert stream.read() == content
    assert list(storage.keys("uploads/")) == []
    assert not TusPiece.objects.exists()
    item.run.refresh_from_db()
    assert item.run.sealed


@pytest.mark.django_db(transaction=True)
def test_a_client_that_was_interrupted_goes_on_where_it_stopped(
    live_server: LiveServer, world: World, storage: FolderStorage
) -> None:
    client = tus_client(live_server, world)
    first = client.uploader(
        file_stream=io.BytesIO(WORDS), chunk_size=PIECE, metadata={"path": "folder/words.txt"}
    )
    first.upload(stop_at=2 * PIECE)
    assert first.offset == 2 * PIECE
    second = client.uploader(file_stream=io.BytesIO(WORDS), chunk_size=PIECE, url=first.url)
    assert second.offset == 2 * PIECE
    second.upload()
    assert_taken_in("folder/words.txt", WORDS, storage)


@pytest.mark.django_db(transaction=True)
def test_a_client_sends_a_whole_file_with_checksums(
    live_server: LiveServer, world: World, storage: FolderStorage
) -> None:
    client = tus_client(live_server, world)
    client.uploader(
        file_stream=io.BytesIO(WORDS),
        chunk_size=3 * PIECE,
        metadata={"filename": "words.txt"},
        upload_checksum=True,
    ).upload()
    assert_taken_in("words.txt", WORDS, storage)


@pytest.mark.django_db(transaction=True)
def test_what_arrived_before_the_connection_broke_is_kept(
    live_server: LiveServer, world: World, storage: FolderStorage
) -> None:
    client = tus_client(live_server, world)
    uploader = client.uploader(file_stream=io.BytesIO(WORDS), metadata={"filename": "words.txt"})
    uploader.set_url(uploader.create_url())
    address = urlsplit(uploader.url)
    head = (
        f"PATCH {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nTus-Resumable: 1.0.0\r\n"
        f"Authorization: {client.headers['Authorization']}\r\nUpload-Offset: 0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(WORDS)}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(head.encode() + WORDS[: 3 * PIECE])
    until(lambda: TusUpload.objects.get().offset > 0)
    again = client.uploader(file_stream=io.BytesIO(WORDS), url=uploader.url)
    assert again.offset == 3 * PIECE
    again.upload()
    assert_taken_in("words.txt", WORDS, storage)


def test_a_wrong_offset_is_a_conflict_and_changes_nothing(world: World) -> None:
    client = editor(world)
    path = created(client, world, 10)
    assert patch(client, path, 0, b"01234").status_code == 204
    for offset in (0, 4, 6):
        response = patch(client, path, offset, b"56789"[: 10 - offset])
        assert (response.status_code, response.json()["error"]["code"]) == (409, "wrong_offset")
    assert offset_of(client, path) == 5


def test_two_who_go_on_at_the_same_place_do_not_mix(world: World, storage: FolderStorage) -> None:
    client = editor(world)
    path = created(client, world, 8)
    upload = TusUpload.objects.get()

    class Meanwhile(io.BytesIO):
        """Before its bytes are counted, the same upload gets others from elsewhere."""

        def read(self, size: int | None = -1) -> bytes:
            if not TusPiece.objects.exists():
                tus.append(TusUpload.objects.get(), 0, io.BytesIO(b"AAAA"))
            return super().read(size)

    with pytest.raises(tus.WrongOffsetError):
        tus.append(upload, 0, Meanwhile(b"BBBB"))
    assert patch(client, path, 4, b"CCCC").status_code == 204
    with storage.open(AssetVersion.objects.latest("pk").object_key) as stream:
        assert stream.read() == b"AAAACCCC"


def test_a_damaged_piece_is_refused_as_a_whole(world: World, storage: FolderStorage) -> None:
    client = editor(world)
    path = created(client, world, 10)
    right = base64.b64encode(hashlib.sha256(b"01234").digest()).decode()
    assert patch(client, path, 0, b"01x34", Upload_Checksum=f"sha256 {right}").status_code == 460
    assert (offset_of(client, path), list(storage.keys("uploads/"))) == (0, [])
    assert patch(client, path, 0, b"01234", Upload_Checksum="crc32 AAAA").status_code == 400
    assert patch(client, path, 0, b"01234", Upload_Checksum=f"sha256 {right}").status_code == 204


def test_the_limit_is_said_before_a_byte_is_sent(world: World, settings: Any) -> None:
    settings.KB_MAX_UPLOAD_BYTES = 1000
    client = editor(world)
    response = announce(client, world, 1001)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")
    path = created(client, world, 1000)
    response = patch(client, path, 0, b"x" * 1001)
    assert response.status_code == 413
    options = client.options(f"/api/collections/{world.collection.pk}/tus/")
    assert (options.status_code, options["Tus-Max-Size"], options["Tus-Version"]) == (204, "1000", "1.0.0")


def test_more_bytes_than_announced_are_refused(world: World) -> None:
    client = editor(world)
    path = created(client, world, 4)
    assert patch(client, path, 0, b"01234").status_code == 413
    with pytest.raises(tus.TooMuchError):
        tus.append(TusUpload.objects.get(), 0, io.BytesIO(b"01234"))
    assert offset_of(client, path) == 0


@pytest.mark.parametrize(
    ("length", "metadata"),
    [
        ("", "filename YQ=="),
        ("-1", "filename YQ=="),
        ("1e3", "filename YQ=="),
        ("5", ""),
        ("5", "filename !"),
    ],
)
def test_an_announcement_that_makes_no_sense_is_refused(length: str, metadata: str, world: World) -> None:
    response = editor(world).post(
        f"/api/collections/{world.collection.pk}/tus/",
        headers={**VERSION, "Upload-Length": length, "Upload-Metadata": metadata},
    )
    assert response.status_code == 400
    assert not TusUpload.objects.exists()


def test_a_path_that_points_outside_is_refused_before_a_byte_is_sent(world: World) -> None:
    response = announce(editor(world), world, 5, path="../../etc/passwd")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "unsafe_path")


def test_another_version_of_the_protocol_is_refused(world: World) -> None:
    client = editor(world)
    path = created(client, world, 5)
    for response in (
        client.head(path),
        client.head(path, headers={"Tus-Resumable": "0.2.2"}),
        client.patch(path, b"x", content_type="application/offset+octet-stream"),
        client.delete(path),
        client.post(f"/api/collections/{world.collection.pk}/tus/"),
    ):
        assert (response.status_code, response["Tus-Version"]) == (412, "1.0.0")


def test_only_its_own_type_of_body_is_taken(world: World) -> None:
    client = editor(world)
    path = created(client, world, 5)
    response = client.patch(path, b"x", content_type="text/plain", headers={**VERSION, "Upload-Offset": "0"})
    assert response.status_code == 415


def test_patch_and_delete_go_through_networks_that_know_only_post(world: World) -> None:
    client = editor(world)
    path = created(client, world, 5)
    response = client.post(
        path,
        b"abc",
        content_type="application/offset+octet-stream",
        headers={**VERSION, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"},
    )
    assert (response.status_code, response["Upload-Offset"]) == (204, "3")
    assert client.post(path, headers=VERSION).status_code == 405
    assert client.post(path, headers={**VERSION, "X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert client.head(path, headers=VERSION).status_code == 404


def test_head_says_how_far_it_is_and_is_kept_by_nobody(world: World) -> None:
    client = editor(world)
    path = created(client, world, 5, filename="a.txt")
    patch(client, path, 0, b"ab")
    response = client.head(path, headers=VERSION)
    assert (response["Upload-Offset"], response["Upload-Length"]) == ("2", "5")
    assert (response["Cache-Control"], response["Upload-Metadata"]) == ("no-store", encoded(filename="a.txt"))
    assert "GMT" in response["Upload-Expires"]


def test_an_ended_upload_leaves_nothing(world: World, storage: FolderStorage) -> None:
    client = editor(world)
    path = created(client, world, 5)
    patch(client, path, 0, b"ab")
    assert client.delete(path, headers=VERSION).status_code == 204
    assert (list(storage.keys("uploads/")), TusUpload.objects.count()) == ([], 0)
    assert patch(client, path, 2, b"cde").status_code == 404


def test_the_last_piece_answers_with_the_run_and_so_does_a_later_question(world: World) -> None:
    client = editor(world)
    path = created(client, world, 5)
    response = patch(client, path, 0, b"Pumps")
    assert client.get(response["Kb-Run"]).json()["sealed"] is True
    again = client.head(path, headers=VERSION)
    assert (again["Kb-Run"], again["Upload-Offset"]) == (response["Kb-Run"], "5")


def test_an_empty_file_has_its_outcome_at_once(world: World) -> None:
    response = announce(editor(world), world, 0)
    assert response.status_code == 201
    assert IngestItem.objects.get(path="a.txt").error_code == "empty_file"


def test_many_files_share_a_run_that_is_opened_and_sealed(world: World) -> None:
    client = editor(world)
    run = client.post(f"/api/collections/{world.collection.pk}/runs/").json()
    for name in ("a.txt", "b.txt"):
        path = created(client, world, 5, path=f"folder/{name}", run=str(run["id"]))
        patch(client, path, 0, b"word" + name[:1].encode())
    found = IngestRun.objects.get(pk=run["id"])
    assert (found.sealed, list(found.items.values_list("path", flat=True))) == (
        False,
        ["folder/a.txt", "folder/b.txt"],
    )
    assert client.post(f"{run['url']}seal/").json()["sealed"] is True
    assert announce(client, world, 5, path="c.txt", run=str(run["id"])).status_code == 400


def test_a_run_of_somebody_else_or_of_another_kind_takes_no_uploads(world: World) -> None:
    manager = signed_in(world.users["manager"])
    theirs = manager.post(f"/api/collections/{world.collection.pk}/runs/").json()["id"]
    client = editor(world)
    assert announce(client, world, 5, path="a.txt", run=str(theirs)).status_code == 404
    assert announce(client, world, 5, path="a.txt", run="999999999").status_code == 404
    assert announce(client, world, 5, path="a.txt", run="x").status_code == 404
    assert announce(client, world, 5, path="a.txt", run=str(world.run.pk)).status_code == 400
    IngestRun.objects.filter(pk=world.run.pk).update(sealed=False)
    assert client.post(f"/api/runs/{world.run.pk}/seal/").status_code == 400


def test_a_file_whose_run_was_cancelled_meanwhile_gets_one_of_its_own(world: World) -> None:
    client = editor(world)
    run = client.post(f"/api/collections/{world.collection.pk}/runs/").json()
    path = created(client, world, 5, path="a.txt", run=str(run["id"]))
    client.post(f"{run['url']}cancel/")
    patch(client, path, 0, b"Pumps")
    item = IngestItem.objects.get(path="a.txt")
    assert item.run_id != run["id"]
    assert item.run.sealed


def test_nobody_but_its_maker_goes_on_with_an_upload(world: World) -> None:
    path = created(editor(world), world, 5)
    missing = path[:-2] + ("0" if path[-2] != "0" else "1") + "/"
    for name in ("outsider", "viewer", "manager", "reader", "superuser"):
        client = signed_in(world.users[name])
        for act in (
            lambda client, path: client.head(path, headers=VERSION),
            lambda client, path: patch(client, path, 0, b"x"),
            lambda client, path: client.delete(path, headers=VERSION),
        ):
            hidden, absent = act(client, path), act(client, missing)
            assert (hidden.status_code, hidden.content) == (404, absent.content), name
    for client in (Client(), signed_in(world.users["inactive"])):
        assert client.head(path, headers=VERSION).status_code == 401
    assert offset_of(editor(world), path) == 0


def test_who_may_not_add_any_more_may_not_go_on(world: World) -> None:
    client = editor(world)
    path = created(client, world, 5)
    world.collection.audience.members.filter(user=world.users["editor"]).delete()
    assert patch(client, path, 0, b"Pumps").status_code == 404
    assert not IngestItem.objects.filter(path="a.txt").exists()


def test_a_token_needs_the_scope_to_write(world: World) -> None:
    user = world.users["editor"]
    assert user is not None
    path = created(editor(world), world, 5)
    _, secret = tokens.issue(user, "read", ["read", "search", "manage"])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    assert announce(client, world, 5).status_code == 403
    assert client.head(path, headers=VERSION).status_code == 403
    assert patch(client, path, 0, b"x").status_code == 403


def test_an_expired_upload_is_cleared_away(world: World, storage: FolderStorage) -> None:
    client = editor(world)
    old, fresh = created(client, world, 5), created(client, world, 5)
    for path in (old, fresh):
        patch(client, path, 0, b"ab")
    storage.put("uploads/0123456789abcdef/orphan", io.BytesIO(b"of nobody"))
    TusUpload.objects.filter(pk=old.split("/")[-2]).update(expires_at=timezone.now() - timedelta(seconds=1))
    tus.tidy()
    assert client.head(old, headers=VERSION).status_code == 404
    assert offset_of(client, fresh) == 2
    assert list(storage.keys("uploads/")) == [TusPiece.objects.get().object_key]


def test_a_whole_upload_that_a_dying_server_left_is_taken_in_later(
    world: World, monkeypatch: pytest.MonkeyPatch, storage: FolderStorage
) -> None:
    client = editor(world)
    path = created(client, world, 5)
    real = tus.uploads.receive

    def failing(*_: object, **__: object) -> None:
        raise StorageError

    monkeypatch.setattr(tus.uploads, "receive", failing)
    assert patch(client, path, 0, b"Pumps").status_code == 503
    monkeypatch.setattr(tus.uploads, "receive", real)
    # And once where somebody died over it.
    TusUpload.objects.update(finishing_until=timezone.now() + timedelta(minutes=1))
    tus.tidy()
    assert not IngestItem.objects.filter(path="a.txt").exists()
    TusUpload.objects.update(finishing_until=timezone.now() - timedelta(seconds=1))
    tus.tidy()
    assert_taken_in("a.txt", b"Pumps", storage)
    tus.tidy()
    assert IngestItem.objects.filter(path="a.txt").count() == 1


def test_an_open_run_that_everybody_forgot_is_sealed(world: World) -> None:
    run = editor(world).post(f"/api/collections/{world.collection.pk}/runs/").json()["id"]
    tus.tidy()
    assert not IngestRun.objects.get(pk=run).sealed
    IngestRun.objects.filter(pk=run).update(created_at=timezone.now() - timedelta(days=2))
    tus.tidy()
    found = IngestRun.objects.get(pk=run)
    assert (found.sealed, found.state) == (True, RunState.RUNNING)
