"""Which segments and questions are fusions compared on? Captioned pictures, some with words that are known of them.

One sentence of a picture, or its label, is what the library knows of it; the other sentences are what people ask. Of
half of the pictures nothing is known, as in a library.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.encoders.base import Encoder
from retrieval.evaluation_data import DataError, read_captions
from retrieval.fusion.train import Examples
from retrieval.training.shards import read_shard
from workers.evaluate.pairs import picture_rows, text_rows

# Shards whose name says so are measured on; where none does, a fifth of the pictures.
HELD_OUT = "heldout"
MEASURED = 0.2
# Pictures to learn from: the fusions have some hundred thousand weights, and encoding more takes minutes.
MOST = 4000
LANGUAGES = ("en", "captions", "zh")


@dataclass(frozen=True, slots=True)
class Told:
    """A picture, what the library knows of it in words, and what people ask to find it."""

    name: str
    picture: bytes
    words: str
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Data:
    """`train` is empty for a folder that is never trained on."""

    name: str
    language: str
    train: Sequence[Told]
    measure: Sequence[Told]


def read(folder: Path, *, language: str = "", told: float = 0.5, most: int = MOST) -> Data:
    """A captioned folder or a folder of shards. `told`: the share of pictures of which words are known.

    Raises DataError and ShardError.
    """
    if (folder / "captions.jsonl").exists():
        return _captioned(folder, language, told)
    shards = sorted(path for path in folder.glob("*.tar*") if path.is_file())
    if not shards:
        raise DataError(folder, None, "it has neither captions.jsonl nor tar shards")
    return _sharded(folder, shards, language or "en", told, most)


def encode(pictures: Sequence[Told], encoder: Encoder) -> tuple[Examples, list[str]]:
    """Their vectors, and the questions as texts. Equal questions stand once for each picture."""
    words = np.zeros((len(pictures), encoder.spec.dimensions), dtype=np.float32)
    known = [place for place, picture in enumerate(pictures) if picture.words]
    words[known] = text_rows(encoder, [pictures[place].words for place in known], query=False)
    asked = [(text, place) for place, picture in enumerate(pictures) for text in picture.questions]
    texts = [text for text, _ in asked]
    examples = Examples(
        words,
        picture_rows(encoder, [picture.picture for picture in pictures]),
        text_rows(encoder, texts),
        np.array([place for _, place in asked], dtype=np.int64),
    )
    return examples, texts


def _captioned(folder: Path, language: str, told: float) -> Data:
    images = read_captions(folder)
    language = language or next(name for name in LANGUAGES if any(name in image.captions for image in images))
    pictures = [
        _told(image.path.name, image.path.read_bytes(), "", image.captions[language], told)
        for image in images
        if image.captions.get(language)
    ]
    if not pictures:
        raise DataError(folder / "captions.jsonl", None, f"it has no caption in {language!r}")
    return Data(folder.resolve().name, language, [], pictures)


def _sharded(folder: Path, shards: Sequence[Path], language: str, told: float, most: int) -> Data:
    train: list[Told] = []
    measure: list[Told] = []
    has_held_out = any(shard.name.startswith(HELD_OUT) for shard in shards)
    for shard in shards:
        for picture in _of_shard(shard, language, told):
            is_held_out = (
                shard.name.startswith(HELD_OUT)
                if has_held_out
                else _share(picture.name, "held out") < MEASURED
            )
            (measure if is_held_out else train).append(picture)
    if not train or not measure:
        raise DataError(folder, None, f"it has too few pictures with a sentence in {language!r}")
    # By hash: shards come by source, and the first ones would be one source's.
    train.sort(key=lambda picture: _share(picture.name, "order"))
    return Data(folder.resolve().name, language, train[:most], measure)


def _of_shard(shard: Path, language: str, told: float) -> Iterator[Told]:
    for sample in read_shard(shard):
        captions = sample.captions_zh if language == "zh" else sample.captions
        if captions:
            name = f"{shard.name.split('.')[0]}/{sample.key}"
            yield _told(name, sample.picture, sample.label or "", captions, told)


def _told(name: str, picture: bytes, label: str, captions: Sequence[str], told: float) -> Told:
    distinct = list(dict.fromkeys(captions))
    # With a single sentence, that one is asked; the label, where there is one, is known.
    known, asked = (distinct[0], distinct[1:]) if len(distinct) > 1 else (label, distinct)
    return Told(name, picture, known if _share(name, "told") < told else "", tuple(asked))


def _share(name: str, what: str) -> float:
    """0 to 1, the same for a name each time, and independent for each use."""
    digest = hashlib.sha256(f"{what}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
