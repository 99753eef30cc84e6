"""How do drawings become shards of small pictures with their sentences?

The same seed gives the same bytes with the same fonts and the same Pillow: each picture has a random generator of its
own, seeded by the run's seed, the shard's part and its number, so pictures do not depend on one another."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.registry import Renderer
from retrieval.training.drawings.sheet import Drawing

# As the photographs that an encoder is trained on beside these.
SHORT_SIDE_PX = 112
_QUALITY = 85
# A shard of pictures of 2 kB and their sentences is then about 3 MB, and the first can be used within seconds.
SHARD_SIZE = 1000
# Apart from one another and from other shards' numbers, since a number is a picture's name within a training run.
_FIRST_KEY = {"train": 6_000_000, "heldout": 7_000_000}
_NAME = {"train": "drawn", "heldout": "heldout-drawn"}
# Viewers, browsers and libraries reduce pictures by different filters.
_FILTERS = (
    Image.Resampling.BOX,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
    Image.Resampling.HAMMING,
)


class DrawingError(Exception):
    """The drawings that were asked for cannot be made."""


@dataclass(frozen=True, slots=True)
class Picture:
    key: str
    webp: bytes
    facts: dict[str, Any]


def part_of(*, held_out: bool) -> str:
    return "heldout" if held_out else "train"


def chosen(renderers: Sequence[Renderer], names: Sequence[str], *, held_out: bool) -> list[Renderer]:
    """Those of one part, all or by name. Raises DrawingError for a name of the other part or of none."""
    mine = {renderer.name: renderer for renderer in renderers if renderer.held_out == held_out}
    if not names:
        return list(mine.values())
    others = {renderer.name for renderer in renderers} - mine.keys()
    for name in names:
        if name in others:
            raise DrawingError(
                f"The renderer {name} is held out of training: ask for it with --hold-out."
                if not held_out
                else f"The renderer {name} draws for training: ask for it without --hold-out."
            )
        if name not in mine:
            raise DrawingError(f"There is no renderer {name}. There are: {', '.join(mine)}.")
    return [mine[name] for name in dict.fromkeys(names)]


def picture(renderers: Sequence[Renderer], fonts: Fonts, *, seed: int, number: int, part: str) -> Picture:
    """The picture with this number in a run."""
    # Chance that must repeat; nothing here is a secret.
    rng = Random(f"{seed}/{part}/{number}")  # noqa: S311
    renderer = rng.choices(renderers, [r.weight for r in renderers])[0]
    drawing = renderer.draw(rng, fonts)
    key = f"{_FIRST_KEY[part] + number:07d}"
    return Picture(key, reduced(drawing.picture, rng), _facts(renderer, drawing, part))


def reduced(drawn: Image.Image, rng: Random) -> bytes:
    """The thumbnail as WebP."""
    short = rng.choice((SHORT_SIDE_PX, SHORT_SIDE_PX, 104, 96))
    scale = short / min(drawn.size)
    size = (round(drawn.width * scale), round(drawn.height * scale))
    small = drawn.convert("RGB").resize(size, rng.choice(_FILTERS))
    stream = io.BytesIO()
    # Method 2 of 6: half the time of the default for a few per cent more bytes.
    small.save(stream, "WEBP", quality=_QUALITY, method=2)
    return stream.getvalue()


def _facts(renderer: Renderer, drawing: Drawing, part: str) -> dict[str, Any]:
    return {
        "source": f"drawn/{renderer.name}",
        "label": renderer.label,
        "captions": [sentence.en for sentence in drawing.sentences],
        "captions_zh": [sentence.zh for sentence in drawing.sentences],
        "split": part,
        "caption_kind": "exact",
        "style": drawing.style or "rendered",
        "category": renderer.category,
        "content": "figure",
        "attrs": drawing.facts,
    }


def pictures(
    renderers: Sequence[Renderer], fonts: Fonts, *, seed: int, count: int, part: str
) -> Iterator[Picture]:
    for number in range(count):
        yield picture(renderers, fonts, seed=seed, number=number, part=part)


def write_shards(
    folder: Path,
    drawn: Iterator[Picture],
    *,
    part: str,
    shard_size: int = SHARD_SIZE,
    say: Callable[[str], object] = lambda _line: None,
) -> list[Path]:
    """Writes the pictures as numbered shards and returns those. A shard has its name only once it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    batch: list[Picture] = []
    for one in drawn:
        batch.append(one)
        if len(batch) == shard_size:
            written.append(_write(folder, batch, part, len(written), say))
            batch = []
    if batch:
        written.append(_write(folder, batch, part, len(written), say))
    return written


def _write(
    folder: Path, batch: Sequence[Picture], part: str, index: int, say: Callable[[str], object]
) -> Path:
    path = folder / f"{_NAME[part]}-{index:03d}.tar.gz"
    unfinished = path.with_name(f".{path.name}.part")
    with (
        unfinished.open("wb") as raw,
        # No name and no time in the header, so that the same pictures are the same bytes.
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as shard,
    ):
        for one in batch:
            for suffix, content in (
                ("webp", one.webp),
                ("json", json.dumps(one.facts, ensure_ascii=False).encode()),
            ):
                member = tarfile.TarInfo(f"{one.key}.{suffix}")
                member.size = len(content)
                shard.addfile(member, io.BytesIO(content))
    unfinished.replace(path)
    say(f"{path}: {len(batch)} pictures, {path.stat().st_size / 1e6:.1f} MB")
    return path
