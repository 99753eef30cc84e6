"""How does a query become a vector? By the site's encoders, or from a cache of what they said before.

Two levels: a least-recently-used one in the process, and Django's, which processes share. What is cached is
the vector of an input, never a result, so permissions cannot leak through it.
"""

import hashlib
import logging
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from django.conf import settings
from django.core.cache import cache
from PIL import Image
from prometheus_client import Counter, Histogram

from retrieval.encoders.base import CosineRange, Encoder, EncoderError, EncoderSpec, Vectors
from retrieval.encoders.compact_image import CompactEncoder, CompactSource
from retrieval.encoders.lookalike import LookAlikeEncoder
from retrieval.encoders.minilm import NAME as EMBEDDED_TEXT
from retrieval.encoders.pictures import upright_rgb
from retrieval.encoders.profiles import encoders
from retrieval.encoders.serving import load
from retrieval.encoders.site_head import SiteHead, active_head
from retrieval.encoders.student import NAME as STUDENT
from retrieval.encoders.text_head import TextHead

log = logging.getLogger(__name__)

# 4,096 vectors of 768 numbers are 12 MB a process.
PROCESS_ENTRIES = 4096
# The key names the encoder's revision, so an entry is never wrong; a month forgets what nobody asks any more.
SHARED_SECONDS = 30 * 24 * 3600

_lookups = Counter(
    "kb_query_embedding_cache", "Query vectors looked up, by cache level and result.", ["level", "result"]
)
_encoding = Histogram(
    "kb_query_encoding_seconds",
    "Time to encode one query that no cache knew.",
    ["modality"],
    # From a short text in int8 (1 ms) to a large picture encoder on a busy host.
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)

# Encoders that were trained on few languages; elsewhere their vectors say little, and words count instead.
LANGUAGES = {EMBEDDED_TEXT: frozenset({"en"}), STUDENT: frozenset({"en", "zh"})}

_loading = threading.Lock()
_lookalike = LookAlikeEncoder()


def text_encoder() -> Encoder:
    """Of passages and questions. Loaded at the first call of each process. Raises EncoderError."""
    return _loaded()[0]


def image_encoder() -> Encoder | None:
    """Of pictures and, in most families, of words about them. None where none is configured."""
    return _loaded()[1]


def query_vector(text: str) -> Vectors:
    """float32 (D,) of unit length, in the space of `text_encoder`. Read-only."""
    return _words(text_encoder(), text)


def visual_query_vector(text: str) -> Vectors | None:
    """float32 (D,) of unit length, in the space of `image_encoder`; None where it reads none. Read-only."""
    encoder = image_encoder()
    if encoder is None or "text" not in encoder.spec.modalities:
        return None
    own = site_head(encoder)
    # Heads take no time, so what is cached is always from before one: a site may change its own at any time.
    if isinstance(encoder, CompactEncoder):
        # The text encoder ran already for the passages, or its vector is in a cache.
        row = query_vector(text)[None]
        moved = own.head(row) if own else encoder.from_text_vectors(row)
    else:
        plain = _words(encoder, text)
        if own is None:
            return plain
        moved = own.head(plain[None])
    moved.flags.writeable = False
    return np.asarray(moved[0], dtype=np.float32)


def site_head(encoder: Encoder) -> SiteHead | None:
    """The head that `manage.py train_alignment` made of this library for `encoder`, where one is active."""
    try:
        return active_head(Path(settings.KB_MODELS_DIR), encoder.spec)
    except EncoderError:
        # Pictures are still found, as well as before anybody trained.
        log.exception("The site's own head cannot be read; the encoder's is used.")
        return None


def picture_vector(image: Image.Image) -> Vectors | None:
    """float32 (D,) of unit length, in the space of `image_encoder`; None where there is none. Read-only.

    Raises EncoderError for a picture that cannot be decoded.
    """
    encoder = image_encoder()
    if encoder is None:
        return None
    upright = upright_rgb(image)
    content = hashlib.sha256(f"{upright.width}x{upright.height}:".encode() + upright.tobytes()).digest()
    return _cached(encoder.spec, "image", content, lambda: encoder.encode_images([upright]))


def text_languages() -> frozenset[str] | None:
    """The languages that `text_encoder` knows, ISO 639-1. None: not known to be limited."""
    return LANGUAGES.get(text_encoder().spec.name)


def visual_languages() -> frozenset[str] | None:
    """Those in which words find pictures by what they show. None: not known to be limited."""
    return text_languages() if isinstance(image_encoder(), CompactEncoder) else None


