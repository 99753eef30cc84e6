"""What is trained on? Shards made ready once: pictures as bytes of one size, texts as vectors of a frozen encoder.

A prepared corpus is a folder of plain numpy files, so that a training run maps them into memory, and a manifest that
says which shards and sources it came from.
"""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from retrieval.encoders.base import Encoder
from retrieval.encoders.pictures import upright_rgb
from retrieval.training.descriptions import MOST, descriptions, label_text
from retrieval.training.shards import Sample, ShardError, read_shard

# Raised when what is written here would be read differently.
FORMAT = 1
# The largest side that a compact encoder is trained and served at.
SIDE_PX = 96
TEXTS_AT_ONCE = 512
NO_TEXT = -1
Say = Callable[[str], object]


class CorpusError(Exception):
    """There is nothing to train on; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """N pictures, T distinct texts, S sources, L labels."""

    pictures: npt.NDArray[np.uint8]  # (N, SIDE_PX, SIDE_PX, 3)
    vectors: npt.NDArray[np.float32]  # (T, D) unit rows
    texts: list[str]
    texts_of: npt.NDArray[np.int32]  # (N, MOST), filled up with NO_TEXT
    label_of: npt.NDArray[np.int32]  # (N,), the number of its label, or NO_TEXT
    labels: list[str]
    source_of: npt.NDArray[np.int32]  # (N,)
    sources: list[str]
    # (N,): whether a sentence says what is seen, not only a label.
    captioned: npt.NDArray[np.bool_]
    kinds: list[str]  # (N,): the shard's `caption_kind`, or "".
    manifest: dict[str, Any]

    def __len__(self) -> int:
        return len(self.pictures)


def prepare(
    shards: Sequence[Path],
    folder: Path,
    encoder: Encoder,
    *,
    sources: frozenset[str] | None = None,
    chinese: bool = False,
    say: Say = print,
) -> Corpus:
    """Reads `shards` into `folder`, or opens what was read before from the same ones.

    `sources`: only these, by the name that each sample carries. `chinese`: Chinese sentences too, for an `encoder`
    that reads them. Raises ShardError and CorpusError.
    """
    wanted = {
        "format": FORMAT,
        "side_px": SIDE_PX,
        "encoder": encoder.spec.key,
        "chinese": chinese,
        "sources": sorted(sources) if sources is not None else None,
        "shards": {path.name: _sha256(path) for path in shards},
    }
    if _manifest(folder).get("made_from") != wanted:
        _write(shards, folder, encoder, sources, chinese, wanted, say)
    return load(folder)


def load(folder: Path) -> Corpus:
    """What `prepare` wrote. Raises CorpusError where it did not."""
    manifest = _manifest(folder)
    if not manifest:
        raise CorpusError(f"{folder} holds no prepared corpus.")
    table = json.loads((folder / "table.json").read_text())
    return Corpus(
        pictures=np.load(folder / "pictures.npy", mmap_mode="r"),
        vectors=np.load(folder / "vectors.npy").astype(np.float32),
        texts=table["texts"],
        texts_of=np.load(folder / "texts_of.npy"),
        label_of=np.array(table["label_of"], dtype=np.int32),
        labels=table["labels"],
        source_of=np.array(table["source_of"], dtype=np.int32),
        sources=table["sources"],
        captioned=np.array(table["captioned"], dtype=np.bool_),
        kinds=table["kinds"],
        manifest=manifest,
    )


def squashed(picture: bytes, side_px: int = SIDE_PX) -> npt.NDArray[np.uint8]:
    """(side_px, side_px, 3): the whole picture, its proportions given up. Raises OSError for what is no picture."""
    with Image.open(io.BytesIO(picture)) as opened:
        upright = upright_rgb(opened)
    return np.asarray(upright.resize((side_px, side_px), Image.Resampling.BICUBIC, reducing_gap=3.0))


class _Numbers:
    """Numbers texts in the order in which they are met."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.of.setdefault(text, len(self.of))


def _write(
    shards: Sequence[Path],
    folder: Path,
    encoder: Encoder,
    sources: frozenset[str] | None,
    chinese: bool,
    wanted: dict[str, Any],
    say: Say,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").unlink(missing_ok=True)
    text, label, source = _Numbers(), _Numbers(), _Numbers()
    texts_of: list[list[int]] = []
    label_of: list[int] = []
    source_of: list[int] = []
    captioned: list[bool] = []
    kinds: list[str] = []
    raw = folder / "pictures.raw"
    with raw.open("wb") as pictures:
        for sample in _samples(shards, sources, chinese, say):
            found = [text(words) for words in descriptions(sample, chinese=chinese)]
            pictures.write(squashed(sample.picture).tobytes())
            texts_of.append(found + [NO_TEXT] * (MOST - len(found)))
            name = label_text(sample)
            label_of.append(label(name) if name else NO_TEXT)
            source_of.append(source(sample.source))
            captioned.append(bool(sample.captions or (chinese and sample.captions_zh)))
            kinds.append(str(sample.meta.get("caption_kind", "")))
    if not texts_of:
        raise CorpusError("No sample of the shards has words and is of a source that was asked for.")
    shape = (len(texts_of), SIDE_PX, SIDE_PX, 3)
    np.save(folder / "pictures.npy", np.memmap(raw, np.uint8, "r", shape=shape))
    raw.unlink()
    np.save(folder / "texts_of.npy", np.array(texts_of, dtype=np.int32))
    np.save(folder / "vectors.npy", _encoded(list(text.of), encoder, say).astype(np.float16))
    table = {
        "texts": list(text.of),
        "labels": list(label.of),
        "sources": list(source.of),
        "label_of": label_of,
        "source_of": source_of,
        "captioned": captioned,
        "kinds": kinds,
    }
    (folder / "table.json").write_text(json.dumps(table, ensure_ascii=False))
    counts = Counter(source_of)
    manifest = {
        "made_from": wanted,
        "pictures": len(texts_of),
        "texts": len(text.of),
        "by_source": {name: counts[number] for name, number in source.of.items()},
    }
    # Last: a folder without it is one whose making was killed.
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1))


def _samples(
    shards: Sequence[Path], sources: frozenset[str] | None, chinese: bool, say: Say
) -> Iterator[Sample]:
    for path in shards:
        kept = wordless = broken = 0
        for sample in read_shard(path):
            if sources is not None and sample.source not in sources:
                continue
            if not descriptions(sample, chinese=chinese):
                wordless += 1
                continue
            try:
                squashed(sample.picture, 8)
            except OSError:
                broken += 1
                continue
            kept += 1
            yield sample
        say(
            f"{path.name}: {kept} pictures; {wordless} without words and {broken} that cannot be decoded left out"
        )
        if broken > kept:
            raise ShardError(f"{path}: more pictures are broken than whole.")


def _encoded(texts: Sequence[str], encoder: Encoder, say: Say) -> npt.NDArray[np.float32]:
    rows = np.empty((len(texts), encoder.spec.dimensions), dtype=np.float32)
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        batch = texts[start : start + TEXTS_AT_ONCE]
        rows[start : start + len(batch)] = encoder.encode_texts(batch)
        if start % (20 * TEXTS_AT_ONCE) == 0:
            say(f"texts encoded: {start} of {len(texts)}")
    return rows


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    except FileNotFoundError:
        return {}
    return manifest


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ShardError(f"{path} cannot be read: {error.strerror}.") from error
