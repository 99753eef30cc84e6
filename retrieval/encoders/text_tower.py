"""How does a text become a vector? Tokens, padded as little as the encoder allows, through one ONNX graph."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from retrieval.encoders.base import EncoderError, Vectors, unit_rows
from retrieval.encoders.runtime import THREADS, Session
from retrieval.encoders.student_tokens import StudentTokens

# Enough to fill one core's arithmetic; more only widens a batch's spread of lengths, and so its padding.
BATCH = 16


@dataclass(frozen=True, slots=True)
class TextPart:
    """What a text tower needs beside its graph. Kept in the manifest, so its fields are plain values."""

    max_tokens: int
    pad_id: int
    pad_side: Literal["left", "right"] = "right"
    # SigLIP reads its last position, and was trained with every text filled up to its full length.
    always_full: bool = False
    query_prompt: str = ""
    passage_prompt: str = ""
    # Which class reads the tokenizer's file: the tokenizers library's, or the bilingual student's.
    reader: Literal["tokenizer", "student"] = "tokenizer"


class TextTower:
    """A graph from `input_ids` and, where it has it, `attention_mask` to one row a text."""

    def __init__(self, graph: Path, tokenizer: Path, part: TextPart, *, threads: int = THREADS) -> None:
        self._part = part
        self._session = Session(graph, threads=threads)
        self._token_ids = _reader(tokenizer, part)

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """float32 (N, D) unit rows in the order given, for at least one text."""
        tokens = self._tokens(texts, query=query)
        # Texts of like length go together: a batch is as slow as its longest.
        order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        rows = np.concatenate(
            [self._session.run(self._padded([tokens[i] for i in batch])) for batch in batches]
        )
        restored = np.empty_like(rows)
        restored[order] = rows
        return unit_rows(restored)

    def inputs(self, texts: Sequence[str], *, query: bool = False) -> dict[str, npt.NDArray[np.int64]]:
        """What the graph is given for `texts` as one batch."""
        return self._padded(self._tokens(texts, query=query))

    def _tokens(self, texts: Sequence[str], *, query: bool) -> list[list[int]]:
        prompt = self._part.query_prompt if query else self._part.passage_prompt
        return [self._token_ids(prompt + text) for text in texts]

    def _padded(self, batch: Sequence[list[int]]) -> dict[str, npt.NDArray[np.int64]]:
        """input_ids, attention_mask: int64 (N, T), T the longest of the batch or the tower's full length."""
        part = self._part
        # A tokenizer without special tokens gives none for an empty text; a graph needs one position.
        longest = part.max_tokens if part.always_full else max(1, *(len(ids) for ids in batch))
        ids = np.full((len(batch), longest), part.pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            place = (
                slice(0, len(tokens)) if part.pad_side == "right" else slice(longest - len(tokens), longest)
            )
            ids[row, place] = tokens
            mask[row, place] = 1
        return {"input_ids": ids, "attention_mask": mask}


def _reader(file: Path, part: TextPart) -> Callable[[str], list[int]]:
    """Token ids of a text, as many as the tower takes."""
    # The tokenizers library says Exception for whatever is wrong with the file.
    try:
        if part.reader == "student":
            return StudentTokens.load(file, max_tokens=part.max_tokens).ids
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:
        raise EncoderError(f"{file} is no tokenizer; run `manage.py prepare_models --again`.") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(part.max_tokens)

    def token_ids(text: str) -> list[int]:
        # Half a surrogate pair, which JSON can carry, has no UTF-8: the tokenizer would refuse the text.
        # One by one: encode_batch starts threads of its own.
        ids: list[int] = tokenizer.encode(text.encode("utf-8", "replace").decode()).ids
        return ids

    return token_ids
