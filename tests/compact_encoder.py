"""A compact image encoder that tests can reason about: averages of a picture's colours, through a tiny graph."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

from retrieval.encoders.base import CosineRange
from retrieval.encoders.compact_image import CompactConfig, CompactSource, write_compact

SIDE_PX = 8
WORDS = CosineRange(low=0.0, high=0.9, matches_from=0.5)
PASSAGES = CosineRange(low=0.1, high=0.9, matches_from=0.6)
PICTURES = CosineRange(low=0.2, high=0.95, matches_from=0.6)
Weights = npt.NDArray[np.float32]


def graph(dimensions: int, colours: Weights) -> bytes:
    """`pixel_values` (N, 3, S, S) -> mean colour (N, 3) @ `colours` (3, dimensions)."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixel_values"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "colours"], ["mixed"]),
        # Black has a direction, too.
        helper.make_node("Add", ["mixed", "black"], ["rows"]),
    ]
    shape = ["N", 3, SIDE_PX, SIDE_PX]
    made = helper.make_graph(
        nodes,
        "compact",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["N", dimensions])],
        [
            numpy_helper.from_array(colours.astype(np.float32), "colours"),
            numpy_helper.from_array(np.full(dimensions, 1e-4, dtype=np.float32), "black"),
        ],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def silent_head(dimensions: int, hidden: int = 4) -> dict[str, Weights]:
    """Leaves a text where it is."""
    return {
        "w1": np.zeros((hidden, dimensions), dtype=np.float32),
        "b1": np.zeros(hidden, dtype=np.float32),
        "w2": np.zeros((dimensions, hidden), dtype=np.float32),
        "b2": np.zeros(dimensions, dtype=np.float32),
    }


def write(
    folder: Path,
    *,
    dimensions: int = 384,
    colours: Weights | None = None,
    head: dict[str, Weights] | None = None,
    text_space: str = "all-MiniLM-L6-v2",
) -> CompactConfig:
    """Red, green and blue have a direction each; `colours` (3, dimensions) says which."""
    if colours is None:
        colours = np.random.default_rng(0).normal(size=(3, dimensions)).astype(np.float32)
    return write_compact(
        folder,
        image_onnx=graph(colours.shape[1], colours),
        head=head or silent_head(dimensions),
        name="tiny-compact",
        side_px=SIDE_PX,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        text_space=text_space,
        words=WORDS,
        passages=PASSAGES,
        pictures=PICTURES,
    )


def source(folder: Path, **options: object) -> CompactSource:
    write(folder, **options)  # type: ignore[arg-type]
    return CompactSource(folder)
