"""From files to found: over HTTP, on a real PostgreSQL, with the real parsers, reader and text encoder.

Only the broker is left out: the steps are worked off in this process.
"""

import io
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from kb.models import Role
from kb.permissions import Principal, grant
from kb.storage import FolderStorage
from tests.builders import encoded, encrypted_pdf, pdf, pdf_without_pages, picture, png_claiming, scene
from tests.integration.ingest import live_steps, rows, work_off
from tests.library import a_collection
from tests.security.world import body, signed_in

PASSWORD = "correct horse battery"
# In seconds; the first search loads the encoder.
TIMEOUT = 60

MARKDOWN = """# Turbine pumps

## Sealing

The gland packing is replaced every second year by the maintenance crew.

## Purchasing

Ask the purchasing department for the price of spare parts.
"""
MANUAL = pdf(
    [
        [
            (72, 760, 24, "Compressor manual"),
            # A page with enough words to be a passage of its own.
            *(
                (72, 700 - 20 * line, 11, "Keep this book near the machine, dry and clean.")
                for line in range(9)
            ),
        ],
        [(72, 760, 11, "Drain the condensate from the receiver once a week.")],
    ],
    title="Compressor manual",
)
PANEL = picture("OVERPRESSURE\nALARM E42")


def person(name: str, *permissions: str) -> User:
    user = User.objects.create_user(name, password=PASSWORD)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


class Browser:
    """Signs in as a person does, with cookies and the form's token."""

    def __init__(self, site: str, name: str) -> None:
        self.site = site
        self.session = requests.Session()
        self.get("/login/")
        answer = self.post("/login/", data={"username": name, "password": PASSWORD})
        assert answer.url == f"{site}/", "signed in, and led to the search"

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.site + path, timeout=TIMEOUT, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.send("POST", path, **options)

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"X-CSRFToken": self.session.cookies["csrftoken"], "Referer": self.site}
        return self.session.request(method, self.site + path, headers=headers, timeout=TIMEOUT, **options)

    def found(self, words: str) -> list[str]:
        answer = self.get("/api/search/", params={"q": words})
        assert answer.status_code == 200, answer.text
        return [hit["source_uri"] for hit in answer.json()["hits"]]

    def found_by_picture(self, content: bytes, words: str = "") -> list[str]:
        answer = self.post("/api/search/", data={"q": words}, files={"picture": ("query.png", content)})
        assert answer.status_code == 200, answer.text
        return [hit["source_uri"] for hit in answer.json()["hits"]]


SignIn = Callable[[str], Browser]


@pytest.fixture
def sign_in(live_server: LiveServer, storage: FolderStorage) -> Iterator[SignIn]:
    browsers: list[Browser] = []

    def sign_in(name: str) -> Browser:
        browsers.append(Browser(str(live_server.url), name))
        return browsers[-1]

    yield sign_in
    for browser in browsers:
        browser.session.close()
    # A thread of the server ends its session after it has answered; the database can be dropped only then.
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    deadline = time.monotonic() + TIMEOUT
    while rows(others) != [(0,)]:
        assert time.monotonic() < deadline, "the server's threads keep their sessions"
        time.sleep(0.05)


