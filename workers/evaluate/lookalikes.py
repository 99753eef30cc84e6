"""How often does a changed picture find the one it was made from first? Cuts, copies, tints, borders and screenshots.

The pictures of a folder, and of the folders in it, are the library. The figures are of the look-alike search alone:
what is written in the pictures, and what they show, is not asked for.
"""

import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image
from tqdm import tqdm

from kb.permissions import visible_audiences
from retrieval import lookalikes
from retrieval.encoders.pictures import upright_rgb
from retrieval.evaluation_data import DataError
from retrieval.picture import open_picture
from retrieval.scope import Scope
from retrieval.search import place
from workers.evaluate.scratch import ingest, scratch_library
from workers.evaluate.transformations import TRANSFORMATIONS

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
# Of each picture one variant of each kind; the seed names both, so that a file more changes no other's.
SEED = "look-alikes"
DEPTH = 10


def evaluate_lookalikes(folder: Path, *, queries: int | None = None) -> dict[str, object]:
    """Recall by transformation, and the milliseconds from a decoded picture to its look-alikes.

    `queries`: ask with so many of the pictures, drawn with the seed; all are the library.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise DataError(folder, None, "There are no pictures in it.")
    asked = sorted(Random(SEED).sample(paths, min(queries or len(paths), len(paths))))  # noqa: S311 - a sample, no secret
    uris = {path.relative_to(folder).as_posix(): path for path in paths}
    with _unread(), scratch_library() as library:
        asset_of = ingest(library, {uri: (path, "") for uri, path in uris.items()})
        scope = Scope(visible_audiences(library.user))
        figures: dict[str, object] = {}
        milliseconds: list[float] = []
        right_firsts: list[float] = []
        for name, change in TRANSFORMATIONS.items():
            ranks = []
            for path in tqdm(asked, desc=name, disable=None):
                uri = path.relative_to(folder).as_posix()
                with Image.open(path) as opened:
                    changed = change(upright_rgb(opened), Random(f"{SEED} {name} {uri}"))  # noqa: S311 - a sample, no secret
                query = open_picture(_png(changed)).image
                began = time.perf_counter()
                found = lookalikes.find(query, scope, DEPTH)
                milliseconds.append((time.perf_counter() - began) * 1000)
                segments = [item.segment_id for item in found.items] if found else []
                places = place(library.user, scope, segments, linked=False)
                assets = [places[segment].asset_id for segment in segments]
                ranks.append(assets.index(asset_of[uri]) + 1 if asset_of[uri] in assets else 0)
            firsts = [rank == 1 for rank in ranks]
            right_firsts += firsts
            figures[name] = {
                "recall@1": round(float(np.mean(firsts)), 4),
                "recall@10": round(float(np.mean([rank > 0 for rank in ranks])), 4),
            }
    times = np.asarray(milliseconds)
    return {
        "dataset": folder.resolve().name,
        "pictures": len(paths),
        "queries": len(asked),
        "transformations": figures,
        "recall@1": round(float(np.mean(right_firsts)), 4),
        "p50_ms": round(float(np.percentile(times, 50)), 1),
        "p95_ms": round(float(np.percentile(times, 95)), 1),
    }


@contextmanager
def _unread() -> Iterator[None]:
    """Nothing is read in the pictures meanwhile: it takes a hundred times as long, and no look-alike asks for it."""
    before = os.environ.get("KB_OCR_THREADS")
    os.environ["KB_OCR_THREADS"] = "0"
    try:
        yield
    finally:
        os.environ.pop("KB_OCR_THREADS")
        if before is not None:
            os.environ["KB_OCR_THREADS"] = before


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()
