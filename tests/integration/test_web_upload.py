"""Can an editor bring files in from the browser and read how it went, and can nobody else?"""

import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from kb.exceptions import FailureCode
from kb.models import (
    AssetVersion,
    Collection,
    IngestItem,
    IngestRun,
    IngestStep,
    Outcome,
    Role,
    RunState,
    StepName,
    StepState,
)
from kb.permissions import Principal, interned_audience
from kb.web import labels
from tests.integration.web_library import asset, collection, person


@pytest.fixture
def editor(db: None) -> User:
    return person("editor")


@pytest.fixture
def plant(editor: User) -> Collection:
    return collection("plant", (editor, Role.EDITOR))


@pytest.fixture
def browser(editor: User, client: Client) -> Client:
    client.force_login(editor)
    return client


@pytest.fixture
def objects(tmp_path: Path, settings: Any) -> Path:
    settings.KB_STORAGE = {"backend": "folder", "root": str(tmp_path / "objects")}
    return tmp_path / "objects"


def file(name: str, data: bytes) -> io.BytesIO:
    stream = io.BytesIO(data)
    stream.name = name
    return stream


def test_the_page_offers_only_collections_in_which_the_person_is_an_editor(
    browser: Client, editor: User, plant: Collection
) -> None:
    collection("reading", (editor, Role.VIEWER))
    collection("board")
    page = browser.get("/upload/?collection=plant").content.decode()
    assert f'<option value="plant" data-uploads="/api/collections/{plant.pk}/uploads/" selected>' in page
    assert 'value="reading"' not in page
    assert 'value="board"' not in page


def test_whoever_edits_nothing_is_told_whom_to_ask(client: Client, plant: Collection) -> None:
    viewer = person("viewer")
    collection("reading", (viewer, Role.VIEWER))
    client.force_login(viewer)
    page = client.get("/upload/").content.decode()
    assert "no collection has you as an editor" in page
    assert "<form id" not in page


def test_a_form_without_script_starts_a_run_and_leads_to_its_page(
    browser: Client, editor: User, plant: Collection, objects: Path
) -> None:
    files = [file("leave.md", b"# Annual leave\n\nTwenty-five days."), file("empty.txt", b"")]
    response = browser.post("/upload/", {"collection": "plant", "files": files})
    run = IngestRun.objects.get()
    assert response.status_code == 302
    assert response.headers["Location"] == f"/runs/{run.pk}/"
    assert run.sealed
    assert run.started_by == editor
    assert dict(run.items.values_list("path", "outcome")) == {
        "leave.md": Outcome.PENDING,
        "empty.txt": Outcome.FAILED,
    }
    page = browser.get(f"/runs/{run.pk}/").content.decode()
    assert "1 of 2 files" in page
    assert str(FailureCode.EMPTY_FILE.label) in page


@pytest.mark.parametrize("slug", ["reading", "board", "nowhere", ""])
def test_no_file_gets_into_a_collection_that_the_person_does_not_edit(
    browser: Client, editor: User, plant: Collection, slug: str
) -> None:
    collection("reading", (editor, Role.VIEWER))
    collection("board")
    response = browser.post("/upload/", {"collection": slug, "files": [file("a.md", b"text")]})
    assert response.status_code == 400
    assert not IngestRun.objects.exists()


def test_a_form_without_files_starts_nothing(browser: Client, plant: Collection) -> None:
    response = browser.post("/upload/", {"collection": "plant"})
    assert response.status_code == 400
    assert 'role="alert"' in response.content.decode()
    assert not IngestRun.objects.exists()


def test_an_upload_beyond_the_limit_is_refused_before_it_is_read(
    browser: Client, plant: Collection, settings: Any
) -> None:
    settings.KB_MAX_UPLOAD_BYTES = 1000
    # The limit, and the mebibyte that the form around the files may take.
    response = browser.post("/upload/", {"collection": "plant", "files": [file("a.md", b"x" * 2_000_000)]})
    assert response.status_code == 413
    assert "Too large" in response.content.decode()
    assert not IngestRun.objects.exists()


def test_a_run_is_hidden_from_viewers_and_strangers_as_if_it_were_not_there(
    client: Client, plant: Collection
) -> None:
    run = IngestRun.objects.create(collection=plant)
    run.items.create(path="salaries.pdf")
    viewer = person("viewer")
    collection("other", (viewer, Role.MANAGER))
    client.force_login(viewer)
    assert client.get(f"/runs/{run.pk}/").status_code == 404
    assert "salaries" not in client.get("/upload/").content.decode()


def item(run: IngestRun, path: str, outcome: Outcome, code: str = "", message: str = "") -> IngestItem:
    return run.items.create(path=path, outcome=outcome, error_code=code, error_message=message)


def test_a_run_shows_what_needs_a_person_first_and_offers_to_retry(
    browser: Client, plant: Collection
) -> None:
    run = IngestRun.objects.create(collection=plant, sealed=True)
    item(run, "fine.md", Outcome.INDEXED)
    item(run, "moving.md", Outcome.PENDING)
    item(run, "locked.pdf", Outcome.FAILED, FailureCode.ENCRYPTED, "The file is protected by a password.")
    page = browser.get(f"/runs/{run.pk}/").content.decode()
    assert page.index("locked.pdf") < page.index("moving.md") < page.index("fine.md")
    assert "The file is protected by a password." in page
    assert f'action="/api/runs/{run.pk}/retry-failures/"' in page
    assert "2 of 3 files" in page
    assert 'data-state="running"' in page
    failed = browser.get(f"/runs/{run.pk}/?outcome=failed").content.decode()
    assert "locked.pdf" in failed
    assert "fine.md" not in failed


