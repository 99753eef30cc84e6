"""An encoder for tests that reads pictures of one colour and the colours' names, and shards of such pictures."""

import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from retrieval.encoders.base import EncoderSpec, Vectors, unit_rows

NAMES = ("red", "green", "blue")


class ColourEncoder:
    """Words and pictures by how much red, green and blue is in them; two more dimensions that say nothing."""

    spec = EncoderSpec("colours", "1", 5, frozenset({"text", "image"}), 20)

    def encode_texts(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        rows = [[text.count(name) for name in NAMES] + [0.1, 0.0] for text in texts]
        return unit_rows(np.array(rows, dtype=np.float32).reshape(-1, 5))

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        rows = [[*np.asarray(image.convert("RGB")).mean((0, 1)) / 255, 0.0, 0.1] for image in images]
        return unit_rows(np.array(rows, dtype=np.float32).reshape(-1, 5))


def picture(colour: tuple[int, int, int]) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(stream, "WEBP", lossless=True)
    return stream.getvalue()


def write_shard(path: Path, samples: Iterable[tuple[bytes, Mapping[str, Any]]]) -> Path:
    with tarfile.open(path, "w:gz") as shard:
        for number, (content, meta) in enumerate(samples):
            for suffix, data in (("webp", content), ("json", json.dumps(meta).encode())):
                member = tarfile.TarInfo(f"{number:07}.{suffix}")
                member.size = len(data)
                shard.addfile(member, io.BytesIO(data))
    return path
