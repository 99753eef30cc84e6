"""Does the checker see each disagreement between rows, statistics and objects, and nothing where there is none?"""

import io
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from kb.models import (
    Asset,
    AssetVersion,
    Audience,
    AudienceWordTotals,
    Collection,
    IngestStep,
    LexemeStats,
    Segment,
    SegmentWords,
    StagedVector,
    Vector,
    VectorSet,
)
from kb.storage import FolderStorage
from tests.integration.ingest import (
    assert_parts_agree,
    assert_statistics_are_right,
    bring_in,
    outcomes,
    rows,
    upload,
    work_off,
)
from tests.security.world import png
from workers import checks
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
    with pytest.raises(SystemExit):
        call_command("check_library", stdout=io.StringIO())


def test_an_orphan_is_said_and_is_no_failure(asset: Asset, storage: FolderStorage) -> None:
    storage.put("originals/ab/orphan", io.BytesIO(b"x"))
    out = io.StringIO()
    call_command("check_library", stdout=out)
    assert f"1 {checks.YOUNG_ORPHANS}; for example originals/ab/orphan" in out.getvalue()


def test_a_wrong_count_is_found(asset: Asset, storage: FolderStorage) -> None:
    LexemeStats.objects.filter(audience=asset.audience_id).update(document_frequency=7)
    assert findings(storage) == ["word counts that differ from a recount"]


def test_readers_that_differ_are_found(asset: Asset, storage: FolderStorage) -> None:
    Segment.objects.update(audience=Audience.objects.create())
    assert findings(storage) == [
        checks.WORDS_OF_OTHERS,
        checks.VECTORS_OF_OTHERS,
        checks.SEGMENTS_OF_OTHERS,
    ]


def test_a_file_that_would_wait_for_ever_is_found(
    asset: Asset, storage: FolderStorage, collection: Collection
) -> None:
    upload(collection, {"boiler.txt": "The boiler."})
    assert findings(storage) == []
    IngestStep.objects.filter(state="ready").delete()
    assert findings(storage) == ["files that wait without any step to wait for"]


def run_command(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Its exit status, and the object on its last line."""
    out = io.StringIO()
    try:
        call_command("check_library", *arguments, stdout=out)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    return status, json.loads(out.getvalue().splitlines()[-1])


def test_a_missing_vector_is_found_and_made_again(asset: Asset, storage: FolderStorage) -> None:
    rows_before = rows("SELECT segment_id, embedding::text FROM kb_vector")
    Vector.objects.all().delete()
    status, said = run_command()
    assert (status, said["wrong"]) == (1, {checks.NO_TEXT_VECTOR: 1})
    status, said = run_command("--repair")
    assert (status, said["under_way"], said["agrees"]) == (0, {checks.NO_TEXT_VECTOR: 1}, True)
    # Once more changes nothing: the workers have it.
    assert run_command("--repair")[0] == 0
    work_off()
    assert rows("SELECT segment_id, embedding::text FROM kb_vector") == rows_before
    assert run_command() == (
        0,
        {"found": {}, "mended": {}, "under_way": {}, "wrong": {}, "agrees": True},
    )
    assert_statistics_are_right()


def test_a_picture_without_a_look_alike_vector_is_found_and_made_again(
    collection: Collection, storage: FolderStorage
) -> None:
    bring_in(collection, {"red.png": png((40, 30))})
    Vector.objects.filter(vector_set__modality="lookalike").delete()
    assert findings(storage) == [checks.NO_LOOKALIKE_VECTOR]
    run_command("--repair")
    work_off()
    assert findings(storage) == []


def test_counts_are_mended_by_counting_again(asset: Asset, storage: FolderStorage) -> None:
    LexemeStats.objects.update(document_frequency=7)
    AudienceWordTotals.objects.update(segments=9)
    status, said = run_command("--repair")
    assert (status, said["wrong"], said["agrees"]) == (0, {}, True)
    assert_statistics_are_right()
    assert findings(storage) == []


def test_readers_that_differ_are_put_right_by_publishing_again(asset: Asset, storage: FolderStorage) -> None:
    Segment.objects.update(audience=Audience.objects.create())
    assert run_command("--repair")[0] == 0
    work_off()
    assert findings(storage) == []
    assert_parts_agree()
    assert_statistics_are_right()


def test_words_and_vectors_in_another_collection_are_put_right(asset: Asset, storage: FolderStorage) -> None:
    elsewhere = Collection.objects.create(name="Elsewhere", slug="elsewhere")
    SegmentWords.objects.update(collection_id=elsewhere.pk)
    Vector.objects.update(collection=elsewhere)
    assert findings(storage) == [checks.WORDS_OF_OTHERS, checks.VECTORS_OF_OTHERS]
    assert run_command("--repair")[0] == 0
    work_off()
    assert findings(storage) == []


def test_leftovers_of_versions_are_removed(asset: Asset, storage: FolderStorage) -> None:
    segment = Segment.objects.get()
    vector_set = VectorSet.objects.filter(modality="text").get()
    StagedVector.objects.create(vector_set=vector_set, segment=segment, embedding=[1.0] + [0.0] * 7)
    Segment.objects.create(asset=asset, version=7, collection=asset.collection, ordinal=0, kind="text")
    assert findings(storage) == [checks.LEFT_SEGMENTS, checks.LEFT_STAGED]
    status, said = run_command("--repair")
    assert (status, said["mended"]) == (0, {checks.LEFT_SEGMENTS: 1, checks.LEFT_STAGED: 1})
    assert findings(storage) == []
    assert Segment.objects.get() == segment


def test_an_asset_that_lost_its_segments_is_found_and_left_to_a_person(
    asset: Asset, storage: FolderStorage
) -> None:
    Segment.objects.all().delete()
    AssetVersion.objects.all().delete()
    status, said = run_command("--repair")
    assert status == 1
    assert set(said["wrong"]) == {checks.NO_SEGMENT, checks.NO_VERSION}


def test_an_orphan_is_removed_when_it_is_an_hour_old_and_not_before(
    asset: Asset, storage: FolderStorage, tmp_path: Path
) -> None:
    for name in ("old", "young"):
        storage.put(f"originals/ab/{name}", io.BytesIO(b"x"))
    long_ago = time.time() - checks.ORPHAN_AGE_S - 1
    os.utime(tmp_path / "objects" / "originals" / "ab" / "old", (long_ago, long_ago))
    assert findings(storage) == [checks.ORPHANS, checks.YOUNG_ORPHANS]
    assert run_command()[0] == 1
    assert run_command("--repair")[0] == 0
    assert storage.exists("originals/ab/young")
    assert not storage.exists("originals/ab/old")
    assert storage.exists(asset.object_key)


def test_a_file_that_waits_for_nothing_starts_over(
    asset: Asset, storage: FolderStorage, collection: Collection
) -> None:
    run = upload(collection, {"boiler.txt": "The boiler heats the house."})
    IngestStep.objects.filter(state="ready").delete()
    assert run_command("--repair")[0] == 0
    work_off()
    assert outcomes(run) == {"boiler.txt": "indexed"}
    assert findings(storage) == []


def test_a_lost_original_is_named_and_no_repair(asset: Asset, storage: FolderStorage) -> None:
    storage.delete(asset.object_key)
    status, said = run_command("--repair")
    assert (status, said["wrong"]) == (1, {checks.MISSING_OBJECTS: 1})
