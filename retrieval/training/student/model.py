"""What learns? The teacher's layers, reading the teacher's tokens and Chinese ones of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import BertConfig, BertModel

from retrieval.training.student.teacher import Teacher, pooled

# New vectors are farther from where they belong than the layers: this many times the layers' rate. The loop has one
# rate for all, and Adam's step does not depend on the gradient's scale, so the vectors are kept divided by it. More
# would throw a rare word far at its first sight: Adam's second moment has then hardly begun.
NEW_RATE = 3.0


class Student(torch.nn.Module):
    """(N, T) token ids and mask -> (N, D) unit rows in the teacher's space.

    The teacher's token vectors and positions stay as they are: they need no shipping, and English words inside a
    Chinese text keep their meaning. Learnt are the vectors of the new tokens, and the layers.
    """

    teacher_words: Tensor

    def __init__(self, teacher: Teacher, new_vectors: npt.NDArray[np.float32], layers: Sequence[int]) -> None:
        """`layers`: which of the teacher's layers the student starts with, in order."""
        super().__init__()
        config = BertConfig(**{**teacher.config.to_dict(), "num_hidden_layers": len(layers)})
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
        config.vocab_size, self.first_new = 1, config.vocab_size
        self.bert = BertModel(config, add_pooling_layer=False)
        self.bert.set_attn_implementation("sdpa")
        self.bert.load_state_dict(_chosen(teacher.weights, layers), strict=False)
        for part in (self.bert.embeddings.word_embeddings, self.bert.embeddings.position_embeddings):
            part.weight.requires_grad_(False)
        self.register_buffer(
            "teacher_words", teacher.weights["embeddings.word_embeddings.weight"], persistent=False
        )
        self.new = _vectors(new_vectors)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        is_new = tokens >= self.first_new
        old = torch.nn.functional.embedding(tokens.masked_fill(is_new, 0), self.teacher_words)
        new = self.new((tokens - self.first_new).clamp(min=0)) * NEW_RATE
        vectors = torch.where(is_new.unsqueeze(-1), new, old)
        hidden = self.bert(inputs_embeds=vectors, attention_mask=mask).last_hidden_state
        return torch.nn.functional.normalize(pooled(hidden.float(), mask))


class Bag(torch.nn.Module):
    """The cheap end: the mean of the tokens' vectors, and a small network behind it. Order is not read."""

    teacher_words: Tensor

    def __init__(self, teacher: Teacher, new_vectors: npt.NDArray[np.float32], width: int = 1024) -> None:
        super().__init__()
        words = teacher.weights["embeddings.word_embeddings.weight"]
        self.first_new, dimensions = words.shape
        self.register_buffer("teacher_words", words, persistent=False)
        self.new = _vectors(new_vectors)
        self.network = torch.nn.Sequential(
            torch.nn.LayerNorm(dimensions),
            torch.nn.Linear(dimensions, width),
            torch.nn.GELU(),
            torch.nn.Linear(width, dimensions),
        )

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        is_new = tokens >= self.first_new
        old = torch.nn.functional.embedding(tokens.masked_fill(is_new, 0), self.teacher_words)
        new = self.new((tokens - self.first_new).clamp(min=0)) * NEW_RATE
        mean = pooled(torch.where(is_new.unsqueeze(-1), new, old), mask)
        return torch.nn.functional.normalize(mean + self.network(mean).float())


def _vectors(start: npt.NDArray[np.float32]) -> torch.nn.Embedding:
    words, dimensions = start.shape
    return torch.nn.Embedding(words, dimensions, _weight=torch.from_numpy(start) / NEW_RATE)


def _chosen(weights: Mapping[str, Any], layers: Sequence[int]) -> dict[str, Any]:
    """Without the words, and with the chosen layers numbered from 0."""
    kept = {
        name: value
        for name, value in weights.items()
        if not name.startswith(("encoder.layer.", "embeddings.word_embeddings"))
    }
    for place, layer in enumerate(layers):
        prefix = f"encoder.layer.{layer}."
        kept |= {
            f"encoder.layer.{place}.{name.removeprefix(prefix)}": value
            for name, value in weights.items()
            if name.startswith(prefix)
        }
    return kept
