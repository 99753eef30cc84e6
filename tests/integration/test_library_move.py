"""Does a moved asset take everything of it along, and only to where its mover may put it?"""

import io
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from kb import curation, library
from kb.models import Asset, AuditEvent, Collection, IngestStep, Role, SegmentWords
from kb.permissions import Principal, grant
from kb.storage import FolderStorage
from tests.integration.ingest import (
    assert_parts_agree,
    assert_statistics_are_right,
    bring_in,
    rows,
    upload,
    work_off,
)
from tests.security.world import ALL_SCOPES, signed_in, with_token
from workers import checks, outbox, pipeline

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder")]


@pytest.fixture
def archive(db: None) -> Collection:
    return Collection.objects.create(name="Archive", slug="archive")


@pytest.fixture
def mover(collection: Collection, archive: Collection) -> User:
    user = User.objects.create_user("mover")
    for place in (collection, archive):
        grant(place, Principal(user=user), Role.MANAGER)
    return user


@pytest.fixture
def asset(collection: Collection, storage: FolderStorage) -> Asset:
    bring_in(collection, {"pump.txt": "The pump drains the cellar.", "boiler.txt": "The boiler heats."})
    return Asset.objects.get(source_uri="pump.txt")


def assert_all_is_in(archive: Collection, asset: Asset, storage: FolderStorage) -> None:
    asset.refresh_from_db()
    assert (asset.collection_id, asset.audience_id) == (archive.pk, archive.audience_id)
    for table in ("kb_segmentwords", "kb_vector"):
        found = rows(
            f"SELECT DISTINCT collection_id, audience_id FROM {table} WHERE segment_id IN"  # noqa: S608 - literals
            " (SELECT id FROM kb_segment WHERE asset_id = %s)",
            asset.pk,
        )
        assert found == [(archive.pk, archive.audience_id)]
    assert_statistics_are_right()
    assert_parts_agree()
    assert [finding.what for finding in checks.check(storage)] == []


def test_segments_words_vectors_and_counts_go_along(
    asset: Asset, archive: Collection, storage: FolderStorage
) -> None:
    library.move_to_collection(asset, archive)
    assert_all_is_in(archive, asset, storage)
    # The other file's stay where they were.
    assert SegmentWords.objects.exclude(collection_id=archive.pk).count() == 1


def test_readers_of_its_own_stay_its_readers(asset: Asset, archive: Collection, mover: User) -> None:
    own = curation.set_readers(mover, asset, [Principal(user=mover)])
    library.move_to_collection(asset, archive)
    asset.refresh_from_db()
    assert (asset.collection_id, asset.audience_id, asset.own_audience_id) == (archive.pk, own.pk, own.pk)
    assert_parts_agree()


@pytest.mark.parametrize("other", ["The pump fills the cellar.", "The pump drains the cellar."])
def test_a_taken_path_is_refused(asset: Asset, archive: Collection, other: str) -> None:
    bring_in(archive, {"pump.txt": other})
    with pytest.raises(library.PlaceTakenError):
        library.move_to_collection(asset, archive)
    assert_parts_agree()


def test_equal_bytes_at_another_path_are_refused(asset: Asset, archive: Collection) -> None:
    bring_in(archive, {"copy.txt": "The pump drains the cellar."})
    with pytest.raises(library.SameBytesError):
        library.move_to_collection(asset, archive)


@pytest.mark.parametrize("stage", ["extract", "embed", "index"])
def test_a_file_in_the_making_arrives_where_it_was_moved_to(
    stage: str,
    collection: Collection,
    archive: Collection,
    storage: FolderStorage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload(collection, {"pump.txt": "The pump drains the cellar."})
    work: Callable[[outbox.Lease], None] = pipeline.run

    def moved_in_the_middle(lease: outbox.Lease) -> None:
        if lease.step.name == stage:
            library.move_to_collection(Asset.objects.get(), archive)
        work(lease)

    monkeypatch.setattr(pipeline, "run", moved_in_the_middle)
    work_off()
    assert not IngestStep.objects.exclude(state="done").exists()
    assert_all_is_in(archive, Asset.objects.get(), storage)


def test_a_manager_of_both_moves_over_the_api(asset: Asset, archive: Collection, mover: User) -> None:
    client = with_token(mover, ALL_SCOPES)
    answer = client.post(
        f"/api/assets/{asset.pk}/move/", {"collection": "archive"}, content_type="application/json"
    )
    assert answer.status_code == 200
    assert answer.json()["collection"]["name"] == "Archive"
    event = AuditEvent.objects.get(action="asset.moved")
    assert event.details == {"from_collection": event.details["from_collection"], "to_collection": archive.pk}


def test_whoever_manages_only_one_of_the_two_moves_nothing(asset: Asset, archive: Collection) -> None:
    editor = User.objects.create_user("editor")
    grant(asset.collection, Principal(user=editor), Role.MANAGER)
    answers = []
    for slug in ("archive", "no-such-collection"):
        response = signed_in(editor).post(
            f"/api/assets/{asset.pk}/move/", {"collection": slug}, content_type="application/json"
        )
        answers.append((response.status_code, response.content))
    # One that is hidden and one that is not there look the same.
    assert answers[0] == answers[1]
    assert answers[0][0] == 400
    grant(archive, Principal(user=editor), Role.EDITOR)
    response = signed_in(editor).post(
        f"/api/assets/{asset.pk}/move/", {"collection": "archive"}, content_type="application/json"
    )
    assert response.status_code == 400
    asset.refresh_from_db()
    assert asset.collection_id != archive.pk


def test_a_taken_path_is_told_over_the_api(asset: Asset, archive: Collection, mover: User) -> None:
    bring_in(archive, {"pump.txt": "Another pump."})
    answer = signed_in(mover).post(
        f"/api/assets/{asset.pk}/move/", {"collection": "archive"}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "place_taken")


def admin_page(user: User, asset: Asset, **more: object) -> object:
    user.is_staff = user.is_superuser = True
    user.save()
    return signed_in(user).post(
        "/admin/kb/asset/", {"action": "move_to_collection", "_selected_action": [asset.pk], **more}
    )


def test_the_admin_offers_only_collections_that_the_operator_manages(
    asset: Asset, archive: Collection, mover: User
) -> None:
    hidden = Collection.objects.create(name="Hidden", slug="hidden")
    page = admin_page(mover, asset)
    assert "Archive" in page.content.decode()  # type: ignore[attr-defined]
    assert "Hidden" not in page.content.decode()  # type: ignore[attr-defined]
    admin_page(mover, asset, apply="1", target=hidden.pk)
    asset.refresh_from_db()
    assert asset.collection_id != hidden.pk
    admin_page(mover, asset, apply="1", target=archive.pk)
    asset.refresh_from_db()
    assert asset.collection_id == archive.pk


def test_the_admin_moves_nothing_out_of_a_collection_that_the_operator_does_not_manage(
    asset: Asset, archive: Collection
) -> None:
    reader = User.objects.create_user("reader")
    grant(asset.collection, Principal(user=reader), Role.EDITOR)
    grant(archive, Principal(user=reader), Role.MANAGER)
    admin_page(reader, asset, apply="1", target=archive.pk)
    asset.refresh_from_db()
    assert asset.collection_id != archive.pk


def test_the_bytes_stay_where_they_are(asset: Asset, archive: Collection, storage: FolderStorage) -> None:
    library.move_to_collection(asset, archive)
    with storage.open(asset.object_key) as stream:
        assert io.BytesIO(stream.read()).getvalue() == b"The pump drains the cellar."