def test_what_is_uploaded_is_found_by_those_who_may_see_it_and_by_nobody_else(sign_in: SignIn) -> None:
    person("ana", "add_collection")
    person("ben")
    ana, ben = sign_in("ana"), sign_in("ben")
    assert ben.post("/api/collections/", json={"name": "Mine", "slug": "mine"}).status_code == 403

    made = ana.post("/api/collections/", json={"name": "Plant", "slug": "plant"})
    assert made.status_code == 201, made.text
    collection = made.json()["id"]
    files = {"pumps.md": MARKDOWN.encode(), "manuals/compressor.pdf": MANUAL, "panel.png": PANEL}
    upload = {
        "files": [("files", (path.split("/")[-1], content)) for path, content in files.items()],
        "data": {"paths": list(files)},
    }
    # Whoever is not in the collection cannot tell that there is one.
    assert ben.post(f"/api/collections/{collection}/uploads/", **upload).status_code == 404
    accepted = ana.post(f"/api/collections/{collection}/uploads/", **upload)
    assert accepted.status_code == 202, accepted.text
    run = accepted.json()["run"]
    assert ana.found("gland packing") == []

    work_off()

    watched = ana.get(f"/api/runs/{run['id']}/").json()
    assert (watched["state"], watched["progress"]["ended"], watched["progress"]["total"]) == ("done", 3, 3)
    items = ana.get(f"/api/runs/{run['id']}/items/").json()["results"]
    assert {item["path"]: item["outcome"] for item in items} == dict.fromkeys(files, "indexed")
    page = ana.get(f"/runs/{run['id']}/")
    assert page.status_code == 200
    assert all(path in page.text for path in files)
    assert ben.get(f"/runs/{run['id']}/").status_code == 404
    assert ben.get(f"/api/runs/{run['id']}/").status_code == 404

    assert_ana_finds_everything(ana)
    assets = {item["path"]: item["asset_id"] for item in items}
    assert_downloads(ana, assets, files)

    # Another person sees nothing of it, by no way.
    for words in ("gland packing", "condensate", "overpressure", "in:plant", "kind:document"):
        assert ben.found(words) == [], words
    assert ben.found_by_picture(PANEL) == []
    for asset in assets.values():
        assert ben.get(f"/api/assets/{asset}/content").status_code == 404
        assert ben.get(f"/api/assets/{asset}/").status_code == 404
        assert ben.get(f"/assets/{asset}/").status_code == 404

    # Until they are let in; and again when they are not.
    grants = f"/api/collections/{collection}/grants/"
    granted = ana.send("PUT", grants, json={"user": "ben", "role": "viewer"})
    assert granted.status_code == 200, granted.text
    assert ben.found("gland packing") == ["pumps.md"]
    assert ben.get(f"/api/assets/{assets['panel.png']}/content").content == PANEL
    taken = ana.send("DELETE", f"{grants}{granted.json()['id']}/")
    assert taken.status_code == 204
    assert ben.found("gland packing") == []


def assert_ana_finds_everything(ana: Browser) -> None:
    # By words, on the right page and under the right heading, with what was found marked.
    (packing,) = [
        hit
        for hit in ana.get("/api/search/", params={"q": "gland packing"}).json()["hits"]
        if hit["source_uri"] == "pumps.md"
    ]
    assert packing["heading_path"] == ["Turbine pumps", "Sealing"]
    assert {part["text"] for part in packing["snippet"] if part["highlighted"]} == {"gland", "packing"}
    first = ana.get("/api/search/", params={"q": "condensate"}).json()["hits"][0]
    assert (first["source_uri"], first["page"]) == ("manuals/compressor.pdf", 2)
    thumbnail = ana.get(first["thumbnail_url"])
    assert (thumbnail.status_code, thumbnail.headers["Content-Type"]) == (200, "image/webp")
    # By meaning: none of these words stands in the text.
    assert ana.found("how much do components cost?")[0] == "pumps.md"
    # By what is written in a picture, and by the picture, as it is and as a smaller copy of it.
    assert ana.found("overpressure")[0] == "panel.png"
    assert ana.found_by_picture(PANEL)[0] == "panel.png"
    assert ana.found_by_picture(PANEL, "condensate")[0] in ("panel.png", "manuals/compressor.pdf")
    assert set(ana.found_by_picture(PANEL, "condensate")) >= {"panel.png", "manuals/compressor.pdf"}
    # On the page for people, too.
    shown = ana.get("/", params={"q": "gland packing"}).text
    assert "<mark>gland</mark> <mark>packing</mark>" in shown or "<mark>gland packing</mark>" in shown


