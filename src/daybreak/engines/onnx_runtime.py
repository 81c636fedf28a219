"""ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from daybreak.errors import WeightsError
from daybreak.types import Array


class OnnxEngine:
    """A graph loaded by ONNX Runtime.

    Args:
        path: the `.onnx` file, trusted by its SHA-256 before; it may keep its parameters in the safetensors
            file beside it.
        threads: inside one run. One is right where several tiles run at a time: it gets more out of the cores
            than threads that share one tile.

    Raises:
        WeightsError: ONNX Runtime cannot load the file.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # The last level lays channels out in blocks of 16, which slows networks of a few channels by a fifth.
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.log_severity_level = 3  # errors only: warnings would go to the user's terminal
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exception classes have no common base below Exception
            raise WeightsError(f"{path} cannot be run: {error}") from None
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def run(self, batch: Array, besides: Mapping[str, Array] = MappingProxyType({})) -> Array:
        """Run the graph on B×C×H×W, C-contiguous, and the inputs that may be left out."""
        result: Array = self._session.run([self._output], {self._input: batch, **besides})[0]
        return result