@pytest.mark.parametrize(
    ("state", "said", "offered"),
    [
        (RunState.RUNNING, "In progress", {"pause", "cancel"}),
        (RunState.PAUSED, "Paused", {"resume", "cancel"}),
        (RunState.DONE, "Finished", set()),
        (RunState.CANCELLED, "Cancelled", set()),
    ],
)
def test_a_run_offers_what_can_be_done_with_it_now(
    state: RunState, said: str, offered: set[str], browser: Client, plant: Collection
) -> None:
    run = IngestRun.objects.create(collection=plant, state=state)
    page = browser.get(f"/runs/{run.pk}/").content.decode()
    assert f'<strong id="run-state">{said}</strong>' in page
    forms = {name for name in ("pause", "resume", "cancel") if f'action="/api/runs/{run.pk}/{name}/"' in page}
    assert forms == offered
    # The page listens as long as something may happen.
    assert (f'data-events="/api/runs/{run.pk}/events/"' in page) == bool(offered)


def test_each_file_that_can_be_taken_up_again_has_a_button_for_it(browser: Client, plant: Collection) -> None:
    version = AssetVersion.objects.create(
        asset=asset(plant, "Manual", version=0),
        number=1,
        sha256="0" * 64,
        media_type="text/plain",
        size_bytes=1,
        object_key="x",
    )
    IngestStep.objects.create(asset_version=version, name=StepName.EXTRACT, state=StepState.DEAD)
    run = IngestRun.objects.create(collection=plant, state=RunState.DONE)
    failed = run.items.create(path="manual.md", asset_version=version, outcome=Outcome.FAILED)
    refused = run.items.create(path="empty.md", outcome=Outcome.FAILED)
    page = browser.get(f"/runs/{run.pk}/").content.decode()
    assert f'action="/api/runs/{run.pk}/items/{failed.pk}/retry/"' in page
    assert f"/items/{refused.pk}/retry/" not in page


def test_a_finished_run_without_failures_offers_no_retry(browser: Client, plant: Collection) -> None:
    run = IngestRun.objects.create(collection=plant, sealed=True, state=RunState.DONE)
    item(run, "fine.md", Outcome.INDEXED)
    page = browser.get(f"/runs/{run.pk}/").content.decode()
    assert 'data-state="done"' in page
    assert "retry-failures" not in page


def test_a_file_in_progress_names_its_step_and_how_far_it_is(browser: Client, plant: Collection) -> None:
    manual = asset(plant, "Manual", version=0)
    version = AssetVersion.objects.create(
        asset=manual, number=1, sha256="0" * 64, media_type="text/plain", size_bytes=1, object_key="x"
    )
    for name, state, share in (
        (StepName.EXTRACT, StepState.DONE, 1),
        (StepName.EMBED, StepState.RUNNING, 0.4),
    ):
        IngestStep.objects.create(asset_version=version, name=name, state=state, progress=share)
    run = IngestRun.objects.create(collection=plant)
    run.items.create(path="manual.md", asset_version=version)
    assert "Understanding 40 %" in browser.get(f"/runs/{run.pk}/").content.decode()


def test_a_run_links_only_to_what_the_reader_may_open(browser: Client, plant: Collection) -> None:
    run = IngestRun.objects.create(collection=plant)
    linked = {}
    for name, audience in (("open", None), ("closed", interned_audience([Principal(user=person("boss"))]))):
        made = asset(plant, name, audience=audience)
        version = AssetVersion.objects.create(
            asset=made, number=1, sha256="0" * 64, media_type="text/plain", size_bytes=1, object_key="x"
        )
        run.items.create(path=f"{name}.md", outcome=Outcome.INDEXED, asset_version=version)
        linked[name] = f'href="/assets/{made.pk}/"'
    page = browser.get(f"/runs/{run.pk}/").content.decode()
    assert linked["open"] in page
    assert linked["closed"] not in page


def test_names_and_reasons_are_shown_as_text(browser: Client, plant: Collection) -> None:
    hostile = "<script>alert(1)</script>\"'>"
    run = IngestRun.objects.create(collection=plant, source=hostile)
    item(run, hostile, Outcome.FAILED, FailureCode.CORRUPT, hostile)
    page = browser.get(f"/runs/{run.pk}/", headers={"accept-language": "zh-CN"}).content.decode()
    assert "alert(1)" in page
    assert "<script>" not in page


def test_reasons_are_given_in_the_readers_language_with_the_workers_own_words_beside_them(
    browser: Client, plant: Collection
) -> None:
    run = IngestRun.objects.create(collection=plant)
    plain = item(run, "a", Outcome.FAILED, FailureCode.ENCRYPTED, str(FailureCode.ENCRYPTED.label))
    precise = item(run, "b", Outcome.PARTIAL, FailureCode.PAGE_UNREADABLE, "Page 3 could not be read.")
    with translation.override("en"):
        assert labels.reason(precise) == ("Page 3 could not be read.", "")
    with translation.override("zh-hans"):
        assert labels.reason(plain) == ("文件受密码保护。请去除密码后重新上传。", "")
        assert labels.reason(precise) == ("有一页无法读取，其余页面可以搜索。", "Page 3 could not be read.")


@pytest.mark.parametrize(("ms", "expected"), [(0, "0:00"), (65_999, "1:05"), (3_605_000, "1:00:05")])
def test_moments_read_as_players_show_them(ms: int, expected: str) -> None:
    assert labels.moment(ms) == expected
