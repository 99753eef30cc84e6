"""What happens to a file after its upload? ③ extract, ④ embed (and ⑤ fuse), ⑥ index: all of it on this screen.

Each step computes outside any transaction, then keeps its work, ends itself and names what follows in one
(`outbox.finishing`). So a step may die at any line and run again.
"""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from django.conf import settings

from kb.exceptions import FailureCode, IngestError
from kb.media_types import kind_of
from kb.models import AssetVersion, Segment, StepName
from kb.recordings import is_recording
from kb.storage import storage
from workers import embed as embedding
from workers import facts, index, outbox, pictures, sandbox, segments, unpack
from workers.extract import limits, speech
from workers.extract.base import Extraction, SpeechLine, Warning_
from workers.outbox import FollowUp, Lease
from workers.pictures import StoredPicture


def run(lease: Lease) -> None:
    """Does the step that the lease is for, unless a newer version of the file is searchable by now."""
    version = lease.step.asset_version
    if version.number < version.asset.version:
        with outbox.finishing(lease) as finish:
            index.give_up(finish.version)
        return
    steps = {
        StepName.EXTRACT: extract,
        StepName.TRANSCRIBE: transcribe,
        StepName.EMBED: embed,
        StepName.INDEX: publish,
    }
    steps[StepName(lease.step.name)](lease)


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
        facts.keep_preview(finish.version, part, _preview_key(extraction, stored))
        if part == 0:
            finish.follow_ups += [FollowUp(StepName.EXTRACT, other) for other in range(1, extraction.parts)]
            finish.follow_ups += _transcription_steps(extraction)
        if outbox.are_others_done(lease, finish):
            _ensure_searchable(finish.version)
            finish.follow_ups += embedding_steps(finish.version)


def transcribe(lease: Lease) -> None:
    """③ Writes down what is said in one time range of a recording."""
    version, part = lease.step.asset_version, lease.step.part
    if version.number == version.asset.version:
        outbox.finish(lease)
        return
    lines: list[SpeechLine] = []
    unheard = None
    with tempfile.TemporaryDirectory(prefix="kb-listen-") as folder:
        with lease.timed("download"):
            file = _download(version, Path(folder, "original"))
        try:
            with lease.timed("parse"):
                sound = sandbox.listen(
                    file, media_type=version.media_type, part=part, scratch=Path(folder, "scratch")
                )
        except IngestError as error:
            # What the file shows and says by itself stays searchable.
            unheard = error
        else:
            with lease.timed("listen"):
                lines = speech.transcribe(sound, settings.KB_SPEECH_MODEL)
    own_part = segments.TRANSCRIPT_PARTS + part
    found = segments.of_speech(version, own_part, lines, offset_ms=part * limits.SECONDS_PER_PART * 1000)
    with outbox.finishing(lease) as finish:
        _replace_segments(finish.version, own_part, found)
        if unheard is not None:
            message = f"The sound from {part * limits.SECONDS_PER_PART} s on could not be read. {unheard}"
            facts.warn(finish.version, own_part, unheard.code, message)
        if outbox.are_others_done(lease, finish):
            _ensure_searchable(finish.version)
            finish.follow_ups += embedding_steps(finish.version)


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
        # The first pages or minutes were read: they stay searchable, and the file says what is missing.
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


def _preview_key(extraction: Extraction, stored: Mapping[int, StoredPicture]) -> str:
    previews = (number for number, picture in enumerate(extraction.pictures) if picture.role == "preview")
    return next((stored[number].picture_key for number in previews), "")


def _transcription_steps(extraction: Extraction) -> list[FollowUp]:
    """For a recording whose words are not in it as subtitles already, where there is a model to listen to it."""
    if not settings.KB_SPEECH_MODEL or not extraction.has_sound or extraction.speech:
        return []
    parts = -(-(extraction.duration_ms or 0) // (limits.SECONDS_PER_PART * 1000))
    return [FollowUp(StepName.TRANSCRIBE, part) for part in range(parts)]


def _replace_segments(version: AssetVersion, part: int, found: list[Segment]) -> None:
    Segment.objects.filter(asset=version.asset_id, version=version.number, part=part).delete()
    for segment in found:
        segment.collection_id = version.asset.collection_id  # It may have been moved since the step began.
    Segment.objects.bulk_create(found, batch_size=500)


def _ensure_searchable(version: AssetVersion) -> None:
    """A file without words is found by its title and name; that of a document is worth a warning."""
    found = Segment.objects.filter(asset=version.asset_id, version=version.number)
    has_words = any(
        segments.own_words(segment) for segment in found.defer("ocr_lines").iterator(chunk_size=500)
    )
    version.facts["has_words"] = has_words
    version.save(update_fields=["facts"])
    # A recording is heard and seen, and its title is all that can be read of many.
    is_read = kind_of(version.media_type) == "document" and not is_recording(version.media_type)
    if not has_words and is_read:
        facts.warn(version, facts.WHOLE_FILE, FailureCode.NO_CONTENT)
    if not found.exists():
        segments.nameless(version).save()


def embedding_steps(version: AssetVersion) -> list[FollowUp]:
    """A step for each chunk of the version's segments."""
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
