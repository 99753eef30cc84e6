"""What happens to a file after its upload? ③ extract, ④ embed (and ⑤ fuse), ⑥ index: all of it on this screen.

Each step computes outside any transaction, then keeps its work, ends itself and names what follows in one
(`outbox.finishing`). So a step may die at any line and run again.
"""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from kb.exceptions import FailureCode, IngestError
from kb.media_types import kind_of
from kb.models import AssetVersion, Segment, StepName
from kb.storage import storage
from workers import embed as embedding
from workers import facts, index, outbox, pictures, sandbox, segments, unpack
from workers.extract.base import Extraction, Warning_
from workers.outbox import FollowUp, Lease
from workers.pictures import StoredPicture


def run(lease: Lease) -> None:
    """Does the step that the lease is for, unless a newer version of the file is searchable by now."""
    version = lease.step.asset_version
    if version.number < version.asset.version:
        with outbox.finishing(lease) as finish:
            index.give_up(finish.version)
        return
    {StepName.EXTRACT: extract, StepName.EMBED: embed, StepName.INDEX: publish}[StepName(lease.step.name)](
        lease
    )


def extract(lease: Lease) -> None:
    """③ Reads one part of the file into segments."""
    version, part = lease.step.asset_version, lease.step.part
    if version.number == version.asset.version:
        outbox.finish(lease)  # Published: its segments have their words and vectors, and stay.
        return
    with tempfile.TemporaryDirectory(prefix="kb-extract-") as folder:
        scratch = Path(folder, "scratch")
        scratch.mkdir()
        with lease.timed("download"):
            file = _download(version, Path(folder, "original"))
        with lease.timed("parse"):
            extraction = _parse(version, part, file, scratch)
        with lease.timed("members"):
            left_out = unpack.bring_in(lease, extraction, scratch)
            extraction = replace(extraction, warnings=extraction.warnings + left_out)
        with lease.timed("pictures"):
            stored = _store_pictures(version, part, extraction, scratch)
    with lease.timed("segments"):
        found = segments.from_extraction(version, part, extraction, stored)
    with outbox.finishing(lease) as finish:
        _replace_segments(finish.version, part, found)
        facts.merge(finish.version, part, extraction)
        if part == 0:
            finish.follow_ups += [FollowUp(StepName.EXTRACT, other) for other in range(1, extraction.parts)]
        if outbox.are_others_done(lease, finish):
            _ensure_searchable(finish.version)
            finish.follow_ups += _embedding_steps(finish.version)


def embed(lease: Lease) -> None:
    """④ and ⑤ Turns a chunk of segments into vectors, which wait until the version is published."""
    version, chunk = lease.step.asset_version, lease.step.arguments
    found = list(
        Segment.objects.filter(
            asset=version.asset_id, version=version.number, pk__range=(chunk["first"], chunk["last"])
        ).order_by("pk")
    )
    with lease.timed("encode"):
        vectors = embedding.encode(version, found, storage())
    with outbox.finishing(lease) as finish:
        embedding.stage(vectors)
        if outbox.are_others_done(lease, finish):
            finish.follow_ups.append(FollowUp(StepName.INDEX))


def publish(lease: Lease) -> None:
    """⑥ Makes the version searchable in the place of the one before it."""
    with lease.timed("words"):
        prepared = index.prepare(lease.step.asset_version)
    with outbox.finishing(lease):
        index.make_visible(prepared)


def _download(version: AssetVersion, target: Path) -> Path:
    with storage().open(version.object_key) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file)
    return target


def _parse(version: AssetVersion, part: int, file: Path, scratch: Path) -> Extraction:
    name = version.facts.get("name", "")
    try:
        return sandbox.extract(file, name=name, media_type=version.media_type, part=part, scratch=scratch)
    except IngestError as error:
        if part == 0:
            raise
        # The first pages were read: they stay searchable, and the file says what is missing.
        message = f"Part {part + 1} of the file could not be read. {error}"
        return Extraction(warnings=(Warning_(str(error.code), message),))


def _store_pictures(
    version: AssetVersion, part: int, extraction: Extraction, scratch: Path
) -> dict[int, StoredPicture]:
    objects = storage()
    return {
        number: pictures.store(
            objects, picture, scratch=scratch, version_id=version.pk, part=part, number=number
        )
        for number, picture in enumerate(extraction.pictures)
        if picture.file
    }


def _replace_segments(version: AssetVersion, part: int, found: list[Segment]) -> None:
    Segment.objects.filter(asset=version.asset_id, version=version.number, part=part).delete()
    Segment.objects.bulk_create(found, batch_size=500)


def _ensure_searchable(version: AssetVersion) -> None:
    """A file without words is found by its title and name; that of a document is worth a warning."""
    found = Segment.objects.filter(asset=version.asset_id, version=version.number)
    has_words = any(
        segments.own_words(segment) for segment in found.defer("ocr_lines").iterator(chunk_size=500)
    )
    version.facts["has_words"] = has_words
    version.save(update_fields=["facts"])
    if not has_words and kind_of(version.media_type) == "document":
        facts.warn(version, facts.WHOLE_FILE, FailureCode.NO_CONTENT)
    if not found.exists():
        segments.nameless(version).save()


def _embedding_steps(version: AssetVersion) -> list[FollowUp]:
    ids = list(
        Segment.objects.filter(asset=version.asset_id, version=version.number)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    revision = embedding.revision()
    chunks = [
        ids[start : start + embedding.CHUNK_SEGMENTS]
        for start in range(0, len(ids), embedding.CHUNK_SEGMENTS)
    ]
    return [
        FollowUp(StepName.EMBED, number, revision, {"first": chunk[0], "last": chunk[-1]})
        for number, chunk in enumerate(chunks)
    ]
