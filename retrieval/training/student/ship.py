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
from retrieval.encoders.minilm import model_folder
from retrieval.encoders.student import NEW_WORDS, RECORD, WEIGHTS, WORDS, quantised
from retrieval.training.loop import TrainingError, best_weights
from retrieval.training.student.material import MAX_TOKENS, START
from retrieval.training.student.model import NEW_RATE, Student
from retrieval.training.student.run import RUN
from retrieval.training.student.teacher import Teacher

# The teacher's own; see `retrieval.encoders.student`.
SHARED_WITH_TEACHER = frozenset(
    {"embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"}
)


# Translations are sentences and labels, and what is learnt from them is partly unlearnt of passages: with all of it the
# pairs are found in 0.929 and 0.920 of cases and cmrc-zh's paragraphs with an MRR of 0.80; with 0.8 of it in 0.930 and
# 0.922, and 0.83; with 0.6 in 0.924 and 0.923, and 0.86. The mean of a start and an end often beats both (Wortsman et
# al. 2022, robust fine-tuning).
SHARE = 0.7


def ship(run: Path, folder: Path, *, share: float = SHARE) -> dict[str, Any]:
    """Writes what `run` learnt into `folder`, with words, record and checksums; returns the record.

    `share` of its best weights, and for the rest the ones that it began with.
    """
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
    (folder / WEIGHTS).write_bytes(save(quantised(learnt(_mixed(run, choices["layers"], share)))))
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


def _mixed(run: Path, layers: list[int], share: float) -> dict[str, Tensor]:
    end = best_weights(run)
    try:
        start = Student(Teacher(model_folder()), np.load(run / START), layers).state_dict()
    except OSError as error:
        raise TrainingError(f"{run} lacks the first vectors of its words: {error}") from error
    return {name: start[name].float().lerp(value.float(), share) for name, value in end.items()}


def learnt(weights: Mapping[str, Tensor]) -> dict[str, npt.NDArray[np.float32]]:
    """By the names of a BERT, with the student's own words as `NEW_WORDS`."""
    found: dict[str, npt.NDArray[np.float32]] = {}
    for name, value in weights.items():
        if name == "new.weight":
            found[NEW_WORDS] = (value.float() * NEW_RATE).numpy()
        elif (plain := name.removeprefix("bert.")) not in SHARED_WITH_TEACHER:
            found[plain] = value.float().numpy()
    return found
