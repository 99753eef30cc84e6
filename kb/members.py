"""How do the files inside a file come in? As assets of their own, below the one that they were found in.

A member is called by its parent's source_uri, "!/" and its path inside. It has its parent's readers, comes and goes
with its parent, and is brought in by a step of the parent that may run twice: whatever is there already stays.
Members are never exchanged for equal bytes elsewhere in the collection, which have readers and a life of their own;
only within one parent, and along the line of parents, equal bytes are one asset.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.utils import timezone

from kb import runs, uploads
from kb.exceptions import FailureCode, IngestError
from kb.models import Asset, AssetVersion, Audience, IngestItem, IngestRun, Outcome
from kb.uploads import Received

SEPARATOR = "!/"
# Members of one transaction: it holds two advisory locks for each, of some six thousand that Postgres has for all.
_AT_ONCE = 25
_TREE = """
    WITH RECURSIVE tree AS (
        SELECT id, size_bytes FROM kb_asset WHERE parent_id = %s
        UNION ALL SELECT child.id, child.size_bytes FROM kb_asset child JOIN tree ON child.parent_id = tree.id
    )
    SELECT count(*), coalesce(sum(size_bytes), 0) FROM tree
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A member as the parser left it: a file, or the reason why there is none."""

    path: str
    file: Path | None = None
    reason: IngestError | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """What all members below one uploaded file, at any depth, may come to."""

    depth: int
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Prepared:
    source_uri: str
    received: Received | None
    reason: IngestError | None


def depth_of(version: AssetVersion) -> int:
    """How many files the file is inside of."""
    return int(version.facts.get("depth", 0))


def bring_in(
    parent: AssetVersion,
    found: Sequence[Found],
    budget: Budget,
    holding: Callable[[], AbstractContextManager[AssetVersion]],
) -> FailureCode | None:
    """Makes each member an asset, with an item in every run that waits for the parent; a refusal is an outcome, too.

    `holding` opens a transaction in which the parent's version is locked, or raises when the step is lost. Returns
    why some members were not taken in. Raises StorageError.
    """
    if depth_of(parent) >= budget.depth:
        return FailureCode.NESTED_TOO_DEEP if found else None
    for start in range(0, len(found), _AT_ONCE):
        prepared = [_prepare(parent, member) for member in found[start : start + _AT_ONCE]]
        for member in prepared:
            if member.received:
                uploads.put_object(member.received)
        with holding() as version:
            # Where it is and who reads it now, and until the end of this transaction.
            version.asset = Asset.objects.select_for_update(no_key=True).get(pk=version.asset_id)
            names = {name for member in prepared for name in _lock_names(version, member)}
            uploads.lock(*names)
            line = _line(version.asset)
            used_files, used_bytes = _tree(line[-1].pk)
            for member in prepared:
                size_bytes = member.received.size_bytes if member.received else 0
                over = used_files >= budget.files or used_bytes + size_bytes > budget.size_bytes
                if over and not _is_known(version, member):
                    return FailureCode.MEMBERS_CAPPED
                if _admit(version, member, line):
                    used_files, used_bytes = used_files + 1, used_bytes + size_bytes
    return None


def _prepare(parent: AssetVersion, member: Found) -> _Prepared:
    source_uri = f"{parent.asset.source_uri}{SEPARATOR}{member.path}"
    try:
        source_uri = uploads.safe_path(source_uri)
        if member.file is None:
            return _Prepared(source_uri, None, member.reason or IngestError(FailureCode.CORRUPT))
        received = uploads.measured(member.file, source_uri)
        uploads.refuse_unsupported(received)
    except IngestError as reason:
        return _Prepared(source_uri, None, reason)
    return _Prepared(source_uri, received, None)


def _lock_names(version: AssetVersion, member: _Prepared) -> Iterator[str]:
    yield f"source {version.asset.collection_id} {member.source_uri}"
    if member.received:
        yield f"object {member.received.object_key}"


def _line(asset: Asset) -> list[Asset]:
    """The asset, its parent, and so on up to the file that was uploaded."""
    line = [asset]
    while (parent := line[-1].parent) is not None:
        line.append(parent)
    return line


def _tree(root_id: int) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_TREE, [root_id])
        files, size_bytes = cursor.fetchone()
    return files, int(size_bytes)


def _place(version: AssetVersion, member: _Prepared) -> Asset | None:
    return Asset.objects.filter(collection=version.asset.collection_id, source_uri=member.source_uri).first()


def _is_known(version: AssetVersion, member: _Prepared) -> bool:
    place = _place(version, member)
    return place is not None and place.parent_id == version.asset_id


def _admit(parent: AssetVersion, member: _Prepared, line: Sequence[Asset]) -> bool:
    """One member's rows; True for a new asset. Called with the parent's version and the member's place locked."""
    place = _place(parent, member)
    waiting = IngestRun.objects.filter(items__asset_version=parent, items__outcome=Outcome.PENDING).distinct()
    if place is not None and place.parent_id == parent.asset_id and place.parent_version is not None:
        if place.parent_version > parent.number:
            return False  # A newer version of the parent was here first.
        if place.parent_version == parent.number:
            _resume(waiting, member.source_uri)
            return False
    fresh = [run for run in waiting if not _has_item(run, member.source_uri)]
    reason = member.reason
    if reason is None and place is not None and place.parent_id != parent.asset_id:
        message = "Another file has the path that this file inside a file would get."
        reason = IngestError(FailureCode.UNSAFE_PATH, message)
    if reason is not None or member.received is None:
        for run in fresh:
            uploads.refuse(run, member.source_uri, reason or IngestError(FailureCode.CORRUPT))
        return False
    if (twin := _twin(parent, member, line)) is not None:
        for run in fresh:
            _unchanged(run, member.source_uri, twin)
        return False
    _bring_in(parent, member.source_uri, member.received, place, fresh)
    return place is None


