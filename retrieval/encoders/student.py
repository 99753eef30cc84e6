"""How does the embedded profile read Chinese? With a student of its English encoder, in the same space.

Reimers & Gurevych 2020: a student learns to put a sentence where the teacher puts its translation. A text without
Chinese goes to the teacher itself, so English vectors are the teacher's own, to the last bit.

Shipped is what the student does not share with the teacher, in int8: `student.safetensors` holds its layers and the
vectors of its Chinese words. The teacher's word vectors and positions come from the teacher's package.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from retrieval.characters import HAN
from retrieval.encoders.base import Encoder, EncoderError, EncoderSpec, Vectors, text_space
from retrieval.encoders.manifest import TOKENIZER, Exported, digest, file_sha256
from retrieval.encoders.minilm import MiniLmSource, teacher_weights
from retrieval.encoders.text_tower import TextPart

NAME = "all-MiniLM-L6-v2-zh"
SHIPPED = Path(__file__).with_name("student")
WEIGHTS = "student.safetensors"
WORDS = "words.json"
RECORD = "student.json"
# Raised when the graph built here computes something else from the same files.
GRAPH = 1
# Ends the names of the scales of tensors kept in int8: one for each row.
SCALE = ".scale"
NEW_WORDS = "embeddings.new_words"

REINSTALL = "Install the project again: its package carries the file."

_HAN = re.compile(f"[{HAN}]")
_LETTER = re.compile(r"[^\W\d_]")
# A Chinese character says about as much as three letters. A text is the student's when a thirtieth of it is Chinese:
# a page of English that names one Chinese town stays with the teacher, a query that mixes the two does not.
LETTERS_PER_CHARACTER = 3
LEAST_SHARE = 0.1


def is_chinese(text: str) -> bool:
    """Whether the student reads `text`, rather than the teacher. Texts of Japanese with Chinese characters too."""
    if text.isascii():
        return False
    characters = len(_HAN.findall(text))
    if not characters:
        return False
    letters = len(_LETTER.findall(text)) - characters
    return characters * LETTERS_PER_CHARACTER >= letters * LEAST_SHARE


@dataclass(frozen=True, slots=True)
class StudentSource:
    """The student alone: its graph is laid out in numpy, as the teacher's is."""

    folder: Path = SHIPPED
    name: str = NAME

    @property
    def recipe(self) -> Mapping[str, Any]:
        return {"weights": self.record()["sha256"], "graph": GRAPH}

    def record(self) -> dict[str, Any]:
        """`student.json`. Raises EncoderError."""
        try:
            record: dict[str, Any] = json.loads((self.folder / RECORD).read_text())
        except (OSError, ValueError) as error:
            raise EncoderError(f"{self.folder / RECORD} cannot be read ({error}). {REINSTALL}") from error
        return record

    def export(self, folder: Path) -> Exported:
        # Needed once, and heavy: a server whose encoder is prepared never loads them.
        import onnx
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        from retrieval.encoders.bert_graph import BertShape, mean_pooled_bert

        record = self.record()
        teacher, config, teacher_tokenizer = teacher_weights()
        try:
            for name, expected in record["sha256"].items():
                if file_sha256(self.folder / name) != expected:
                    raise EncoderError(f"{self.folder / name} is not the file that was trained. {REINSTALL}")
            learnt = dequantised(load_file(self.folder / WEIGHTS))
            words = json.loads((self.folder / WORDS).read_text())
            weights = student_weights(teacher, learnt)
            shape = BertShape.read({**config, "num_hidden_layers": record["layers"]})
            onnx.save(mean_pooled_bert(weights, shape), folder / "text.onnx")
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise EncoderError(f"The files in {self.folder} are damaged ({error}). {REINSTALL}") from error
        both = {"words": words, "teacher": json.loads(teacher_tokenizer)}
        (folder / TOKENIZER).write_text(json.dumps(both, ensure_ascii=False))
        return Exported(
            content_sha256=digest(record["sha256"]),
            dimensions=config["hidden_size"],
            text=TextPart(max_tokens=record["max_tokens"], pad_id=config["pad_token_id"], reader="student"),
        )


@dataclass(frozen=True, slots=True)
class BilingualSource:
    """Teacher and student, each prepared as an encoder of its own."""

    teacher: MiniLmSource = field(default_factory=MiniLmSource)
    student: StudentSource = field(default_factory=StudentSource)


class BilingualEncoder:
    """Each text goes to the one of the two that reads it; their vectors are of one space."""

    def __init__(self, teacher: Encoder, student: Encoder) -> None:
        self._teacher, self._student = teacher, student
        revisions = {"teacher": teacher.spec.revision, "student": student.spec.revision}
        self._spec = EncoderSpec(
            name=student.spec.name,
            revision=digest(revisions | {"share": LEAST_SHARE, "letters": LETTERS_PER_CHARACTER}),
            dimensions=teacher.spec.dimensions,
            modalities=frozenset({"text"}),
            max_text_tokens=min(teacher.spec.max_text_tokens, student.spec.max_text_tokens),
        )

    @property
    def spec(self) -> EncoderSpec:
        return self._spec

    @property
    def text_space(self) -> str:
        """Of `retrieval.encoders.base.text_space`: what was trained to agree with the teacher agrees with both."""
        return text_space(self._teacher)

    def encode_texts(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        rows = np.empty((len(texts), self._spec.dimensions), dtype=np.float32)
        chinese = np.array([is_chinese(text) for text in texts], dtype=bool)
        for encoder, chosen in ((self._student, chinese), (self._teacher, ~chinese)):
            indices = np.flatnonzero(chosen)
            if len(indices):
                rows[indices] = encoder.encode_texts([texts[int(index)] for index in indices], query=query)
        return rows

    def encode_images(self, _images: Sequence[Image.Image]) -> Vectors:
        raise EncoderError(f"{self._spec.name} encodes no pictures.")


def student_weights(
    teacher: Mapping[str, npt.NDArray[np.float32]], learnt: Mapping[str, npt.NDArray[np.float32]]
) -> dict[str, npt.NDArray[np.float32]]:
    """A whole BERT: the teacher's word vectors and positions, the student's words after them, its layers."""
    weights = {name: value for name, value in learnt.items() if name != NEW_WORDS}
    table = "embeddings.word_embeddings.weight"
    weights[table] = np.concatenate([teacher[table], learnt[NEW_WORDS]])
    positions = "embeddings.position_embeddings.weight"
    weights[positions] = teacher[positions]
    return weights


def quantised(weights: Mapping[str, npt.NDArray[np.float32]]) -> dict[str, npt.NDArray[Any]]:
    """Matrices as int8 with one scale a row, which for a layer is one an output; vectors as they are."""
    kept: dict[str, npt.NDArray[Any]] = {}
    for name, value in weights.items():
        if value.ndim != 2:
            kept[name] = value
            continue
        scale = np.maximum(np.abs(value).max(axis=1, keepdims=True), 1e-8) / 127
        kept[name] = np.round(value / scale).astype(np.int8)
        kept[name + SCALE] = scale.astype(np.float32)
    return kept


def dequantised(kept: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[np.float32]]:
    """What `quantised` was given, to the nearest of 255 steps a row."""
    return {
        name: np.asarray(value * kept[name + SCALE] if name + SCALE in kept else value, dtype=np.float32)
        for name, value in kept.items()
        if not name.endswith(SCALE)
    }
