"""How does a trained image encoder get small enough to ship? Normalisations folded in, int8, and what that cost."""

import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from retrieval.encoders.base import Vectors, unit_rows
from retrieval.encoders.compact_image import (
    PASSAGES_FALSE_SHARE,
    WORDS_FALSE_SHARE,
    CompactConfig,
    cosine_range,
    write_compact,
)
from retrieval.encoders.runtime import Session
from retrieval.encoders.text_head import TextHead, text_head
from retrieval.training import augment
from retrieval.training.corpus import Corpus
from retrieval.training.held_out import HeldOut, figures
from retrieval.training.image_text import ImageTextModel

OPSET = 17
# Pictures that show the quantiser how large the values between layers get.
CALIBRATION = 256
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Cost:
    """What int8 costs: the mean cosine to float32's vectors, and recall of both."""

    megabytes: float
    float32_megabytes: float
    mean_cosine: float
    recall: dict[str, float]
    float32_recall: dict[str, float]


def export(
    model: ImageTextModel,
    corpus: Corpus,
    held: HeldOut,
    folder: Path,
    *,
    side_px: int,
    name: str,
    text_space: str,
) -> tuple[CompactConfig, Cost]:
    """Writes the folder that serving reads, in int8; `corpus` calibrates, `held` measures."""
    return export_graph(
        float32_graph(model.eval().tower, side_px),
        text_head(head_weights(model.head), held.queries.shape[1]),
        corpus,
        held,
        folder,
        side_px=side_px,
        name=name,
        text_space=text_space,
    )


def export_graph(
    graph: bytes,
    head: TextHead,
    corpus: Corpus,
    held: HeldOut,
    folder: Path,
    *,
    side_px: int,
    name: str,
    text_space: str,
    int8: bool = True,
) -> tuple[CompactConfig, Cost]:
    """As `export`, of a graph in float32; without `int8` it stays as it is."""
    rows = np.random.default_rng(0).choice(len(corpus), min(CALIBRATION, len(corpus)), replace=False)
    sample = torch.from_numpy(np.stack([corpus.pictures[row] for row in rows]))
    small = int8_graph(graph, augment.plain(sample, side_px).numpy()) if int8 else graph
    pixels = augment.plain(held.pictures, side_px).numpy()
    words, labels = head(held.queries.numpy()), head(held.labels.numpy())
    before, after = run(graph, pixels), run(small, pixels)
    cosines = words @ after[: held.sentences].T
    own = np.arange(held.sentences)[None, :] == held.query_of.numpy()[:, None]
    between = after @ after.T
    apart = ~np.eye(len(after), dtype=bool)
    # A picture and itself seen a little otherwise: what a query by picture hopes for.
    again = run(
        small, augment.batch(held.pictures, side_px, _SEEN_AGAIN, torch.Generator().manual_seed(0)).numpy()
    )
    config = write_compact(
        folder,
        image_onnx=small,
        head=head.tensors(),
        name=name,
        side_px=side_px,
        mean=augment.MEAN,
        std=augment.STD,
        text_space=text_space,
        words=cosine_range(cosines[own], cosines[~own], false_share=WORDS_FALSE_SHARE),
        pictures=cosine_range(np.sum(after * again, axis=1), between[apart]),
        passages=cosine_range(cosines[own], cosines[~own], false_share=PASSAGES_FALSE_SHARE),
    )
    return config, Cost(
        megabytes=len(small) / 1e6,
        float32_megabytes=len(graph) / 1e6,
        mean_cosine=float(np.mean(np.sum(before * after, axis=1))),
        recall=_figures(after, words, labels, held),
        float32_recall=_figures(before, words, labels, held),
    )


_SEEN_AGAIN = augment.Augmentation(smallest_crop=0.7, stretch=1.1, flip=0.0, colour=0.15, grey=0.0, erase=0.0)


def float32_graph(tower: nn.Module, side_px: int) -> bytes:
    """ONNX, from `pixel_values` (N, 3, side_px, side_px) to `embedding` (N, D); normalisations are folded into the
    convolutions before them."""
    example = torch.zeros(2, 3, side_px, side_px)
    # The tracer is deprecated for an exporter that needs a further package; torch is pinned.
    with warnings.catch_warnings(), torch.no_grad(), tempfile.TemporaryDirectory() as work:
        written = Path(work) / "image.onnx"
        warnings.simplefilter("ignore")
        torch.onnx.export(
            tower.eval(),
            (example,),
            str(written),
            dynamo=False,
            opset_version=OPSET,
            input_names=["pixel_values"],
            output_names=["embedding"],
            dynamic_axes={"pixel_values": {0: "batch"}, "embedding": {0: "batch"}},
        )
        return written.read_bytes()


def int8_graph(graph: bytes, pixels: Vectors) -> bytes:
    """Weights and values between layers as int8, one scale a channel of weights (Jacob et al. 2018).

    `pixels` (N, 3, S, S) show how large the values get. The convolutions alone, which are nearly all of the work: with
    the projection in int8 too the mean cosine to float32 was 0.86, not 0.997, and recall@10 0.27, not 0.31.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.calibrate import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches: Iterator[Any] = iter(np.array_split(pixels, max(1, len(pixels) // 16)))

        def get_next(self) -> dict[str, Vectors] | None:
            batch = next(self._batches, None)
            return None if batch is None else {"pixel_values": batch}

    with tempfile.TemporaryDirectory() as work:
        whole, small = Path(work) / "float32.onnx", Path(work) / "int8.onnx"
        whole.write_bytes(graph)
        quantize_static(
            whole,
            small,
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8,
            calibrate_method=CalibrationMethod.MinMax,
            op_types_to_quantize=["Conv"],
        )
        return small.read_bytes()


def run(graph: bytes, pixels: Vectors) -> Vectors:
    """float32 (N, D) unit rows, by the runtime that serves."""
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "image.onnx"
        path.write_bytes(graph)
        session = Session(path)
        batches = [pixels[start : start + AT_ONCE] for start in range(0, len(pixels), AT_ONCE)]
        return unit_rows(np.concatenate([session.run({"pixel_values": batch}) for batch in batches]))


def head_weights(head: nn.Module) -> dict[str, npt.NDArray[np.float32]]:
    """As serving names them. ValueError for a head that it has no form for."""
    names = {"first.weight": "w1", "first.bias": "b1", "second.weight": "w2", "second.bias": "b2"}
    weights = {key: value.detach().cpu().numpy() for key, value in head.state_dict().items()}
    if weights.keys() != names.keys():
        raise ValueError("Only a residual head can be served: train with --head residual.")
    return {names[key]: value for key, value in weights.items()}


def _figures(rows: Vectors, words: Vectors, labels: Vectors, held: HeldOut) -> dict[str, float]:
    return figures(torch.from_numpy(rows), torch.from_numpy(words), torch.from_numpy(labels), held)
