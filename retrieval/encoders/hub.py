"""Where are a transformers model's files, and how are they loaded? From a folder or the hub, weights only.

Needs the `models` extra. No code of the model's repository ever runs (`trust_remote_code` stays off), and
weights are read from safetensors only: a pickle is a program.
"""

import hashlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from retrieval.encoders.base import EncoderError
from retrieval.encoders.manifest import file_sha256

# No pickles, no other framework's weights, no repository code.
WANTED_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]


def library(name: str) -> Any:
    """torch, transformers, ...: imported only while a model is prepared, never to serve one."""
    try:
        return import_module(name)
    except ImportError as error:
        raise EncoderError(
            f"Preparing this model needs {name}: run `pip install 'kb[models]'`, or prepare it elsewhere and"
            " copy the models folder."
        ) from error


def model_folder(name: str) -> Path:
    """`name`, where it is a folder; else the hub's files of that name, fetched or from its cache."""
    folder = Path(name)
    if not folder.is_dir():
        hub = library("huggingface_hub")
        try:
            folder = Path(hub.snapshot_download(name, allow_patterns=WANTED_FILES))
        # The hub client's errors are OSErrors (no network, no such model) and ValueErrors (no possible name).
        except (OSError, ValueError) as error:
            raise EncoderError(
                f"{name} is neither a folder here nor to be had from the Hugging Face hub ({error})."
                " Copy the model to a folder and name that."
            ) from error
    if not (folder / "config.json").is_file():
        raise EncoderError(f"{folder} holds no transformers model: it has no config.json.")
    if not any(folder.glob("*.safetensors")):
        raise EncoderError(f"{name} has no safetensors weights; no other format is loaded. Convert it first.")
    return folder


def content_sha256(folder: Path) -> str:
    """Changes with the weights and with each file that says how to use them."""
    files = sorted(path for pattern in WANTED_FILES for path in folder.rglob(pattern))
    parts = [f"{path.relative_to(folder)} {file_sha256(path)}\n" for path in files]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def load(kind: str, folder: Path, **options: Any) -> Any:
    """`kind`: a transformers Auto class. Raises EncoderError."""
    transformers = library("transformers")
    try:
        return getattr(transformers, kind).from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, **options
        )
    # What transformers raises for missing or contradictory files, and for a tokenizer's missing library.
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError) as error:
        raise EncoderError(f"transformers cannot load the model in {folder}: {error}") from error


def load_model(folder: Path) -> Any:
    """In float32 and evaluation mode. Eager attention: the fused kinds are traced into longer graphs."""
    torch = library("torch")
    options = {"use_safetensors": True, "dtype": torch.float32, "attn_implementation": "eager"}
    return load("AutoModel", folder, **options).eval()


def module(model: Any, forward: Callable[..., Any]) -> Any:
    """A torch module with the weights of `model` whose output is that of `forward`. Made by a call of `type`,
    since torch is imported only here and a class statement needs its base at import."""
    made = type(
        "Exported", (library("torch").nn.Module,), {"forward": lambda _self, *inputs: forward(*inputs)}
    )()
    made.model = model
    return made.eval()