def _bring_in(
    parent: AssetVersion, source_uri: str, received: Received, place: Asset | None, fresh: Iterable[IngestRun]
) -> None:
    at_place = uploads.live(AssetVersion.objects.filter(asset=place)) if place else []
    if at_place and at_place[-1].sha256 == received.sha256:
        version = at_place[-1]
        for run in fresh:
            uploads.known(run, source_uri, version)
    else:
        version = uploads.new_version(
            parent.asset.collection,
            source_uri,
            received,
            owner_id=parent.asset.owner_id,
            audience=_readers(parent),
            parent=parent.asset,
        )
        version.facts["depth"] = depth_of(parent) + 1
        version.save(update_fields=["facts"])
        for run in fresh:
            IngestItem.objects.create(run=run, path=source_uri, asset_version=version)
    Asset.objects.filter(pk=version.asset_id).update(parent_version=parent.number)


def _readers(parent: AssetVersion) -> Audience | None:
    """Who reads this version of the parent in place of the collection's readers."""
    audience_id = parent.facts.get("audience_id", parent.asset.own_audience_id)
    return Audience.objects.get(pk=audience_id) if audience_id is not None else None


def _twin(parent: AssetVersion, member: _Prepared, line: Sequence[Asset]) -> AssetVersion | None:
    """The same bytes elsewhere in this version of the parent, or one of the files that this one is inside of."""
    assert member.received is not None  # noqa: S101 -- the caller asked; for the type checker.
    sha256 = member.received.sha256
    if parent.sha256 == sha256:
        return parent  # It holds itself.
    above = AssetVersion.objects.filter(asset__in=[asset.pk for asset in line[1:]], sha256=sha256)
    beside = AssetVersion.objects.filter(
        asset__parent=parent.asset_id, asset__parent_version=parent.number, sha256=sha256
    ).exclude(asset__source_uri=member.source_uri)
    return above.first() or next(iter(uploads.live(beside)), None)


def _unchanged(run: IngestRun, source_uri: str, twin: AssetVersion) -> None:
    IngestItem.objects.create(
        run=run, path=source_uri, asset_version=twin, outcome=Outcome.UNCHANGED, ended_at=timezone.now()
    )


def _has_item(run: IngestRun, source_uri: str) -> bool:
    return IngestItem.objects.filter(run=run, path=uploads.shown(source_uri)).exists()


def _resume(waiting: Iterable[IngestRun], source_uri: str) -> None:
    """An earlier attempt was here. What was cancelled together with it goes on together with it."""
    for item in IngestItem.objects.filter(run__in=waiting, path=source_uri, outcome=Outcome.CANCELLED):
        runs.retry(item)
