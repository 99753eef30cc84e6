"""The image encoder that comes with the project: how is its folder read, and how do words reach its space?

A small graph puts pictures into the space of a sentence encoder; a residual head moves the sentence encoder's vector to
where pictures of what it says lie. So one pass of the sentence encoder serves passages and pictures.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from retrieval.encoders.base import (
    CosineRange,
    Encoder,
    EncoderError,
    EncoderSpec,
    Vectors,
    text_space,
    unit_rows,
)
from retrieval.encoders.manifest import digest, file_sha256
from retrieval.encoders.pictures import squashed, upright_rgb
from retrieval.encoders.runtime import THREADS, Session
from retrieval.encoders.text_head import read_head, text_head, write_head

FOLDER = Path(__file__).parent / "compact"
# What KB_IMAGE_ENCODER calls it.
NAME = "compact"
CONFIG, GRAPH, HEAD = "compact.json", "image.onnx", "text_head.safetensors"
# The only way in which pictures are fitted: stretched to a square, as they were in training.
FIT = "squash"
# Small graphs: more than this fills no core any better, and bounds what a page of figures takes in memory.
BATCH = 16

# Of what has nothing to do with the query, the share that still comes up, ranked behind all that was written. Words lie
# near many pictures a little: at 0.02 half of the pictures that a sentence finds among the first ten of 250 are lost,
# at 0.1 one in twenty-five. A library has many more passages than pictures, and there 0.05 loses as little.
WORDS_FALSE_SHARE, PASSAGES_FALSE_SHARE = 0.15, 0.05

REMEDY = "Install the package anew, or set KB_IMAGE_ENCODER=none to search without it."


@dataclass(frozen=True, slots=True)
class CompactConfig:
    """compact.json. `words` and `pictures`: where cosines of a query of that kind with pictures lie; `passages`: of a
    picture with passages."""

    name: str
    revision: str
    dimensions: int
    side_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    text_space: str
    words: CosineRange
    pictures: CosineRange
    passages: CosineRange
    fit: str = FIT
    sha256: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CompactSource:
    """Where the files are. Unlike other sources it is served as it is: there is nothing to prepare."""

    folder: Path = FOLDER

    @property
    def is_there(self) -> bool:
        return (self.folder / CONFIG).is_file()


class CompactEncoder:
    """Implements `Encoder`: pictures by its own graph, words by `text` and the head."""

    def __init__(self, source: CompactSource, text: Encoder, *, threads: int = THREADS) -> None:
        """Raises EncoderError for files that are missing, changed or do not belong to `text`."""
        self.config = config = read_config(source.folder)
        if text_space(text) != config.text_space:
            raise EncoderError(
                f"The compact image encoder reads words in the space of {config.text_space}; {text.spec.name} has"
                " another. Choose an image encoder that goes with it, or set KB_IMAGE_ENCODER=none."
            )
        self._text = text
        self.head = read_head(source.folder / HEAD, config.dimensions, remedy=REMEDY)
        try:
            self._session = Session(source.folder / GRAPH, threads=threads)
        except EncoderError as error:
            raise EncoderError(f"{source.folder / GRAPH} is no graph that can be run. {REMEDY}") from error
        # What the head makes of a text depends on the text encoder's weights and form, so both name the space.
        married = digest({"image": config.revision, "text": text.spec.key})
        self._spec = EncoderSpec(
            name=config.name,
            revision=f"{config.revision}-{married}",
            dimensions=config.dimensions,
            modalities=frozenset({"text", "image"}),
            max_text_tokens=text.spec.max_text_tokens,
        )
        rows = self.encode_images([Image.new("RGB", (8, 8), "grey")])
        if rows.shape[1] != config.dimensions or not np.isfinite(rows).all():
            raise EncoderError(f"{source.folder / GRAPH} gives no vectors of {config.dimensions}. {REMEDY}")

    @property
    def spec(self) -> EncoderSpec:
        return self._spec

    def encode_texts(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        return self.from_text_vectors(self._text.encode_texts(texts, query=query))

    def from_text_vectors(self, rows: Vectors) -> Vectors:
        """float32 (N, D) unit rows in the pictures' space, of the text encoder's `rows` (N, D) of unit length."""
        return self.head(rows)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        if not images:
            return np.empty((0, self.config.dimensions), dtype=np.float32)
        batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
        rows = [self._session.run({"pixel_values": pixels(batch, self.config)}) for batch in batches]
        return unit_rows(np.concatenate(rows))


def pixels(images: Sequence[Image.Image], config: CompactConfig) -> Vectors:
    """float32 (N, 3, S, S), normalised channel by channel: what the graph is given, in training as in use."""
    mean, std = np.array([config.mean, config.std], dtype=np.float32)
    small = np.stack([np.asarray(squashed(upright_rgb(image), config.side_px)) for image in images])
    values = small.astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(((values - mean) / std).transpose(0, 3, 1, 2), dtype=np.float32)


def read_config(folder: Path) -> CompactConfig:
    """compact.json of `folder`, whose files are those that it names. Raises EncoderError."""
    try:
        given = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        config = CompactConfig(
            name=str(given["name"]),
            revision=str(given["revision"]),
            dimensions=int(given["dimensions"]),
            side_px=int(given["side_px"]),
            fit=str(given["fit"]),
            mean=tuple(float(value) for value in given["mean"]),
            std=tuple(float(value) for value in given["std"]),
            text_space=str(given["text_space"]),
            words=CosineRange(**given["calibration"]["words"]),
            pictures=CosineRange(**given["calibration"]["pictures"]),
            passages=CosineRange(**given["calibration"]["passages"]),
            sha256=dict(given["sha256"]),
        )
        changed = [name for name in (GRAPH, HEAD) if file_sha256(folder / name) != config.sha256.get(name)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(
            f"The compact image encoder in {folder} cannot be read ({error}). {REMEDY}"
        ) from error
    if changed:
        raise EncoderError(f"{folder / changed[0]} is not the file that {CONFIG} names. {REMEDY}")
    if config.fit != FIT or len(config.mean) != 3 or len(config.std) != 3 or config.side_px < 1:
        raise EncoderError(f"{folder / CONFIG} wants pictures prepared in a way that is not known. {REMEDY}")
    return config


def write_compact(
    folder: Path,
    *,
    image_onnx: bytes,
    head: Mapping[str, npt.NDArray[np.float32]],
    name: str,
    side_px: int,
    mean: Sequence[float],
    std: Sequence[float],
    text_space: str,
    words: CosineRange,
    pictures: CosineRange,
    passages: CosineRange,
) -> CompactConfig:
    """Writes the folder that `CompactEncoder` reads; checksums and revision follow from what is written.

    `head`: w1 (H, D), b1 (H,), w2 (D, H), b2 (D,). compact.json comes last, so that what is there is whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).unlink(missing_ok=True)
    (folder / GRAPH).write_bytes(image_onnx)
    dimensions = int(head["w2"].shape[0])
    write_head(folder / HEAD, text_head(head, dimensions))
    sha256 = {file: file_sha256(folder / file) for file in (GRAPH, HEAD)}
    decides: dict[str, Any] = {
        "side_px": side_px,
        "fit": FIT,
        "mean": [float(value) for value in mean],
        "std": [float(value) for value in std],
    }
    # Not the ranges: they say how its cosines are read, and change no vector.
    revision = hashlib.sha256(json.dumps([sha256, decides], sort_keys=True).encode()).hexdigest()[:12]
    written = {
        "name": name,
        "revision": revision,
        "dimensions": dimensions,
        **decides,
        "text_space": text_space,
        "calibration": {
            "words": asdict(words),
            "pictures": asdict(pictures),
            "passages": asdict(passages),
        },
        "sha256": sha256,
    }
    draft = folder / f"{CONFIG}.draft"
    draft.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    draft.replace(folder / CONFIG)
    return read_config(folder)


def cosine_range(
    matching: npt.NDArray[np.float32], others: npt.NDArray[np.float32], *, false_share: float = 0.02
) -> CosineRange:
    """The range of an encoder whose queries have the cosines `matching` with what they should find, `others` with what
    they should not. Of the latter no more than `false_share` count as matches.

    A match counts from nothing at that bound to all at the ninth decile of `matching`: beneath it a small encoder tells
    nothing, and what it counted there would stand above what somebody wrote.
    """
    low = float(np.quantile(others, 1 - false_share))
    # An encoder that tells nothing apart still has a range, in which next to nothing is a match.
    high = max(float(np.quantile(matching, 0.9)), low + 0.01)
    return CosineRange(low=low, high=min(1.0, high), matches_from=low)
