"""How does a trained student become files of the package? What it does not share with its teacher, in int8."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save
from torch import Tensor

from retrieval.encoders.manifest import file_sha256
from retrieval.encoders.student import NEW_WORDS, RECORD, WEIGHTS, WORDS, quantised
from retrieval.training.loop import TrainingError, best_weights
from retrieval.training.student.material import MAX_TOKENS
from retrieval.training.student.model import NEW_RATE
from retrieval.training.student.run import RUN

# The teacher's own; see `retrieval.encoders.student`.
SHARED_WITH_TEACHER = frozenset(
    {"embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"}
)


def ship(run: Path, folder: Path) -> dict[str, Any]:
    """Writes the best weights of `run` into `folder`, with words, record and checksums; returns the record."""
    try:
        choices = json.loads((run / RUN).read_text())
        words = (run / "words.json").read_text()
    except (OSError, ValueError) as error:
        raise TrainingError(f"{run} holds no run to ship: {error}") from error
    if choices.get("bag"):
        raise TrainingError(
            f"{run} trained a bag of words, which is for comparison and has no graph to serve it."
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(save(quantised(learnt(best_weights(run)))))
    # Without indentation: half the size.
    (folder / WORDS).write_text(
        json.dumps(json.loads(words), ensure_ascii=False, separators=(",", ":")) + "\n"
    )
    record = {
        "layers": len(choices["layers"]),
        "max_tokens": MAX_TOKENS,
        "sha256": {name: file_sha256(folder / name) for name in (WEIGHTS, WORDS)},
    }
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n")
    return record


def learnt(weights: Mapping[str, Tensor]) -> dict[str, npt.NDArray[np.float32]]:
    """By the names of a BERT, with the student's own words as `NEW_WORDS`."""
    found: dict[str, npt.NDArray[np.float32]] = {}
    for name, value in weights.items():
        if name == "new.weight":
            found[NEW_WORDS] = (value.float() * NEW_RATE).numpy()
        elif (plain := name.removeprefix("bert.")) not in SHARED_WITH_TEACHER:
            found[plain] = value.float().numpy()
    return found
