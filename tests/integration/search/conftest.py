"""What the tests of search share: a reader with a collection, and encoders that cost nothing."""

import pytest
from django.contrib.auth.models import User
from PIL import Image

from kb.models import Collection, VectorSet
from retrieval import spaces
from retrieval.reading import ReadLine
from tests.integration.ingest import HashEncoder
from tests.library import a_collection, a_user
from workers.vector_sets import ensure_vector_set


@pytest.fixture(autouse=True)
def encoder(hash_encoder: HashEncoder) -> HashEncoder:
    return hash_encoder


@pytest.fixture(autouse=True)
def read_in_pictures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that are read in any query picture."""
    lines: list[str] = []

    def read_lines(image: Image.Image, *, max_side_px: int) -> tuple[ReadLine, ...]:
        return tuple(ReadLine(line, (0, 0, 1, 1)) for line in lines)

    monkeypatch.setattr("retrieval.picture.read_lines", read_lines)
    return lines


@pytest.fixture
def reader() -> User:
    return a_user("reader")


@pytest.fixture
def plant(reader: User) -> Collection:
    return a_collection("Plant", reader)


@pytest.fixture
def looks() -> VectorSet:
    return ensure_vector_set(spaces.lookalike_encoder().spec, "lookalike")
