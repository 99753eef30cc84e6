"""Do stored bytes reach a browser whole, in ranges, and without being able to act there?"""

import io
from dataclasses import dataclass
from typing import Any

import pytest

from kb.models import Asset, AuditEvent
from kb.storage import FolderStorage
from tests.security.world import World, body, make_world, png, published, segment, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(storage: FolderStorage) -> World:
    return make_world()


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes


def content(world: World, asset: Asset | None = None, **headers: str) -> Answer:
    """The manager's download of the asset, read to its end."""
    path = f"/api/assets/{(asset or world.shared).pk}/content"
    response = signed_in(world.users["manager"]).get(
        path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    return Answer(response.status_code, response.headers, body(response))


def test_a_file_comes_whole_as_an_attachment_that_can_do_nothing(world: World) -> None:
    response = content(world)
    assert response.body == b"0123456789"
    assert response.headers["Content-Disposition"] == 'attachment; filename="shared.txt"'
    assert response.headers["Content-Type"] == "text/plain"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    "media_type", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", ""]
)
def test_a_type_that_a_browser_could_run_is_sent_as_mere_bytes(media_type: str, world: World) -> None:
    asset = published(world.collection, "page.html", b"<script>", media_type=media_type)
    assert content(world, asset).headers["Content-Type"] == "application/octet-stream"


def test_a_name_cannot_leave_its_header(world: World) -> None:
    asset = published(world.collection, "notes.txt", b"x")
    Asset.objects.filter(pk=asset.pk).update(source_uri='a/说明"; x="\r\nSet-Cookie: a=b.txt')
    response = content(world, asset)
    assert "Set-Cookie" not in response.headers
    assert response.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''")


def test_a_range_comes_alone_and_says_where_it_stands(world: World) -> None:
    response = content(world, Range="bytes=3-5")
    assert (response.status, response.body) == (206, b"345")
    assert response.headers["Content-Range"] == "bytes 3-5/10"
    assert response.headers["Content-Length"] == "3"


def test_a_range_behind_the_end_is_refused(world: World) -> None:
    response = content(world, Range="bytes=10-")
    assert (response.status, response.headers["Content-Range"]) == (416, "bytes */10")


def test_a_range_of_what_has_changed_since_comes_whole(world: World) -> None:
    etag = content(world).headers["ETag"]
    assert content(world, Range="bytes=3-5", If_Range=etag).status == 206
    assert content(world, Range="bytes=3-5", If_Range='"other"').status == 200


def test_every_download_is_in_the_trail_and_an_unchanged_copy_is_none(world: World) -> None:
    response = content(world)
    content(world, If_None_Match=response.headers["ETag"])
    content(world, Range="bytes=3-5")
    events = AuditEvent.objects.filter(action="asset.downloaded").order_by("pk")
    assert [(event.target, event.actor, event.details) for event in events] == [
        (f"asset:{world.shared.pk}", world.users["manager"], {"version": 1, "range": ""}),
        (f"asset:{world.shared.pk}", world.users["manager"], {"version": 1, "range": "bytes 3-5/10"}),
    ]


def test_an_object_that_is_gone_is_not_found_rather_than_a_torn_answer(
    world: World, storage: FolderStorage
) -> None:
    storage.delete(world.shared.object_key)
    assert content(world).status == 404


def test_a_picture_is_shown_inline_and_asked_about_each_time(world: World) -> None:
    client = signed_in(world.users["viewer"])
    path = f"/api/segments/{world.shared_picture.pk}/picture"
    response = client.get(path)
    assert body(response) == png(colour="blue")
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["Content-Disposition"] == "inline"
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert client.get(path, headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


def test_a_linked_figure_shows_the_pixels_of_the_asset_that_it_names(world: World) -> None:
    path = f"/api/segments/{world.linked_figure.pk}/thumbnail"
    assert body(signed_in(world.users["manager"]).get(path)) == png()


def test_a_segment_without_pixels_has_no_picture(world: World) -> None:
    client = signed_in(world.users["viewer"])
    assert client.get(f"/api/segments/{world.shared_text.pk}/picture").status_code == 404


def test_what_is_no_picture_by_its_first_bytes_is_never_shown(world: World, storage: FolderStorage) -> None:
    storage.put("pictures/3/0/fake.png", io.BytesIO(b"<svg onload=alert(1)>"))
    fake = segment(world.shared, 7, kind="page", picture_key="pictures/3/0/fake.png")
    client = signed_in(world.users["viewer"])
    assert client.get(f"/api/segments/{fake.pk}/picture").status_code == 404
