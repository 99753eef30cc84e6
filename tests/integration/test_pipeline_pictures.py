"""What does a picture get: pixels, a thumbnail, the words in it, and which vectors?"""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from pytest_django import Settings

from kb.models import (
    Audience,
    Collection,
    Image,
    Segment,
    SegmentKind,
)
from kb.storage import FolderStorage
from retrieval import channels
from retrieval.encoders.base import CosineRange, unit_rows
from retrieval.fusion.files import LearnedFusion, save_fusion
from retrieval.query import parse
from retrieval.scope import Scope
from tests.integration.ingest import (
    HashEncoder,
    bring_in,
    found,
    rows,
)
from workers import pipeline
from workers.extract.base import Extraction, OcrLine, Picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder", "storage")]


def png(size: tuple[int, int] = (640, 400), colour: str = "teal") -> bytes:
    buffer = io.BytesIO()
    PillowImage.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def _picture(*args: object, scratch: object, **options: object) -> Extraction:
    Path(str(scratch), "image.png").write_bytes(png())
    line = OcrLine("Valve open", (0.1, 0.1, 0.5, 0.2))
    return Extraction(
        pictures=(Picture("image", file="image.png", ocr=(line,)),), width_px=640, height_px=400
    )


def test_a_picture_keeps_its_pixels_a_thumbnail_and_the_words_in_it(
    collection: Collection, storage: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.sandbox, "extract", _picture)
    bring_in(collection, {"panel.png": png()})
    segment = Segment.objects.get()
    assert (segment.kind, segment.ocr_text) == (SegmentKind.IMAGE, "Valve open")
    assert segment.ocr_lines == [[0.1, 0.1, 0.5, 0.2, "Valve open"]]
    with storage.open(segment.thumbnail_key) as stream:
        assert PillowImage.open(stream).size == (320, 200)
    with storage.open(segment.picture_key) as stream:
        assert PillowImage.open(stream).size == (640, 400)
    assert (Image.objects.get().width_px, Image.objects.get().kind) == (640, "image")
    assert found("valve") == {"panel.png"}


def vectors_by_modality() -> dict[str, np.ndarray]:
    kept = rows(
        "SELECT s.modality, v.embedding::text FROM kb_vector v JOIN kb_vectorset s ON s.id = v.vector_set_id"
    )
    return {
        str(name): np.array([float(x) for x in str(row).strip("[]").split(",")], np.float32)
        for name, row in kept
    }


def test_where_pictures_are_encoded_they_get_a_vector_of_what_they_show(
    collection: Collection, picture_encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.sandbox, "extract", _picture)
    bring_in(collection, {"panel.png": png()})
    assert set(vectors_by_modality()) == {"text", "visual", "lookalike"}


def test_a_site_that_learned_a_fusion_gets_a_vector_of_words_and_pixels_and_words_ask_for_it(
    collection: Collection,
    picture_encoder: HashEncoder,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(pipeline.sandbox, "extract", _picture)
    spec = picture_encoder.spec
    halves = {"weights": np.array([0.5, 0.5], dtype=np.float32)}
    cosines = CosineRange(low=0.1, high=0.5, matches_from=0.2)
    settings.KB_FUSION = str(tmp_path / "weighted.safetensors")
    save_fusion(
        LearnedFusion("weighted", spec.key, spec.dimensions, halves, cosines),
        tmp_path / "weighted.safetensors",
    )
    bring_in(collection, {"panel.png": png()})
    kept = vectors_by_modality()
    assert set(kept) == {"text", "visual", "fused", "lookalike"}
    told = picture_encoder.encode_texts(["Valve open"])[0]
    # The mean of the two unit vectors, made unit length again.
    expected = unit_rows(((told + kept["visual"]) / 2)[None])[0]
    np.testing.assert_allclose(kept["fused"], expected, atol=2e-3)

    scope = Scope(tuple(Audience.objects.values_list("pk", flat=True)))
    query = parse("Valve open", max_characters=100)
    by_words = {item.channel: item for item in channels.by_words(query, (), scope, 10)}
    (found,) = by_words["visual"].items
    assert by_words["visual"].cosines == cosines
    # Pixels alone of a hash encoder say nothing about these words; with the words in them they do.
    assert found.score == pytest.approx(float(expected @ told), abs=2e-3)
    assert found.score > 0.5
