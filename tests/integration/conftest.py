"""What the integration tests share."""

import pytest

from kb.models import Collection
from retrieval import spaces
from tests.integration.ingest import HashEncoder


@pytest.fixture
def collection(db: None) -> Collection:
    return Collection.objects.create(name="Handbook", slug="handbook")


@pytest.fixture
def hash_encoder(monkeypatch: pytest.MonkeyPatch) -> HashEncoder:
    """The text encoder of this test; no pictures are encoded."""
    encoder = HashEncoder()
    monkeypatch.setattr(spaces, "text_encoder", lambda: encoder)
    monkeypatch.setattr(spaces, "image_encoder", lambda: None)
    return encoder


@pytest.fixture
def picture_encoder(hash_encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch) -> HashEncoder:
    """A dual encoder for pictures beside it."""
    encoder = HashEncoder("hash-dual", frozenset({"text", "image"}))
    monkeypatch.setattr(spaces, "image_encoder", lambda: encoder)
    return encoder
