"""Where are the weights of a fusion kept? In one safetensors file that names its kind and the space it belongs to.

The revision is that of the content, so that an edited file is another fusion.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from retrieval.encoders.base import CosineRange
from retrieval.fusion import attention, concat, gated, matching, weighted
from retrieval.fusion.base import FusionError, Rows, Tensors

# Raised when the same tensors would mean something else.
FORMAT = "2"
AGAIN = "Train it anew with `manage.py evaluate fusion DIR --save-weights FOLDER`."
Forward = Callable[[Tensors, Rows, Rows], Rows]
Shapes = Callable[[int], Mapping[str, tuple[int, ...]]]

# What can be learned, by name: its arithmetic and the shapes of its tensors.
KINDS: dict[str, tuple[Forward, Shapes]] = {
    weighted.NAME: (weighted.fuse, weighted.shapes),
    concat.NAME: (concat.fuse, concat.shapes),
    attention.NAME: (attention.fuse, attention.shapes),
    gated.NAME: (gated.fuse, gated.shapes),
}


@dataclass(frozen=True, slots=True)
class LearnedFusion:
    """Implements `Fusion` by tensors that were trained for one space (`EncoderSpec.key`)."""

    kind: str
    space: str
    dimensions: int
    tensors: Tensors
    # Where cosines of questions with what it makes lie.
    words: CosineRange

    @property
    def name(self) -> str:
        return self.kind

    @property
    def revision(self) -> str:
        return revision_of(self.kind, self.space, self.tensors)

    def __call__(self, words: Rows, pixels: Rows) -> Rows:
        return KINDS[self.kind][0](self.tensors, words, pixels)


def save_fusion(fusion: LearnedFusion, path: Path) -> None:
    words = json.dumps(asdict(fusion.words))
    _save(path, fusion.kind, fusion.space, fusion.dimensions, fusion.tensors, words=words)


def load_fusion(path: Path, *, space: str) -> LearnedFusion:
    """Raises FusionError for a file that is damaged, of another kind, or trained for another space than `space`."""
    kind, dimensions, tensors, metadata = _load(
        path, space, {name: shapes for name, (_, shapes) in KINDS.items()}
    )
    try:
        words = CosineRange(**json.loads(metadata.get("words", "")))
    except (ValueError, TypeError) as error:
        raise FusionError(f"{path} is damaged. {AGAIN}") from error
    return LearnedFusion(kind, space, dimensions, tensors, words)


def save_head(head: matching.MatchingHead, path: Path, *, space: str) -> None:
    _save(path, matching.NAME, space, head.dimensions, head.tensors)


def load_head(path: Path, *, space: str) -> matching.MatchingHead:
    """Raises FusionError as `load_fusion` does."""
    _, dimensions, tensors, _ = _load(path, space, {matching.NAME: matching.shapes})
    return matching.MatchingHead(dimensions, tensors)


def revision_of(kind: str, space: str, tensors: Tensors) -> str:
    """Twelve hexadecimal digits of the content."""
    content = hashlib.sha256(json.dumps([FORMAT, kind, space, sorted(tensors)]).encode())
    for name in sorted(tensors):
        content.update(np.ascontiguousarray(tensors[name]).tobytes())
    return content.hexdigest()[:12]


def _save(path: Path, kind: str, space: str, dimensions: int, tensors: Tensors, **further: str) -> None:
    from safetensors.numpy import save_file

    named = {name: np.ascontiguousarray(tensor, dtype=np.float32) for name, tensor in tensors.items()}
    revision = revision_of(kind, space, named)
    metadata = {"format": FORMAT, "kind": kind, "space": space, "revision": revision}
    metadata |= {"dimensions": str(dimensions), **further}
    # Never half a file under the final name: a worker may start while this writes.
    part = path.with_suffix(".part")
    save_file(named, part, metadata=metadata)
    part.replace(path)


def _load(path: Path, space: str, kinds: Mapping[str, Shapes]) -> tuple[str, int, Tensors, Mapping[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError, ValueError, TypeError) as error:
        raise FusionError(f"{path} cannot be read ({error}). {AGAIN}") from error
    kind = metadata.get("kind", "")
    if metadata.get("format") != FORMAT or kind not in kinds:
        raise FusionError(f"{path} holds none of {', '.join(kinds)} of this version. {AGAIN}")
    if metadata.get("space") != space:
        raise FusionError(
            f"{path} was trained for vectors of {metadata.get('space')}, and would mean nothing for those of {space}."
            f" {AGAIN}"
        )
    try:
        dimensions = int(metadata.get("dimensions", ""))
        expected = kinds[kind](dimensions)
    except ValueError as error:
        raise FusionError(f"{path} is damaged. {AGAIN}") from error
    found = {name: tensor.shape for name, tensor in tensors.items()}
    finite = all(tensor.dtype == np.float32 and np.isfinite(tensor).all() for tensor in tensors.values())
    if found != dict(expected) or not finite or metadata.get("revision") != revision_of(kind, space, tensors):
        raise FusionError(f"{path} is damaged. {AGAIN}")
    return kind, dimensions, tensors, metadata
