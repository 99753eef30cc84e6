"""Do assets go when their collection's time for them is over, and no others?"""

from datetime import timedelta

import pytest
from django.utils import timezone

from kb import retention
from kb.models import Asset, AssetVersion, AuditEvent, Collection
from kb.storage import FolderStorage
from tests.integration.ingest import assert_statistics_are_right, bring_in
from workers import checks

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder")]


@pytest.fixture
def keeping(collection: Collection, storage: FolderStorage) -> Collection:
    """Keeps files for thirty days, and has an old one and a young one."""
    Collection.objects.update(retention_days=30)
    bring_in(collection, {"old.txt": "The old pump.", "young.txt": "The young pump."})
    age("old.txt", days=31)
    age("young.txt", days=29)
    return collection


def age(path: str, *, days: float) -> None:
    AssetVersion.objects.filter(asset__source_uri=path).update(
        created_at=timezone.now() - timedelta(days=days)
    )


def paths() -> list[str]:
    return sorted(Asset.objects.values_list("source_uri", flat=True))


def test_what_is_older_goes_with_everything_made_from_it(
    keeping: Collection, storage: FolderStorage, django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert retention.sweep(100) == 1
    assert paths() == ["young.txt"]
    assert_statistics_are_right()
    assert [finding.what for finding in checks.check(storage)] == []
    event = AuditEvent.objects.get(action="asset.expired")
    assert (event.actor, event.details["title"]) == (None, "old.txt")


def test_a_collection_without_a_limit_keeps_everything(keeping: Collection) -> None:
    Collection.objects.update(retention_days=None)
    assert retention.sweep(100) == 0
    assert paths() == ["old.txt", "young.txt"]


def test_a_file_that_was_brought_in_again_is_young_again(keeping: Collection) -> None:
    bring_in(keeping, {"old.txt": "The old pump, repaired."})
    assert retention.sweep(100) == 0


def test_no_more_go_at_once_than_was_asked_for(keeping: Collection) -> None:
    age("young.txt", days=40)
    assert retention.sweep(1) == 1
    assert paths() == ["old.txt"]
    assert retention.sweep(1) == 1
    assert retention.sweep(1) == 0
