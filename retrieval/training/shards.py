"""What is in a shard? Pictures with what is known about each, as WebDataset tar files keep them.

A sample is two members that share a name: `0000001.webp` and `0000001.json`
(https://github.com/webdataset/webdataset, section "The WebDataset Format").
"""

import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

PICTURES = frozenset({".webp", ".png", ".jpg", ".jpeg"})


class ShardError(Exception):
    """A shard cannot be read: its message names the file, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture, encoded as it was stored, with the words that people or programs gave it."""

    key: str
    picture: bytes
    source: str
    label: str | None
    captions: tuple[str, ...]
    captions_zh: tuple[str, ...]
    # Whatever else the shard says: aliases, style, caption_kind, content, attrs …
    meta: Mapping[str, Any]


def read_shard(path: Path) -> Iterator[Sample]:
    """Samples in the order of the file. Raises ShardError, also half-way for a shard that was cut off."""
    waiting: dict[str, tuple[bytes | None, Mapping[str, Any] | None]] = {}
    try:
        with tarfile.open(path, "r:*") as shard:
            for member in shard:
                if not member.isfile():
                    continue
                name = PurePosixPath(member.name)
                content = shard.extractfile(member)
                if content is None:
                    continue
                picture, meta = waiting.get(name.stem, (None, None))
                if name.suffix == ".json":
                    meta = _meta(path, name, content.read())
                elif name.suffix.lower() in PICTURES:
                    picture = content.read()
                if picture is not None and meta is not None:
                    waiting.pop(name.stem, None)
                    yield _sample(path, name.stem, picture, meta)
                else:
                    waiting[name.stem] = picture, meta
    # zlib and lzma raise EOFError for a file that was cut off.
    except (OSError, tarfile.TarError, EOFError) as error:
        raise ShardError(f"{path} cannot be read as a tar file ({error}): copy it again.") from error
    if waiting:
        name_of_first, (picture, _) = next(iter(waiting.items()))
        lacks = "a picture" if picture is None else "its JSON"
        raise ShardError(f"{path}: {len(waiting)} samples are incomplete; {name_of_first} lacks {lacks}.")


def _meta(path: Path, name: PurePosixPath, content: bytes) -> Mapping[str, Any]:
    try:
        meta = json.loads(content)
    except ValueError as error:
        raise ShardError(f"{path}: {name} is no JSON ({error}).") from error
    if not isinstance(meta, dict):
        raise ShardError(f"{path}: {name} is not a JSON object.")
    return meta


def _sample(path: Path, key: str, picture: bytes, meta: Mapping[str, Any]) -> Sample:
    label = meta.get("label")
    if label is not None and not isinstance(label, str):
        raise ShardError(f"{path}: the label of {key} is not a text.")
    return Sample(
        key=key,
        picture=picture,
        source=str(meta.get("source", "")),
        label=label or None,
        captions=_texts(path, key, meta, "captions"),
        captions_zh=_texts(path, key, meta, "captions_zh"),
        meta=meta,
    )


def _texts(path: Path, key: str, meta: Mapping[str, Any], field: str) -> tuple[str, ...]:
    texts = meta.get(field) or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ShardError(f"{path}: {field} of {key} is not a list of texts.")
    return tuple(text.strip() for text in texts if text.strip())
