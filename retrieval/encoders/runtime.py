"""How is a graph run? By ONNX Runtime on the CPU, one thread for each request unless told otherwise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from retrieval.encoders.base import EncoderError

# More threads a request make one request faster and all of them slower: oversubscribed, 7 ms became 500.
THREADS = 1


class Session:
    """An ONNX graph with one output. Calls from several threads at once are safe, and run side by side."""

    def __init__(self, graph: Path, *, threads: int = THREADS) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # The arena keeps what the largest batch ever needed; passages of all lengths would grow it for good.
        options.enable_cpu_mem_arena = False
        # Warnings are about the graph's layout, which its reader can do nothing about.
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(graph), options, providers=["CPUExecutionProvider"]
            )
        # ONNX Runtime's exceptions share no base but Exception, and all of them mean the same here.
        except Exception as error:
            raise EncoderError(
                f"{graph} cannot be loaded; run `manage.py prepare_models --again` to make it anew."
            ) from error
        self.inputs = frozenset(item.name for item in self._session.get_inputs())

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """The first output. Inputs that the graph does not have are left out."""
        feed = {name: value for name, value in inputs.items() if name in self.inputs}
        output: npt.NDArray[np.float32] = self._session.run(None, feed)[0]
        return output
