"""Does a library get the vectors of a new encoder, all of them, and is the switch one moment?"""

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command

from kb.library import move_to_collection
from kb.models import Asset, Collection, Segment, SetState, VectorSet
from kb.models.vector import Modality
from kb.storage import FolderStorage
from retrieval import spaces
from tests.builders import picture
from tests.integration.ingest import HashEncoder, bring_in, rows
from workers import embed
from workers.rebuild import rebuild

FILES = {"a.txt": "The seal of the pump.", "b.txt": "The valve.", "panel.png": picture("")}


@pytest.fixture
def library(collection: Collection, hash_encoder: HashEncoder, storage: FolderStorage) -> Collection:
    bring_in(collection, FILES)
    return collection


def _use(monkeypatch: pytest.MonkeyPatch, encoder: HashEncoder) -> HashEncoder:
    name = "image_encoder" if "image" in encoder.spec.modalities else "text_encoder"
    monkeypatch.setattr(spaces, name, lambda: encoder)
    return encoder


def _vectors(modality: str, encoder: str) -> dict[int, np.ndarray]:
    kept = rows(
        "SELECT s.modality, s.encoder, v.segment_id, v.embedding::text"
        " FROM kb_vector v JOIN kb_vectorset s ON s.id = v.vector_set_id"
    )
    found = [row[2:] for row in kept if row[:2] == (modality, encoder)]
    return {int(pk): np.array(json.loads(str(row))) for pk, row in found}


def test_an_existing_library_gets_the_visual_vectors_that_it_lacks(
    library: Collection, storage: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictured = set(Segment.objects.exclude(picture_key="").values_list("pk", flat=True))
    assert pictured
    text_before = _vectors("text", "hash")
    encoder = _use(monkeypatch, HashEncoder("eyes", frozenset({"text", "image"})))
    done = rebuild(storage)
    assert done.made["visual"] == len(pictured)
    assert done.made["text"] == done.made["lookalike"] == 0
    assert done.failed == {}
    assert set(_vectors("visual", "eyes")) == pictured
    for pk, row in _vectors("visual", "eyes").items():
        image = embed._picture(Segment.objects.get(pk=pk).picture_key, storage)
        np.testing.assert_allclose(row, encoder.encode_images([image])[0], atol=2e-3)
    assert _vectors("text", "hash").keys() == text_before.keys()
    # All is there: a second time makes nothing.
    assert set(rebuild(storage).made.values()) == {0}


def test_a_new_text_encoder_takes_the_place_of_the_old_one_whose_set_goes(
    library: Collection, storage: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = set(_vectors("text", "hash"))
    old = VectorSet.objects.get(modality="text")
    _use(monkeypatch, HashEncoder("student"))
    done = rebuild(storage)
    assert set(_vectors("text", "student")) == segments
    assert done.dropped == [str(old)]
    assert VectorSet.objects.get(modality="text").encoder == "student"
    assert VectorSet.objects.get(modality="text").state == SetState.ACTIVE
    assert rows(f"SELECT to_regclass('kb_vector_s{old.pk}')") == [(None,)]
    # What comes in afterwards goes into the new set.
    bring_in(library, {"c.txt": "The flange."})
    assert len(_vectors("text", "student")) == len(segments) + 1


def test_kept_sets_serve_those_who_still_run_with_the_old_encoder(
    library: Collection, storage: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _vectors("text", "hash")
    _use(monkeypatch, HashEncoder("student"))
    assert rebuild(storage, keep=True).dropped == []
    states = dict(VectorSet.objects.filter(modality="text").values_list("encoder", "state"))
    assert states == {"hash": SetState.RETIRED, "student": SetState.ACTIVE}
    assert _vectors("text", "hash").keys() == before.keys()


def test_only_what_is_asked_for_is_rebuilt(
    library: Collection, storage: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(monkeypatch, HashEncoder("eyes", frozenset({"image"})))
    _use(monkeypatch, HashEncoder("student"))
    assert rebuild(storage, only=[Modality.VISUAL]).made.keys() == {"visual"}
    assert VectorSet.objects.get(modality="text").encoder == "hash"


def test_a_lost_picture_is_named_and_nothing_is_switched(
    library: Collection, storage: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = Segment.objects.exclude(picture_key="").first()
    assert segment is not None
    storage.delete(segment.picture_key)
    _use(monkeypatch, HashEncoder("student"))
    _use(monkeypatch, HashEncoder("eyes", frozenset({"image"})))
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rebuild_vectors", stdout=out, stderr=err)
    assert ended.value.code == 1
    assert f"file {segment.asset_id}:" in err.getvalue()
    assert json.loads(out.getvalue().splitlines()[-1])["failed"] == 1
    assert VectorSet.objects.get(modality="text", state=SetState.ACTIVE).encoder == "hash"


def test_what_moves_while_it_is_encoded_gets_vectors_under_its_new_readers(
    library: Collection, storage: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Collection.objects.create(name="Other", slug="other")
    asset = Asset.objects.get(source_uri="a.txt")
    encoder = HashEncoder("student")
    encode = encoder.encode_texts

    def moving(texts: list[str], *, query: bool = False) -> np.ndarray:
        if asset.collection_id != other.pk:
            move_to_collection(asset, other)
        return encode(texts, query=query)

    monkeypatch.setattr(encoder, "encode_texts", moving)
    _use(monkeypatch, encoder)
    rebuild(storage)
    wrong = rows(
        "SELECT count(*) FROM kb_vector v JOIN kb_segment s ON s.id = v.segment_id"
        " WHERE v.audience_id <> s.audience_id OR v.collection_id <> s.collection_id"
    )
    assert wrong == [(0,)]
    assert Segment.objects.filter(asset=asset).first().collection_id == other.pk  # type: ignore[union-attr]
