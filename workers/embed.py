"""④ Which vectors does a segment get? One for its words; where pictures are encoded, one for its pixels and one for
both.

They are staged: `kb_vector` holds only what is published, so an index never has rows that nobody may see.
"""

import io
from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np
from django.conf import settings
from PIL import Image

from kb.models import AssetVersion, Segment, StagedVector, VectorSet
from kb.models.vector import Modality
from kb.storage import Storage
from retrieval import fused, spaces
from retrieval.encoders.base import Encoder, EncoderSpec, Vectors
from workers import fuse, vector_sets
from workers.segments import own_words, telling_name

# Segments of one step: about a second on one thread, so that a lost worker loses little, and batches still pay.
CHUNK_SEGMENTS = 64
# Decoded pictures held at a time: eight of 2,048 pixels a side are 100 MB.
_PICTURES_AT_ONCE = 8
# The most that an encoder of pictures reads. A JPEG is decoded at the smallest scale that has as much on both sides.
_ENCODED_SIDE_PX = 512


@dataclass(frozen=True, slots=True)
class SetVectors:
    """Vectors (N, D) of one set, for segments in that order."""

    vector_set: VectorSet
    segment_ids: list[int]
    rows: Vectors


def revision() -> str:
    """Names the configured encoders without loading them, for the key of an embedding step."""
    return "|".join(
        (settings.KB_PROFILE, settings.KB_TEXT_ENCODER, settings.KB_IMAGE_ENCODER, settings.KB_FUSION)
    ).rstrip("|")[:200]


def modalities() -> dict[Modality, EncoderSpec]:
    """What the configured encoders make vectors of, and whose vectors those are."""
    image = spaces.image_encoder()
    made = {
        Modality.TEXT: spaces.text_encoder().spec,
        Modality.LOOKALIKE: spaces.lookalike_encoder().spec,
    }
    if image is not None:
        made[Modality.VISUAL] = image.spec
        if fusion := fused.site_fusion(image):
            made[Modality.FUSED] = fused.fused_spec(image, fusion)
    return made


def encode(
    version: AssetVersion,
    segments: Sequence[Segment],
    objects: Storage,
    *,
    only: Container[Modality] = tuple(Modality),
) -> list[SetVectors]:
    """Everything, or `only` that, what the configured encoders say about these segments."""
    words = _words(version, segments)
    # Words in pictures count for the fused vector too; where passages are wanted they are encoded once for both.
    is_read = [
        Modality.TEXT in only or (Modality.FUSED in only and bool(segment.picture_key))
        for segment in segments
    ]
    passages = _encoded_words([text if read else "" for text, read in zip(words, is_read, strict=True)])
    found = _of_words(segments, words, passages) if Modality.TEXT in only else []
    return [*found, *_of_pictures(segments, words, passages, objects, only)]


def stage(found: Sequence[SetVectors]) -> None:
    """Keeps the vectors until their version is published; a repeated step replaces its own."""
    for vectors in found:
        StagedVector.objects.bulk_create(
            [
                StagedVector(vector_set=vectors.vector_set, segment_id=segment_id, embedding=row)
                for segment_id, row in zip(vectors.segment_ids, vectors.rows, strict=True)
            ],
            update_conflicts=True,
            unique_fields=["segment", "vector_set"],
            update_fields=["embedding"],
        )


def _words(version: AssetVersion, segments: Sequence[Segment]) -> list[str]:
    """The words of each segment; of a file that has none, its title or name, which may tell what it shows."""
    words = [own_words(segment) for segment in segments]
    if any(words) or version.facts.get("has_words"):
        return words
    facts = version.facts
    name = facts.get("given_title") or facts.get("title") or telling_name(version.asset.source_uri)
    # Its first segment alone: hundreds of shots with one vector would crowd the answer to what comes near it.
    return [name if (segment.part, segment.ordinal) == (0, 0) else "" for segment in segments]


def _encoded_words(words: Sequence[str]) -> Vectors:
    """A row for each of `words`; zeros where there are none."""
    told = [index for index, text in enumerate(words) if text]
    encoder = spaces.text_encoder()
    rows = np.zeros((len(words), encoder.spec.dimensions), dtype=np.float32)
    if told:
        rows[told] = encoder.encode_texts([words[index] for index in told])
    return rows


def _of_words(segments: Sequence[Segment], words: Sequence[str], passages: Vectors) -> list[SetVectors]:
    told = [index for index, text in enumerate(words) if text]
    if not told:
        return []
    vector_set = vector_sets.ensure_vector_set(spaces.text_encoder().spec, Modality.TEXT)
    return [SetVectors(vector_set, [segments[index].pk for index in told], passages[told])]


def _of_pictures(
    segments: Sequence[Segment],
    words: Sequence[str],
    passages: Vectors,
    objects: Storage,
    only: Container[Modality],
) -> list[SetVectors]:
    seen = [index for index, segment in enumerate(segments) if segment.picture_key]
    looks, image = spaces.lookalike_encoder(), spaces.image_encoder()
    encoders: list[Encoder] = [looks] if Modality.LOOKALIKE in only else []
    if image is not None and (Modality.VISUAL in only or Modality.FUSED in only):
        encoders.append(image)
    if not seen or not encoders:
        return []
    ids = [segments[index].pk for index in seen]
    rows = _encoded_pictures(encoders, [segments[index].picture_key for index in seen], objects)
    found = []
    specs = modalities()
    for encoder, vectors in zip(encoders, rows, strict=True):
        by_modality = {Modality.LOOKALIKE: vectors}
        if encoder is image:
            by_modality = {Modality.VISUAL: vectors}
            fusion = fused.site_fusion(encoder) if Modality.FUSED in only else None
            if fusion is not None:
                told = [words[index] for index in seen]
                by_modality[Modality.FUSED] = fuse.fuse(encoder, fusion, told, vectors, passages[seen])
        found += [
            SetVectors(vector_sets.ensure_vector_set(specs[modality], modality), ids, made)
            for modality, made in by_modality.items()
            if modality in only
        ]
    return found


def _encoded_pictures(encoders: Sequence[Encoder], keys: Sequence[str], objects: Storage) -> list[Vectors]:
    """For each encoder the vectors of all pictures; each picture is fetched and decoded once."""
    batches: list[list[Vectors]] = [[] for _ in encoders]
    for start in range(0, len(keys), _PICTURES_AT_ONCE):
        images = [_picture(key, objects) for key in keys[start : start + _PICTURES_AT_ONCE]]
        for encoder, rows in zip(encoders, batches, strict=True):
            rows.append(encoder.encode_images(images))
    return [np.concatenate(rows) for rows in batches]


def _picture(key: str, objects: Storage) -> Image.Image:
    with objects.open(key) as stream:
        # From memory: not every store's stream can seek.
        image = Image.open(io.BytesIO(stream.read()), formats=["WEBP", "JPEG"])
    image.draft(None, (_ENCODED_SIDE_PX, _ENCODED_SIDE_PX))
    image.load()
    return image
