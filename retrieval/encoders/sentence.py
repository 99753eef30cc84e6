"""How does a transformers sentence encoder become a graph? Layers, pooling, and the prompts it expects."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from retrieval.encoders import hub
from retrieval.encoders.base import EncoderError
from retrieval.encoders.export import most_tokens, text_graph
from retrieval.encoders.manifest import Exported
from retrieval.encoders.text_tower import TextPart

Pooling = Literal["mean", "cls", "last"]

# Raised when this file computes something else from the same model.
EXPORT = 1
# Modules of a sentence-transformers folder that are computed here; another (a Dense layer) would be left out.
KNOWN_MODULES = frozenset({"Transformer", "Pooling", "Normalize"})


@dataclass(frozen=True, slots=True)
class SentenceSource:
    """`name`: of the hub, or a local folder. What is None is read from its sentence-transformers files."""

    name: str
    pooling: Pooling | None = None
    query_prompt: str | None = None
    passage_prompt: str | None = None

    @property
    def recipe(self) -> Mapping[str, Any]:
        return {
            "family": "sentence",
            "export": EXPORT,
            "pooling": self.pooling,
            "query": self.query_prompt,
            "passage": self.passage_prompt,
        }

    def export(self, folder: Path) -> Exported:
        source = hub.model_folder(self.name)
        for module in _json(source / "modules.json") or []:
            kind = str(module["type"]).rpartition(".")[2]
            if kind not in KNOWN_MODULES:
                raise EncoderError(
                    f"{self.name} ends in a {kind} layer, which is not computed here. Choose another."
                )
        model = hub.load_model(source)
        tokenizer = hub.load("AutoTokenizer", source)
        prompts = (_json(source / "config_sentence_transformers.json") or {}).get("prompts") or {}
        text = TextPart(
            max_tokens=_max_tokens(source, most_tokens(tokenizer, model.config)),
            pad_id=int(tokenizer.pad_token_id) if tokenizer.pad_token_id is not None else 0,
            query_prompt=_first(self.query_prompt, prompts.get("query")),
            passage_prompt=_first(self.passage_prompt, prompts.get("document"), prompts.get("passage")),
        )
        module = _pooled(model, self.pooling or _pooling(source))
        dimensions = int(model.config.hidden_size)
        text_graph(module, tokenizer, text, folder, masked=True, dimensions=dimensions)
        return Exported(content_sha256=hub.content_sha256(source), dimensions=dimensions, text=text)


def _json(path: Path) -> Any:
    """The file's value; None where there is none."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise EncoderError(f"{path} is not JSON.") from error


def _first(*choices: str | None) -> str:
    return next((choice for choice in choices if choice is not None), "")


def _max_tokens(source: Path, most: int) -> int:
    """What the encoder was fine-tuned on, where it says so."""
    stated = (_json(source / "sentence_bert_config.json") or {}).get("max_seq_length")
    return min(most, int(stated)) if stated else most


def _pooling(source: Path) -> Pooling:
    """As sentence-transformers would; the mean where nothing is said."""
    config = _json(source / "1_Pooling" / "config.json") or {"pooling_mode_mean_tokens": True}
    modes: dict[str, Pooling] = {
        "pooling_mode_mean_tokens": "mean",
        "pooling_mode_cls_token": "cls",
        "pooling_mode_lasttoken": "last",
    }
    chosen = [key for key, value in config.items() if key.startswith("pooling_mode") and value is True]
    if len(chosen) != 1 or chosen[0] not in modes:
        raise EncoderError(
            f"Pooling by {' and '.join(chosen) or 'nothing'} is not computed here. Choose another model."
        )
    return modes[chosen[0]]


def _pooled(model: Any, pooling: Pooling) -> Any:
    """A module (input_ids, attention_mask: (N, T)) -> (N, D)."""

    def pooled(input_ids: Any, attention_mask: Any) -> Any:
        hidden = model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.to(hidden.dtype)
        if pooling == "cls":
            return hidden[:, 0]
        if pooling == "last":
            # The mask less itself moved one place to the left is 1 at the last token alone. Indexing would be
            # tied to the batch that the trace saw.
            following = hub.library("torch").nn.functional.pad(weights[:, 1:], (0, 1))
            weights = weights - following
        return (hidden * weights.unsqueeze(-1)).sum(1) / weights.sum(1, keepdim=True)

    return hub.module(model, pooled)
