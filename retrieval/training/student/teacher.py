"""Where does each English text lie? The teacher's vectors, computed once and kept."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

# Nearly all texts are shorter; the tails of the others would cost a third of the time.
MAX_TOKENS = 128
BATCH = 64

Half = npt.NDArray[np.float16]


class Teacher:
    """all-MiniLM-L6-v2 from `folder`: its vectors, its weights, its tokenizer."""

    def __init__(self, folder: Path) -> None:
        self.config = BertConfig(**json.loads((folder / "config.json").read_text()))
        self.weights: dict[str, Any] = load_file(folder / "model.safetensors")
        self.tokenizer = Tokenizer.from_str((folder / "tokenizer.json").read_text())
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)

    def vectors(self, texts: Sequence[str], tick: Callable[[int], object]) -> Half:
        """float16 (N, D) unit rows. In bfloat16: within 0.0005 of float32's cosines, in half the time."""
        model = BertModel(self.config, add_pooling_layer=False)
        model.load_state_dict(self.weights, strict=False)
        model.set_attn_implementation("sdpa")
        model.train(False)
        model.bfloat16()
        ids = [self.tokenizer.encode(text).ids for text in texts]
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        rows = np.zeros((len(texts), self.config.hidden_size), dtype=np.float16)
        with torch.inference_mode():
            for start in range(0, len(order), BATCH):
                batch = order[start : start + BATCH]
                tokens, mask = padded([ids[index] for index in batch])
                hidden = model(input_ids=tokens, attention_mask=mask).last_hidden_state.float()
                rows[batch] = torch.nn.functional.normalize(pooled(hidden, mask)).numpy()
                tick(len(batch))
        return rows


def padded(ids: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """input_ids, attention_mask: (N, T), T the longest of `ids`; [PAD] is 0."""
    tokens = torch.zeros(len(ids), max(map(len, ids)), dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for row, text in enumerate(ids):
        tokens[row, : len(text)] = torch.as_tensor(text, dtype=torch.long)
        mask[row, : len(text)] = 1
    return tokens, mask


def pooled(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """(N, T, D), (N, T) -> (N, D): the mean over what is not padding."""
    weight = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weight).sum(1) / weight.sum(1)


def cached_vectors(
    teacher: Teacher, texts: Sequence[str], folder: Path, tick: Callable[[int], object]
) -> Half:
    """As `Teacher.vectors`, from `folder` where exactly these texts were asked for before."""
    name = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    path = folder / f"teacher-{name}.npy"
    if path.exists():
        rows: Half = np.load(path)
        return rows
    rows = teacher.vectors(texts, tick)
    draft = path.with_suffix(".draft.npy")
    np.save(draft, rows)
    draft.replace(path)
    return rows
