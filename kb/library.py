"""How is an asset taken away, moved, or given to other readers, with everything derived from it? In one transaction."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

import psycopg.errors
import structlog
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from kb import audit, word_statistics
from kb.exceptions import KbError, StorageError
from kb.models import Asset, AssetVersion, Audience, Collection, IngestItem, IngestStep, Outcome, Segment
from kb.runs import wake_relay
from kb.storage import storage
from kb.word_statistics import StatisticsChange

log = structlog.get_logger(__name__)
T = TypeVar("T")

# Deleting locks an asset's versions, steps and rows while workers lock some of them in their own order. Postgres
# breaks such a circle by failing one side; the third meeting in a row would be a miracle.
_DEADLOCK_ATTEMPTS = 3


class PlaceTakenError(KbError):
    """The collection has a file at this path already. Delete or rename one of them."""


class SameBytesError(KbError):
    """The collection has a file with the same content already, and keeps equal content once."""


class InsideFileError(KbError):
    """The file is inside another one. Move that one."""


def delete_asset(asset: Asset) -> None:
    """Removes rows, vectors, statistics and objects, and everything inside the file.

    Files of it that still wait in a run end as cancelled.
    """
    _again_after_deadlock(lambda: _delete(asset.pk))


def delete_if_older(asset: Asset, than: datetime) -> bool:
    """Deletes the asset unless bytes have come for it since. Whether it did; the audit trail then says so."""
    return _again_after_deadlock(lambda: _delete_if_older(asset, than))


@transaction.atomic
def _delete_if_older(asset: Asset, than: datetime) -> bool:
    versions = list(AssetVersion.objects.select_for_update().filter(asset=asset.pk).order_by("pk"))
    if any(version.created_at >= than for version in versions):
        return False
    audit.record(None, "asset.expired", asset, title=asset.title, collection=asset.collection_id)
    _delete(asset.pk)
    return True


@transaction.atomic
def _delete(asset_id: int) -> None:
    change = StatisticsChange()
    keys = remove_assets([asset_id], change)
    word_statistics.apply(change)
    wake_relay()
    remove_objects_on_commit(keys)


def remove_assets(asset_ids: Sequence[int], change: StatisticsChange) -> set[str]:
    """Deletes the assets and all that is inside them; the caller applies `change` at its end.

    Returns the keys of the objects that they named.
    """
    if not asset_ids:
        return set()
    versions, ids = _locked_tree(asset_ids)
    if not ids:
        return set()
    keys = {version.object_key for version in versions} | {version.preview_key for version in versions} - {""}
    keys.update(Asset.objects.filter(pk__in=ids).values_list("object_key", flat=True))
    IngestItem.objects.filter(asset_version__in=versions, outcome=Outcome.PENDING).update(
        outcome=Outcome.CANCELLED, error_message="The file was deleted meanwhile.", ended_at=timezone.now()
    )
    keys |= remove_segments(ids, change)
    IngestStep.objects.filter(asset_version__in=versions).delete()
    Asset.objects.filter(pk__in=ids).delete()
    return keys


def _locked_tree(asset_ids: Sequence[int]) -> tuple[list[AssetVersion], list[int]]:
    """The assets, all that is inside them, and their versions: parents before members, versions before assets."""
    versions: list[AssetVersion] = []
    ids: list[int] = []
    level = list(asset_ids)
    while level:
        versions += AssetVersion.objects.select_for_update().filter(asset__in=level).order_by("pk")
        locked = list(
            Asset.objects.select_for_update().filter(pk__in=level).order_by("pk").values_list("pk", flat=True)
        )
        ids += locked
        level = list(Asset.objects.filter(parent__in=locked).order_by("pk").values_list("pk", flat=True))
    return versions, ids


@transaction.atomic
def move(asset: Asset, audience: Audience | None) -> None:
    """Gives the asset, and all that is inside it, to the readers of `audience`; None: to its collection's again."""
    versions, ids = _locked_tree([asset.pk])
    if not ids:
        return
    # One that is on its way must not bring earlier readers back.
    for version in versions:
        if version.facts.pop("audience_id", None) is not None:
            version.save(update_fields=["facts"])
    collection = Collection.objects.get(assets=asset.pk)
    asset.own_audience = audience
    asset.audience_id = audience.pk if audience else collection.audience_id
    change = StatisticsChange()
    _give(ids, asset, change)
    word_statistics.apply(change)


def move_members(asset: Asset, change: StatisticsChange) -> None:
    """Gives all that is inside the asset to its readers; the caller applies `change` at its end.

    Versions that are on their way keep the readers that they bring: a newer version of the asset may have made them.
    """
    level = [asset.pk]
    while level := list(
        Asset.objects.select_for_update(no_key=True)
        .filter(parent__in=level)
        .order_by("pk")
        .values_list("pk", flat=True)
    ):
        _give(level, asset, change)


def _give(asset_ids: Sequence[int], like: Asset, change: StatisticsChange) -> None:
    target_id = like.audience_id
    Asset.objects.filter(pk__in=asset_ids).update(
        own_audience=like.own_audience_id, audience=target_id, updated_at=timezone.now()
    )
    for old_id, (segments, lexemes) in word_statistics.published_words(asset_ids).items():
        if old_id != target_id:
            change.take_away(old_id, segments=segments, lexemes=lexemes)
            change.add(target_id, segments=segments, lexemes=lexemes)
    with connection.cursor() as cursor:
        for table in ("kb_segmentwords", "kb_vector"):
            cursor.execute(
                f"UPDATE {table} SET audience_id = %s"  # noqa: S608 - one of two literals above
                " WHERE audience_id <> %s AND segment_id IN (SELECT id FROM kb_segment WHERE asset_id = ANY(%s))",
                [target_id, target_id, list(asset_ids)],
            )
    Segment.objects.filter(asset__in=asset_ids, audience__isnull=False).exclude(audience=target_id).update(
        audience=target_id
    )


