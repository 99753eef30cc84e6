"""What was prepared, and where? The record beside an encoder's graphs, written once, read to serve."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from retrieval.encoders.base import EncoderSpec, Modality
from retrieval.encoders.pictures import ImagePart
from retrieval.encoders.text_tower import TextPart

# Raised when a manifest of before cannot be read any more, or would mean something else.
FORMAT = 1
MANIFEST = "manifest.json"
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class Exported:
    """What a source wrote into the folder: `text.onnx` with `tokenizer.json`, `image.onnx`, or both."""

    # Of the weights' bytes.
    content_sha256: str
    dimensions: int
    text: TextPart | None = None
    image: ImagePart | None = None


class Source(Protocol):
    """An encoder that can be prepared."""

    @property
    def name(self) -> str: ...

    @property
    def recipe(self) -> Mapping[str, Any]:
        """All that decides the vectors beside the weights, as JSON values; read at each load, so cheap."""
        ...

    def export(self, folder: Path) -> Exported:
        """Called under a lock, with an empty folder. Raises EncoderError, its message the remedy."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """One form of a tower's graph, measured on this host."""

    tower: Modality
    quantisation: str
    file: str
    sha256: str
    size_bytes: int
    mean_cosine: float
    neighbours: float
    short_ms: float
    long_ms: float
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """An encoder ready to serve from `folder`."""

    folder: Path
    name: str
    fingerprint: str
    dimensions: int
    text: TextPart | None
    image: ImagePart | None
    tokenizer_sha256: str
    candidates: tuple[Candidate, ...]

    def kept(self, tower: Modality) -> Candidate:
        return next(candidate for candidate in self.candidates if candidate.tower == tower and candidate.kept)

    def graph(self, tower: Modality) -> Path:
        return self.folder / self.kept(tower).file

    @property
    def modalities(self) -> frozenset[Modality]:
        return frozenset(candidate.tower for candidate in self.candidates)

    @property
    def spec(self) -> EncoderSpec:
        towers: list[Modality] = sorted(self.modalities, reverse=True)
        quantisations = "+".join(f"{tower}-{self.kept(tower).quantisation}" for tower in towers)
        return EncoderSpec(
            name=self.name,
            revision=f"{self.fingerprint}-{quantisations}",
            dimensions=self.dimensions,
            modalities=self.modalities,
            max_text_tokens=self.text.max_tokens if self.text else 0,
        )

    def manifest(self) -> dict[str, Any]:
        """As JSON values."""
        fields = asdict(self) | {"format": FORMAT}
        del fields["folder"]
        return fields


def read(folder: Path) -> Prepared | None:
    """What `folder` holds, or None when that is nothing, is of another format, or was changed since."""
    try:
        fields = json.loads((folder / MANIFEST).read_text())
        if fields.pop("format") != FORMAT:
            return None
        text, image = fields.pop("text"), fields.pop("image")
        candidates = tuple(Candidate(**candidate) for candidate in fields.pop("candidates"))
        found = Prepared(
            folder=folder,
            text=TextPart(**text) if text else None,
            image=ImagePart(**image) if image else None,
            candidates=candidates,
            **fields,
        )
        expected = {candidate.file: candidate.sha256 for candidate in candidates if candidate.kept}
        if found.text:
            expected[TOKENIZER] = found.tokenizer_sha256
        intact = all(file_sha256(folder / name) == sha256 for name, sha256 in expected.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # No file, no JSON, or other fields.
        return None
    return found if intact else None


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_name(source: Source) -> str:
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", source.name).strip("-.")[-60:]
    return f"{slug}-{digest({'name': source.name, 'recipe': dict(source.recipe)})}"


def digest(value: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits: enough to tell the encoders of one site apart."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
