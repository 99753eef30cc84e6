"""How does a BERT sentence encoder become an ONNX graph without torch? Its weights, laid out in numpy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Weights = Mapping[str, npt.NDArray[np.float32]]

# LayerNormalization arrived with 17; ONNX Runtime's fused operators live in a domain of their own.
OPSET = 17
FUSED = "com.microsoft"
# Of opset 17: older ONNX Runtimes read it too.
IR_VERSION = 8


@dataclass(frozen=True)
class BertShape:
    """What of a BERT's config.json decides its graph."""

    layers: int
    heads: int
    layer_norm_eps: float

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> "BertShape":
        """Raises ValueError for a BERT that this graph would compute wrongly."""
        positions = config.get("position_embedding_type", "absolute")
        if config["model_type"] != "bert" or config["hidden_act"] != "gelu" or positions != "absolute":
            raise ValueError("Only BERT with exact GELU and absolute positions is laid out here.")
        return cls(
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            layer_norm_eps=config["layer_norm_eps"],
        )


class _Graph:
    """Nodes and weights in the order in which they are added. Each method returns its output's name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, value: npt.NDArray[Any]) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op: str, inputs: list[str], output: str, *, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, domain=domain, **attributes))
        return output


def mean_pooled_bert(weights: Weights, shape: BertShape) -> onnx.ModelProto:
    """input_ids, attention_mask: int64 (N, T) -> embedding: float32 (N, D), unit rows.

    BERT (Devlin et al. 2019), the mean of the last layer over the attention mask (Reimers & Gurevych 2019,
    section 3), divided by its length. Attention, bias and GELU, and residual and normalisation are ONNX
    Runtime's fused operators, so that what runs does not depend on which fusions its optimiser recognises.
    """
    graph = _Graph()
    mask = graph.node("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
    hidden = _embeddings(graph, weights, shape)
    for index in range(shape.layers):
        hidden = _layer(graph, weights, shape, index, hidden, mask)
    _mean_and_normalise(graph, hidden)

    width = weights["embeddings.word_embeddings.weight"].shape[1]
    tokens = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", width])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "sentence_encoder", tokens, [embedding], graph.weights),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model)
    return model


def _embeddings(graph: _Graph, weights: Weights, shape: BertShape) -> str:
    """Word + position + segment, normalised: (N, T, D)."""
    words = graph.weight("words", weights["embeddings.word_embeddings.weight"])
    # Every token is of segment 0 (one text, no pair), so its row is added to the positions once, here.
    positions = graph.weight(
        "positions",
        weights["embeddings.position_embeddings.weight"]
        + weights["embeddings.token_type_embeddings.weight"][0],
    )
    word_rows = graph.node("Gather", [words, "input_ids"], "word_rows")
    length = graph.node("Shape", ["input_ids"], "length", start=1, end=2)
    zero = graph.weight("zero", np.array([0], dtype=np.int64))
    position_rows = graph.node("Slice", [positions, zero, length, zero], "position_rows")
    total = graph.node("Add", [word_rows, position_rows], "embedded")
    return graph.node(
        "LayerNormalization",
        [
            total,
            graph.weight("embedded_gain", weights["embeddings.LayerNorm.weight"]),
            graph.weight("embedded_shift", weights["embeddings.LayerNorm.bias"]),
        ],
        "layer_in",
        epsilon=shape.layer_norm_eps,
    )


def _layer(graph: _Graph, weights: Weights, shape: BertShape, index: int, hidden: str, mask: str) -> str:
    """One transformer layer, normalised after each residual: (N, T, D) -> (N, T, D)."""
    prefix = f"encoder.layer.{index}."
    name = f"layer{index}."

    def parameter(part: str) -> npt.NDArray[np.float32]:
        return weights[prefix + part]

    def dense(source: str, part: str, output: str) -> str:
        # torch keeps (out, in); MatMul wants (in, out).
        matrix = graph.weight(f"{name}{output}_weight", parameter(f"{part}.weight").T)
        return graph.node("MatMul", [source, matrix], f"{name}{output}")

    def residual(source: str, onto: str, part: str, output: str) -> str:
        inputs = [
            source,
            onto,
            graph.weight(f"{name}{output}_gain", parameter(f"{part}.LayerNorm.weight")),
            graph.weight(f"{name}{output}_shift", parameter(f"{part}.LayerNorm.bias")),
            graph.weight(f"{name}{output}_bias", parameter(f"{part}.dense.bias")),
        ]
        eps = shape.layer_norm_eps
        return graph.node("SkipLayerNormalization", inputs, f"{name}{output}", domain=FUSED, epsilon=eps)

    parts = [f"attention.self.{part}" for part in ("query", "key", "value")]
    joined_weight = np.concatenate([parameter(f"{part}.weight").T for part in parts], axis=1)
    joined_bias = np.concatenate([parameter(f"{part}.bias") for part in parts])
    attended = graph.node(
        "Attention",
        [
            hidden,
            graph.weight(f"{name}attention_weight", joined_weight),
            graph.weight(f"{name}attention_bias", joined_bias),
            mask,
        ],
        f"{name}attention",
        domain=FUSED,
        num_heads=shape.heads,
    )
    projected = dense(attended, "attention.output.dense", "projected")
    middle = residual(projected, hidden, "attention.output", "middle")
    wide = dense(middle, "intermediate.dense", "wide")
    wide_bias = graph.weight(f"{name}wide_bias", parameter("intermediate.dense.bias"))
    active = graph.node("BiasGelu", [wide, wide_bias], f"{name}active", domain=FUSED)
    narrow = dense(active, "output.dense", "narrow")
    return residual(narrow, middle, "output", "out")


def _mean_and_normalise(graph: _Graph, hidden: str) -> None:
    """(N, T, D) -> embedding (N, D), unit rows. No sum is of nothing: each text has its special tokens."""
    weight = graph.node("Cast", ["attention_mask"], "weight", to=TensorProto.FLOAT)
    last = graph.weight("last_axis", np.array([2], dtype=np.int64))
    weight = graph.node("Unsqueeze", [weight, last], "weight_column")
    # The mean's divisor is left out: dividing by the length afterwards cancels it.
    weighted = graph.node("Mul", [hidden, weight], "weighted")
    tokens = graph.weight("token_axis", np.array([1], dtype=np.int64))
    total = graph.node("ReduceSum", [weighted, tokens], "total", keepdims=0)
    graph.node("LpNormalization", [total], "embedding", axis=1, p=2)
