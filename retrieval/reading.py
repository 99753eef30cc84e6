"""What is written in this picture? RapidOCR's PP-OCR models, Chinese and English, from the wheel itself.

Ingest reads pictures with it in its child processes; a search reads the picture that somebody asks with. No Django.
"""

import functools
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

_reading = threading.Lock()
# Lines below this are texture more often than text.
_MIN_SCORE = 0.5


@dataclass(frozen=True, slots=True)
class ReadLine:
    """One line of text; left, top, right, bottom as shares of the picture."""

    text: str
    box: tuple[float, float, float, float]


def threads() -> int:
    """Intra-op threads of the engine: one, as a worker process a core is the better use of many cores."""
    try:
        return max(1, int(os.environ.get("KB_OCR_THREADS", "1")))
    except ValueError:
        return 1


def warm() -> None:
    """Load the models before the fork. Several threads would not live through it: then each child loads them."""
    if threads() == 1:
        _engine()


def read_lines(image: Image.Image, *, max_side_px: int) -> tuple[ReadLine, ...]:
    """The lines of text in reading order. A larger picture is read at `max_side_px`."""
    import numpy as np

    picture = image.convert("RGB")
    picture.thumbnail((max_side_px, max_side_px))
    width, height = picture.size
    # One picture at a time: the engine's parts are not said to be safe to share. It expects OpenCV's channel order.
    with _reading:
        found = _engine()(np.asarray(picture)[:, :, ::-1])
    if found.txts is None or found.boxes is None:
        return ()
    lines = []
    for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
        if score >= _MIN_SCORE and text.strip():
            left, top = corners.min(axis=0)
            right, bottom = corners.max(axis=0)
            box = (_share(left, width), _share(top, height), _share(right, width), _share(bottom, height))
            lines.append(ReadLine(text.strip(), box))
    return tuple(lines)


def _share(position: float, whole: int) -> float:
    return round(min(1.0, max(0.0, float(position) / whole)), 4)


@functools.cache
def _engine() -> Any:
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    import cv2
    import rapidocr

    cv2.setNumThreads(1)
    models = Path(rapidocr.__file__).parent / "models"
    engine = rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads(),
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            # Named files are only opened; unnamed ones are looked for and, if missing, downloaded.
            "Det.model_path": str(_only(models, "*_det_*.onnx")),
            "Rec.model_path": str(_only(models, "*_rec_*.onnx")),
            "Cls.model_path": str(_only(models, "*_cls_*.onnx")),
        }
    )
    import numpy as np

    # The models load at their first use; a picture with letters' worth of contrast reaches all three.
    sample = np.full((64, 256, 3), 255, dtype=np.uint8)
    cv2.putText(sample, "warm 123", (10, 42), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 0, 0), 2)
    engine(sample)
    return engine


def _only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found