def move_to_collection(asset: Asset, target: Collection) -> None:
    """Puts the asset, and all that is inside it, into another collection, under its readers unless it has its own.

    Raises PlaceTakenError, SameBytesError or InsideFileError. What workers are making of it meanwhile goes along.
    A document's links to pictures are looked up in the collection it is in, so pictures that are assets have to be
    moved with it.
    """
    _again_after_deadlock(lambda: _move_to_collection(asset.pk, target))
    asset.refresh_from_db()


@transaction.atomic
def _move_to_collection(asset_id: int, target: Collection) -> None:
    # What an upload into either place would lock (kb.uploads), then in its order: versions, asset.
    place = Asset.objects.filter(pk=asset_id).values_list("collection", "source_uri").first()
    if place is None:
        return
    _hold(f"source {place[0]} {place[1]}", f"source {target.pk} {place[1]}")
    _, ids = _locked_tree([asset_id])
    asset = Asset.objects.filter(pk=asset_id).first()
    if asset is None or asset.collection_id == target.pk:
        return
    if asset.parent_id is not None:
        raise InsideFileError
    others = Asset.objects.filter(collection=target)
    if others.filter(source_uri__in=Asset.objects.filter(pk__in=ids).values("source_uri")).exists():
        raise PlaceTakenError
    if asset.version and others.filter(sha256=asset.sha256, version__gt=0).exists():
        raise SameBytesError
    asset.audience_id = asset.own_audience_id or target.audience_id
    Asset.objects.filter(pk__in=ids).update(collection=target, updated_at=timezone.now())
    change = StatisticsChange()
    _give(ids, asset, change)
    # Hidden ones too: a version in the making is published where its asset is by then.
    Segment.objects.filter(asset__in=ids).update(collection=target)
    with connection.cursor() as cursor:
        for table in ("kb_segmentwords", "kb_vector"):
            cursor.execute(
                f"UPDATE {table} SET collection_id = %s"  # noqa: S608 - one of two literals above
                " WHERE segment_id IN (SELECT id FROM kb_segment WHERE asset_id = ANY(%s))",
                [target.pk, ids],
            )
    word_statistics.apply(change)


def _hold(*names: str) -> None:
    """Until the transaction ends; in one order for everyone, so that no two wait in a circle."""
    with connection.cursor() as cursor:
        for name in sorted(names):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def remove_segments(
    asset_ids: Sequence[int], change: StatisticsChange, *, up_to_version: int | None = None
) -> set[str]:
    """Deletes the assets' segments with their words and vectors; the caller applies `change` at its end.

    Those of versions before `up_to_version`, where given; that version's own words go too, since it is about to
    be published and gets them then. Returns the keys of the pictures that nothing points at any more.
    """
    assets = list(asset_ids)
    for audience_id, (segments, lexemes) in word_statistics.published_words(assets).items():
        change.take_away(audience_id, segments=segments, lexemes=lexemes)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, picture_key, thumbnail_key FROM kb_segment"
            " WHERE asset_id = ANY(%s) AND version < coalesce(%s, 2147483647)",
            [assets, up_to_version],
        )
        rows = cursor.fetchall()
        ids = [row[0] for row in rows]
        # In this order because Django's foreign keys do not cascade in the database.
        cursor.execute(
            "DELETE FROM kb_segmentwords WHERE segment_id IN"
            " (SELECT id FROM kb_segment WHERE asset_id = ANY(%s))",
            [assets],
        )
        for table in ("kb_stagedvector", "kb_vector"):
            cursor.execute(f"DELETE FROM {table} WHERE segment_id = ANY(%s)", [ids])  # noqa: S608 - literals
        cursor.execute("DELETE FROM kb_segment WHERE id = ANY(%s)", [ids])
    return {key for row in rows for key in row[1:] if key}


def remove_objects_on_commit(keys: Iterable[str]) -> None:
    """Best effort: what stays behind is an orphan that `check_library` finds."""
    keys = sorted(keys)
    if keys:
        transaction.on_commit(lambda: _remove_objects(keys), robust=True)


def _remove_objects(keys: list[str]) -> None:
    objects = storage()
    try:
        for key in keys:
            with transaction.atomic():
                # The same name that kb.uploads locks while it makes rows for these bytes.
                _hold(f"object {key}")
                if not _is_used(key):
                    objects.delete(key)
    except StorageError as error:
        log.warning("objects.left_behind", keys=len(keys), error=str(error))


def _is_used(key: str) -> bool:
    """Pictures belong to one version; originals are shared by every asset with the same bytes."""
    if not key.startswith("originals/"):
        return False
    return (
        AssetVersion.objects.filter(object_key=key).exists() or Asset.objects.filter(object_key=key).exists()
    )


def _again_after_deadlock(act: Callable[[], T]) -> T:
    for attempt in range(1, _DEADLOCK_ATTEMPTS + 1):
        try:
            return act()
        except OperationalError as error:
            nested = (
                connection.in_atomic_block
            )  # Then the whole outer transaction is lost, not just this part.
            deadlock = isinstance(error.__cause__, psycopg.errors.DeadlockDetected)
            if nested or not deadlock or attempt == _DEADLOCK_ATTEMPTS:
                raise
            time.sleep(0.05 * attempt)
    raise AssertionError("unreachable")