def assert_downloads(ana: Browser, assets: Mapping[str, int], files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        answer = ana.get(f"/api/assets/{assets[path]}/content")
        assert answer.status_code == 200
        assert answer.content == content
        assert "attachment" in answer.headers["Content-Disposition"]


def test_a_program_searches_with_a_token(sign_in: SignIn) -> None:
    ana = sign_in(person("ana").username)
    site = ana.site
    made = ana.post("/api/tokens/", json={"name": "bot", "scopes": ["search"]})
    assert made.status_code == 201, made.text
    headers = {"Authorization": f"Bearer {made.json()['secret']}"}
    answer = requests.get(f"{site}/api/search/", params={"q": "pump"}, headers=headers, timeout=TIMEOUT)
    assert (answer.status_code, answer.json()["total"]) == (200, 0)
    assert requests.get(f"{site}/api/search/", params={"q": "pump"}, timeout=TIMEOUT).status_code == 401
    assert requests.get(f"{site}/api/collections/", headers=headers, timeout=TIMEOUT).status_code == 403


# Bad input.


@dataclass
class Desk:
    """Somebody who may add to a collection, and their client."""

    client: Client
    collection: int

    def upload(self, files: Mapping[str, bytes]) -> Any:
        streams = []
        for path, content in files.items():
            stream = io.BytesIO(content)
            stream.name = re.sub(r"[^\w.-]", "_", path) or "file"
            streams.append(stream)
        address = f"/api/collections/{self.collection}/uploads/"
        return self.client.post(address, {"files": streams, "paths": list(files)})

    def found(self, words: str) -> list[str]:
        return [hit["source_uri"] for hit in self.client.get("/api/search/", {"q": words}).json()["hits"]]


@pytest.fixture
def desk(db: None, storage: FolderStorage) -> Desk:
    editor = person("editor")
    collection = a_collection("Inbox", editor)
    grant(collection, Principal(user=editor), Role.EDITOR)
    return Desk(signed_in(editor), collection.pk)


CHINESE = "员工每年有十五天带薪年假，请假须提前一周向主管申请，并由人事部门备案。"
BAD_FILES: dict[str, tuple[bytes, tuple[str, str]]] = {
    "good.txt": (b"The gland packing is replaced every second year.", ("indexed", "")),
    "empty.txt": (b"", ("failed", "empty_file")),
    "no-pages.pdf": (pdf_without_pages(), ("failed", "no_pages")),
    "locked.pdf": (encrypted_pdf(), ("failed", "encrypted")),
    "cut.png": (encoded(scene(1))[:-3000], ("failed", "corrupt")),
    "huge.png": (png_claiming(50_000, 50_000), ("failed", "too_many_pixels")),
    "chinese.txt": (CHINESE.encode("gb18030"), ("partial", "encoding_guessed")),
    "broken.txt": (
        "The condensate — once a week — is drained. ".encode() * 20 + b"\xff\xfe",
        ("partial", "bytes_replaced"),
    ),
    "report.pdf": (
        b"Plain words about the compressor, and nothing but plain words.",
        ("partial", "name_lies"),
    ),
    "../outside.txt": (b"Words from outside.", ("failed", "unsafe_path")),
    "program.exe": (b"MZ" + bytes(200), ("unsupported", "format_not_supported")),
    "also-good.md": (b"# Leave\n\nAsk the purchasing department.", ("indexed", "")),
}


def test_each_bad_file_has_its_outcome_and_nothing_else_in_the_run_suffers(desk: Desk) -> None:
    answer = desk.upload({path: content for path, (content, _) in BAD_FILES.items()})
    assert answer.status_code == 202
    run = answer.json()["run"]["id"]
    work_off()
    assert live_steps() == 0
    assert desk.client.get(f"/api/runs/{run}/").json()["state"] == "done"
    items = desk.client.get(f"/api/runs/{run}/items/").json()["results"]
    assert {item["path"]: (item["outcome"], item["error_code"]) for item in items} == {
        path: expected for path, (_, expected) in BAD_FILES.items()
    }
    # Whatever went wrong is said in a sentence.
    assert all(item["error_message"].endswith(".") for item in items if item["error_code"])
    assert body(desk.client.get(f"/runs/{run}/")).decode().count("good") >= 2
    for words, path in (
        ("gland packing", "good.txt"),
        ("purchasing", "also-good.md"),
        ("condensate", "broken.txt"),
        ("compressor", "report.pdf"),
        ("带薪年假", "chinese.txt"),
    ):
        assert desk.found(words)[:1] == [path], words
    assert desk.found('"words from outside"') == []


class Announced:
    """Two gigabytes that are made only as they are read."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.given_bytes = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "a bounded read"
        size = min(size, self.size_bytes - self.given_bytes)
        self.given_bytes += size
        return b"x" * size

    def readline(self, size: int = -1) -> bytes:
        raise AssertionError("read by lines")


@pytest.mark.parametrize("address", ["/api/collections/{}/uploads/", "/upload/"])
def test_two_gigabytes_against_a_cap_of_one_are_refused_before_they_are_read(
    address: str, desk: Desk, settings: Any
) -> None:
    settings.KB_MAX_UPLOAD_BYTES = 1024**3
    sent = Announced(2 * 1024**3)
    answer = desk.client.generic(
        "POST",
        address.format(desk.collection),
        content_type="multipart/form-data; boundary=x",
        **{"wsgi.input": sent, "CONTENT_LENGTH": str(sent.size_bytes)},  # type: ignore[arg-type]
    )
    assert answer.status_code == 413
    assert sent.given_bytes == 0
    assert desk.client.get("/api/runs/").json()["count"] == 0


def test_a_file_just_above_the_cap_is_named_and_the_others_are_taken(desk: Desk, settings: Any) -> None:
    settings.KB_MAX_UPLOAD_BYTES = 100_000
    answer = desk.upload({"large.txt": b"word " * 20_001, "small.txt": b"Small words."})
    assert answer.status_code == 202
    items = {item["path"]: item for item in answer.json()["items"]}
    assert (items["large.txt"]["outcome"], items["large.txt"]["error_code"]) == ("failed", "too_large")
    assert items["small.txt"]["outcome"] == "pending"


@pytest.mark.parametrize("address", ["/api/search/", "/"])
def test_ten_thousand_characters_are_a_bad_request(address: str, desk: Desk) -> None:
    answer = desk.client.get(address, {"q": "pump " * 2000})
    assert answer.status_code == 400
    assert b"2000" in answer.content


@pytest.mark.parametrize("address", ["/api/search/", "/"])
@pytest.mark.parametrize(
    "content",
    [b"", b"no image", pdf_without_pages(), encoded(scene(1))[:-3000], png_claiming(50_000, 50_000)],
    ids=["empty", "text", "pdf", "truncated", "bomb"],
)
def test_a_picture_that_is_none_is_a_bad_request(content: bytes, address: str, desk: Desk) -> None:
    answer = desk.client.post(address, {"q": "", "picture": io.BytesIO(content)})
    assert answer.status_code == 400
    assert b"icture" in answer.content


@pytest.mark.parametrize(
    "words",
    [
        "\0",
        "'; DROP TABLE kb_asset; --",
        "kind:",
        '"',
        "-",
        'in:""',
        "%s %(x)s {}",
        "\ufffd",
        "🙂",
        "before:0000-00-00",
        "after:99999-01-01",
        "after:9999-12-31 pump",
        "type:../../etc",
        "*",
        "a" * 1999,
        "水" * 1999,
    ],
)
def test_no_words_are_an_error_of_ours(words: str, desk: Desk) -> None:
    for address in ("/api/search/", "/"):
        assert desk.client.get(address, {"q": words}).status_code in (200, 400)
