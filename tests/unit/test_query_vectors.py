"""Is a query encoded once, by whichever process asks first, and never mixed up with another?"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from django.core.cache import cache
from PIL import Image
from prometheus_client import REGISTRY

from retrieval import spaces
from retrieval.encoders.base import EncoderError, EncoderSpec, Vectors, unit_rows
from retrieval.encoders.compact_image import CompactEncoder
from retrieval.encoders.student import BilingualEncoder
from tests import compact_encoder

# The fixture below replaces it; two tests want it back.
_LOADED = spaces._loaded


class StubCache:
    """Django's cache when it fails, forgets, or holds something else."""

    def __init__(self, stored: object = None) -> None:
        self._stored = stored

    def get(self, _key: str) -> object:
        if isinstance(self._stored, Exception):
            raise self._stored
        return self._stored

    def set(self, *_entry: object) -> None:
        self.get("")


class CountingEncoder:
    """Each call gives another direction, so an answer from a cache is told from a new one."""

    def __init__(self, name: str, *modalities: str) -> None:
        self._spec = EncoderSpec(name, "1", 4, frozenset(modalities), 16)  # type: ignore[arg-type]
        self.asked: list[object] = []

    @property
    def spec(self) -> EncoderSpec:
        return self._spec

    def _row(self, inputs: Sequence[object]) -> Vectors:
        self.asked.extend(inputs)
        return unit_rows(np.array([[1, len(self.asked), 0, 0]]))

    def encode_texts(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        assert query
        return self._row(texts)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        return self._row([image.size for image in images])


@pytest.fixture
def text() -> CountingEncoder:
    return CountingEncoder("words", "text")


@pytest.fixture
def image() -> CountingEncoder:
    return CountingEncoder("both", "text", "image")


@pytest.fixture(autouse=True)
def _encoders(
    text: CountingEncoder, image: CountingEncoder, monkeypatch: pytest.MonkeyPatch, settings: object
) -> Iterator[None]:
    settings.CACHES = {  # type: ignore[attr-defined]
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "query-vectors"}
    }
    monkeypatch.setattr(spaces, "_loaded", lambda: (text, image))
    cache.clear()
    spaces.forget_query_vectors()
    yield
    spaces.forget_query_vectors()


def _lookups(level: str, result: str) -> float:
    labels = {"level": level, "result": result}
    return REGISTRY.get_sample_value("kb_query_embedding_cache_total", labels) or 0


def test_a_query_is_encoded_once_and_spacing_does_not_matter(text: CountingEncoder) -> None:
    hits = _lookups("process", "hit")
    first = spaces.query_vector("pump seal")
    assert first.shape == (4,)
    np.testing.assert_array_equal(spaces.query_vector("  pump \n seal "), first)
    assert text.asked == ["pump seal"]
    assert _lookups("process", "hit") == hits + 1


def test_another_process_finds_it_in_the_shared_cache(text: CountingEncoder) -> None:
    hits = _lookups("shared", "hit")
    first = spaces.query_vector("pump")
    spaces.forget_query_vectors()  # As a process that starts with nothing.
    np.testing.assert_array_equal(spaces.query_vector("pump"), first)
    assert text.asked == ["pump"]
    assert _lookups("shared", "hit") == hits + 1


def test_letters_composed_in_two_ways_are_one_query_but_case_is_kept(text: CountingEncoder) -> None:
    spaces.query_vector("Caf\u00e9")
    spaces.query_vector("Cafe\u0301")
    spaces.query_vector("caf\u00e9")
    assert text.asked == ["Caf\u00e9", "caf\u00e9"]


def test_spaces_do_not_share_vectors(text: CountingEncoder, image: CountingEncoder) -> None:
    spaces.query_vector("pump")
    spaces.visual_query_vector("pump")
    assert text.asked == ["pump"]
    assert image.asked == ["pump"]


