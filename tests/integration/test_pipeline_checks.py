"""Does the checker see each disagreement between rows, statistics and objects, and nothing where there is none?"""

import io

import pytest
from django.core.management import CommandError, call_command

from kb.models import Asset, Audience, Collection, IngestStep, LexemeStats, Segment
from kb.storage import FolderStorage
from tests.integration.ingest import bring_in, upload
from workers.checks import check

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder")]


@pytest.fixture
def asset(collection: Collection, storage: FolderStorage) -> Asset:
    bring_in(collection, {"pump.txt": "The pump drains the cellar."})
    return Asset.objects.get()


def findings(storage: FolderStorage) -> list[str]:
    return [finding.what for finding in check(storage)]


def test_a_library_that_was_only_brought_in_agrees(asset: Asset, storage: FolderStorage) -> None:
    assert findings(storage) == []
    call_command("check_library", stdout=io.StringIO())


def test_a_missing_object_is_found(asset: Asset, storage: FolderStorage) -> None:
    storage.delete(asset.object_key)
    assert findings(storage) == ["objects that rows name and the store has not"]
    with pytest.raises(CommandError):
        call_command("check_library", stdout=io.StringIO())


def test_an_orphan_is_said_and_is_no_failure(asset: Asset, storage: FolderStorage) -> None:
    storage.put("originals/ab/orphan", io.BytesIO(b"x"))
    out = io.StringIO()
    call_command("check_library", stdout=out)
    assert "1 objects that no row names; for example originals/ab/orphan" in out.getvalue()


def test_a_wrong_count_is_found(asset: Asset, storage: FolderStorage) -> None:
    LexemeStats.objects.filter(audience=asset.audience_id).update(document_frequency=7)
    assert findings(storage) == ["word counts that differ from a recount"]


def test_readers_that_differ_are_found(asset: Asset, storage: FolderStorage) -> None:
    Segment.objects.update(audience=Audience.objects.create())
    assert findings(storage) == [
        "words whose segment has other readers",
        "vectors whose segment has other readers",
        "published segments whose asset has other readers or another version",
    ]


def test_a_file_that_would_wait_for_ever_is_found(
    asset: Asset, storage: FolderStorage, collection: Collection
) -> None:
    upload(collection, {"boiler.txt": "The boiler."})
    assert findings(storage) == []
    IngestStep.objects.filter(state="ready").delete()
    assert findings(storage) == ["files that wait without any step to wait for"]
