"""ONNX Runtime on the CPU."""

from __future__ import annotations

import os
from pathlib import Path

from daybreak.errors import WeightsError
from daybreak.types import Array

THREADS = "DAYBREAK_THREADS"
"""Environment variable: threads inside one run; unset or 0 takes every core this process may use."""


def wanted_threads() -> int:
    """How many threads one run may use, from the environment; read whenever a graph is loaded."""
    told = os.environ.get(THREADS, "")
    if told.isdecimal() and int(told):
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class OnnxEngine:
    """A graph loaded by ONNX Runtime.

    Args:
        path: the `.onnx` file, trusted by its SHA-256 before.
        threads: threads inside one run; 0 asks `wanted_threads`.

    Raises:
        WeightsError: ONNX Runtime cannot load the file.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or wanted_threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only: warnings would go to the user's terminal
        try:
            self._session = ort.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exception classes have no common base below Exception
            raise WeightsError(f"{path} cannot be run: {error}") from None
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def run(self, batch: Array) -> Array:
        """Run the graph on B×C×H×W, C-contiguous."""
        result: Array = self._session.run([self._output], {self._input: batch})[0]
        return result
