"""Small shards of drawn pictures, for tests of training."""

import io
import json
import random
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

COLOURS = ("red", "green", "blue", "orange", "purple", "black")
SHAPES = ("circle", "square")


def write_shard(path: Path, samples: Sequence[tuple[bytes, dict[str, Any]]]) -> Path:
    """A gzip tar file as WebDataset has them."""
    with tarfile.open(path, "w:gz") as shard:
        for number, (picture, meta) in enumerate(samples):
            for suffix, content in ((".webp", picture), (".json", json.dumps(meta).encode())):
                member = tarfile.TarInfo(f"{number:07}{suffix}")
                member.size = len(content)
                shard.addfile(member, io.BytesIO(content))
    return path


def shapes(
    count: int, *, seed: int = 0, source: str = "drawn by the test"
) -> list[tuple[bytes, dict[str, Any]]]:
    """Half of them with a label, half with a sentence."""
    random_ = random.Random(seed)
    return [_shape(random_, labelled=number % 2 == 0, source=source) for number in range(count)]


def _shape(random_: random.Random, *, labelled: bool, source: str) -> tuple[bytes, dict[str, Any]]:
    colour, shape = random_.choice(COLOURS), random_.choice(SHAPES)
    image = Image.new("RGB", (60, 48), "white")
    left, top, size = random_.randint(2, 20), random_.randint(2, 10), random_.randint(18, 32)
    draw = ImageDraw.Draw(image)
    {"circle": draw.ellipse, "square": draw.rectangle}[shape](
        (left, top, left + size, top + size), fill=colour
    )
    written = io.BytesIO()
    image.save(written, "WEBP", quality=80)
    words: dict[str, Any] = {
        "source": source,
        "label": f"{colour} {shape}" if labelled else None,
        "captions": [],
    }
    if not labelled:
        words["captions"] = [f"A {colour} {shape} on white paper."]
        words["captions_zh"] = [f"白纸上的图形：{colour} {shape}。"]
    return written.getvalue(), words
