"""How does a torch module become an ONNX graph to be trusted? Traced, then compared with torch itself."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.encoders.base import EncoderError, Vectors, unit_rows
from retrieval.encoders.hub import library
from retrieval.encoders.manifest import TOKENIZER
from retrieval.encoders.pictures import ImagePart, pixels
from retrieval.encoders.probes import SENTENCES, pictures
from retrieval.encoders.runtime import Session
from retrieval.encoders.text_tower import TextPart, TextTower

OPSET = 17
# An ONNX file is one protobuf message, which ends at 2 GiB; some of it is the graph.
MOST_BYTES = 2_000_000_000
# A trace that froze a shape or a branch is far off on other inputs; float32 in another order is not.
LEAST_COSINE = 0.9999
# Passages are a few hundred tokens; longer inputs would only be padding and quadratic attention.
MOST_TOKENS = 512
# These number positions from the padding token's index + 1, which takes two from the table.
OFFSET_POSITIONS = frozenset({"roberta", "xlm-roberta", "camembert", "mpnet", "altclip_text_model"})


def text_graph(
    module: Any, tokenizer: Any, part: TextPart, folder: Path, *, masked: bool, dimensions: int
) -> None:
    """Writes `text.onnx` and the tokenizer. `module(input_ids[, attention_mask if masked])` gives (N, D)."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise EncoderError(
            "The model's tokenizer has no fast form (tokenizer.json), which serving needs. Convert it first."
        )
    backend.save(str(folder / TOKENIZER))
    torch = library("torch")
    width = part.max_tokens if part.always_full else 7
    # Two rows of unlike length: a trace of one full row would never see padding.
    mask = torch.ones((2, width), dtype=torch.int64)
    mask[1, width // 2 :] = 0
    ids = torch.full((2, width), part.pad_id, dtype=torch.int64)
    real = tokenizer(SENTENCES[0])["input_ids"]
    for row, count in enumerate(mask.sum(1).tolist()):
        ids[row, :count] = torch.tensor((real * width)[: count - 1] + real[-1:])
    inputs = {"input_ids": ids, "attention_mask": mask} if masked else {"input_ids": ids}
    axes = {0: "batch"} if part.always_full else {0: "batch", 1: "tokens"}
    graph = folder / "text.onnx"
    _trace(module, inputs, axes, graph)

    tower = TextTower(graph, folder / TOKENIZER, part)
    for texts in (SENTENCES[:1], SENTENCES[1:5]):
        batch = tower.inputs(texts)
        wanted = [torch.from_numpy(batch[name]) for name in inputs]
        _agree(_run(module, wanted), tower.encode(texts), dimensions)


def image_graph(module: Any, part: ImagePart, folder: Path, *, dimensions: int) -> None:
    """Writes `image.onnx`. `module(pixel_values)`: (N, D)."""
    torch = library("torch")
    values = pixels(pictures()[:3], part)
    graph = folder / "image.onnx"
    _trace(module, {"pixel_values": torch.from_numpy(values[:2])}, {0: "batch"}, graph)
    session = Session(graph)
    for batch in (values[:1], values):
        expected = _run(module, [torch.from_numpy(batch)])
        _agree(expected, unit_rows(session.run({"pixel_values": batch})), dimensions)


def most_tokens(tokenizer: Any, config: Any) -> int:
    """What fits the position table, the tokenizer's own limit, and ours."""
    positions = int(getattr(config, "max_position_embeddings", MOST_TOKENS))
    if config.model_type in OFFSET_POSITIONS:
        positions -= 2
    return min(positions, int(tokenizer.model_max_length), MOST_TOKENS)


def _trace(module: Any, inputs: Mapping[str, Any], axes: Mapping[int, str], graph: Path) -> None:
    torch = library("torch")
    if sum(weight.numel() * weight.element_size() for weight in module.parameters()) > MOST_BYTES:
        raise EncoderError(
            "The model is larger than one ONNX file may be (2 GiB in float32). Choose another."
        )
    # The tracer warns of each constant that it freezes; whether one matters, the comparison tells. It is also
    # deprecated, in favour of an exporter that needs a further package; torch is pinned.
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            str(graph),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=["embedding"],
            dynamic_axes={name: dict(axes) for name in inputs} | {"embedding": {0: "batch"}},
        )


def _run(module: Any, inputs: list[Any]) -> npt.NDArray[Any]:
    with library("torch").no_grad():
        rows: npt.NDArray[Any] = module(*inputs).numpy()
    return rows


def _agree(expected: npt.NDArray[Any], rows: Vectors, dimensions: int) -> None:
    """Raises EncoderError unless ONNX Runtime's unit rows point where torch's do."""
    if expected.shape == rows.shape == (len(rows), dimensions):
        worst = float(np.min(np.sum(unit_rows(expected) * rows, axis=1)))
        if worst >= LEAST_COSINE:
            return
    raise EncoderError(
        "The exported graph does not compute what the model does, so it cannot be served. Choose another."
    )