def passage_head() -> TextHead | None:
    """What moves the stored vectors of passages to where pictures lie; None where the two have no space in common."""
    encoder = image_encoder()
    if not isinstance(encoder, CompactEncoder):
        return None
    own = site_head(encoder)
    return own.head if own else encoder.head


def visual_range(side: Literal["words", "pictures", "passages"]) -> CosineRange | None:
    """Where cosines lie: of `words` or `pictures` that ask for pictures, of a picture with `passages`.

    None: as with encoders of CLIP's kind.
    """
    encoder = image_encoder()
    # Its penalty keeps a site's head near the encoder's own, so that passages lie where they did.
    own = site_head(encoder) if encoder and side == "words" else None
    if own:
        return own.words
    if not isinstance(encoder, CompactEncoder):
        return None
    ranges = {"words": encoder.config.words, "pictures": encoder.config.pictures}
    return ranges.get(side, encoder.config.passages)


def lookalike_encoder() -> Encoder:
    """Of how pictures look: there in every profile, since nothing has to be loaded for it."""
    return _lookalike


def forget_query_vectors() -> None:
    """Empties this process's level; Django's cache has a `clear` of its own."""
    _recent.clear()


def _loaded() -> tuple[Encoder, Encoder | None]:
    # One thread loads, the others wait: two copies of a model would be twice its memory.
    with _loading:
        return _load(
            settings.KB_PROFILE,
            Path(settings.KB_MODELS_DIR),
            settings.KB_TEXT_ENCODER,
            settings.KB_IMAGE_ENCODER,
        )


@lru_cache(maxsize=1)
def _load(profile: str, models_dir: Path, text: str, image: str) -> tuple[Encoder, Encoder | None]:
    chosen = encoders(profile, text=text, image=image)
    words = load(chosen.text, models_dir)
    if isinstance(chosen.image, CompactSource):
        return words, CompactEncoder(chosen.image, words)
    return words, load(chosen.image, models_dir) if chosen.image else None


def _words(encoder: Encoder, text: str) -> Vectors:
    # Equal to a reader is equal here: composed letters, single spaces. Half a surrogate pair has no UTF-8.
    text = " ".join(unicodedata.normalize("NFC", text).split())
    content = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    return _cached(encoder.spec, "text", content, lambda: encoder.encode_texts([text], query=True))


def _cached(
    spec: EncoderSpec, modality: Literal["text", "image"], content: bytes, encode: Callable[[], Vectors]
) -> Vectors:
    """The only row that `encode` gives, or what it gave before."""
    key = "kb:vector:" + hashlib.sha256(f"{spec.key}:{modality}:".encode() + content).hexdigest()
    row = _recent.get(key)
    _count("process", row)
    if row is not None:
        return row
    row = _shared_get(key, spec.dimensions)
    _count("shared", row)
    if row is None:
        with _encoding.labels(modality).time():
            row = encode()[0]
        _shared_put(key, row)
    row.flags.writeable = False
    _recent.put(key, row)
    return row


def _count(level: str, row: Vectors | None) -> None:
    _lookups.labels(level, "miss" if row is None else "hit").inc()


class _Recent:
    """The vectors used last, safe to use from several threads."""

    def __init__(self) -> None:
        self._rows: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Vectors | None:
        with self._lock:
            row = self._rows.get(key)
            if row is not None:
                self._rows.move_to_end(key)
            return row

    def put(self, key: str, row: Vectors) -> None:
        with self._lock:
            self._rows[key] = row
            self._rows.move_to_end(key)
            if len(self._rows) > PROCESS_ENTRIES:
                self._rows.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._rows.clear()


_recent = _Recent()


def _shared_get(key: str, dimensions: int) -> Vectors | None:
    # Broad: each cache backend raises its own, and none of them may cost a search. Encoding answers instead.
    try:
        stored = cache.get(key)
    except Exception:
        log.warning("The cache does not answer; the query is encoded anew.", exc_info=True)
        return None
    if not isinstance(stored, bytes) or len(stored) != dimensions * np.dtype(np.float32).itemsize:
        return None
    return np.frombuffer(stored, dtype=np.float32)


def _shared_put(key: str, row: Vectors) -> None:
    # Broad for the reason in _shared_get.
    try:
        cache.set(key, row.tobytes(), SHARED_SECONDS)
    except Exception:
        log.warning("The cache does not answer; the query's vector is not shared.", exc_info=True)