def test_with_the_compact_encoder_words_are_encoded_once_for_passages_and_pictures(
    text: CountingEncoder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    head = compact_encoder.silent_head(4)
    head["b2"][3] = 1.0
    source = compact_encoder.source(tmp_path, dimensions=4, head=head, text_space="words")
    compact = CompactEncoder(source, text)
    monkeypatch.setattr(spaces, "_loaded", lambda: (text, compact))
    passages = spaces.query_vector("red pump")
    pictures = spaces.visual_query_vector("red pump")
    assert pictures is not None
    np.testing.assert_allclose(pictures, unit_rows((passages + np.eye(4)[3])[None])[0], atol=1e-6)
    assert text.asked == ["red pump"]
    assert spaces.visual_range("words") == compact_encoder.WORDS
    assert spaces.visual_range("pictures") == compact_encoder.PICTURES
    assert spaces.visual_range("passages") == compact_encoder.PASSAGES
    assert spaces.passage_head() is compact.head
    # It knows the languages that its text encoder knows.
    monkeypatch.setattr(spaces, "LANGUAGES", {"words": frozenset({"en"})})
    assert spaces.visual_languages() == frozenset({"en"})


def test_a_picture_is_known_by_its_pixels_and_its_shape(image: CountingEncoder) -> None:
    spaces.picture_vector(Image.new("RGB", (4, 2), "red"))
    spaces.picture_vector(Image.new("RGB", (4, 2), "red"))
    spaces.picture_vector(Image.new("RGB", (2, 4), "red"))
    spaces.picture_vector(Image.new("RGB", (4, 2), "blue"))
    assert image.asked == [(4, 2), (2, 4), (4, 2)]


def test_without_an_image_encoder_there_are_no_visual_vectors(
    text: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "_loaded", lambda: (text, None))
    assert spaces.image_encoder() is None
    assert spaces.visual_query_vector("pump") is None
    assert spaces.picture_vector(Image.new("RGB", (4, 2))) is None


def test_an_image_encoder_that_reads_no_texts_has_no_vector_for_words(
    text: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "_loaded", lambda: (text, CountingEncoder("pictures", "image")))
    assert spaces.visual_query_vector("pump") is None


def test_a_cached_vector_cannot_be_changed_by_who_gets_it() -> None:
    row = spaces.query_vector("pump")
    with pytest.raises(ValueError, match="read-only"):
        row += 1


def test_a_cache_that_fails_costs_the_cache_and_not_the_query(
    text: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "cache", StubCache(ConnectionError("the cache is down")))
    assert spaces.query_vector("pump").shape == (4,)


@pytest.mark.parametrize("stored", [b"", b"12345", "text", 7])
def test_an_entry_of_another_kind_is_encoded_anew(
    stored: object, text: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "cache", StubCache(stored))
    assert spaces.query_vector("pump").shape == (4,)
    assert text.asked == ["pump"]


def test_the_process_forgets_what_was_used_longest_ago(
    text: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "PROCESS_ENTRIES", 2)
    monkeypatch.setattr(spaces, "cache", StubCache())
    for words in ("first", "second", "first", "third", "first", "second"):
        spaces.query_vector(words)
    # "third" pushed out "second", since "first" was used after it.
    assert text.asked == ["first", "second", "third", "second"]


def test_half_a_surrogate_pair_is_a_query_like_any_other() -> None:
    assert spaces.query_vector("pump \ud800").shape == (4,)


def test_a_profile_that_cannot_be_loaded_says_why(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "_loaded", _LOADED)
    settings.KB_PROFILE = "custom"  # type: ignore[attr-defined]
    with pytest.raises(EncoderError, match="needs KB_TEXT_ENCODER"):
        spaces.text_encoder()


def test_the_sites_encoder_is_loaded_once_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "_loaded", _LOADED)
    encoder = spaces.text_encoder()
    assert isinstance(encoder, BilingualEncoder)
    assert spaces.text_encoder() is encoder
