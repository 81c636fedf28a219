"""ONNX Runtime, on the CPU or on what else the installed package was built for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from daybreak.engines.base import failed
from daybreak.engines.running import run_session
from daybreak.errors import EngineError, WeightsError
from daybreak.types import Array

CPU = "CPUExecutionProvider"

PACKAGES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml")
"""What it may be installed as."""


class OnnxEngine:
    """A graph loaded by ONNX Runtime.

    Args:
        path: the `.onnx` file, trusted by its SHA-256 before; it may keep its parameters in the safetensors
            file beside it.
        threads: inside one run. One is right where several tiles run at a time: it gets more out of the cores
            than threads that share one tile.
        wide: lay channels out in blocks of 16. From 32 channels on that is a sixth faster, with few a quarter
            slower (docs/engines.md).
        provider: ONNX Runtime's name of the device.
        options: of the provider.

    Raises:
        WeightsError: ONNX Runtime cannot load the file.
        EngineError: the provider is not there, or there and cannot be used.
    """

    def __init__(
        self,
        path: Path,
        threads: int = 1,
        *,
        wide: bool = False,
        provider: str = CPU,
        options: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        ort = _library()
        session = ort.SessionOptions()
        session.intra_op_num_threads = threads
        session.inter_op_num_threads = 1
        # Constants are folded from the first level on, convolutions fused with what follows from the second.
        levels = ort.GraphOptimizationLevel
        session.graph_optimization_level = levels.ORT_ENABLE_ALL if wide else levels.ORT_ENABLE_EXTENDED
        session.log_severity_level = 3  # errors only: warnings would go to the user's terminal
        if provider != CPU:
            session.enable_mem_pattern = False  # DirectML cannot have it, and sizes change all the time
        try:
            self._session = ort.InferenceSession(str(path), session, providers=[(provider, dict(options))])
        except Exception as error:  # its exception classes have no common base below Exception
            raise _refused(path, provider, error) from None
        self._session.disable_fallback()  # a device that fails is told of, not replaced without a word
        if self._session.get_providers()[0] != provider:
            raise EngineError(
                f"ONNX Runtime has {provider} and cannot use it here",
                "a device with its driver and libraries",
                "Type --device cpu",
            )
        self._place = f"ONNX Runtime with {provider}"
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def run(self, batch: Array, besides: Mapping[str, Array] = MappingProxyType({})) -> Array:
        """Run the graph on B×C×H×W, C-contiguous, and the inputs that may be left out.

        Raises:
            EngineError: see `Engine`.
            Stopped: between two nodes, where that was asked for (`daybreak.stopping`).
        """
        return run_session(self._session, [self._output], {self._input: batch, **besides}, self._place)[0]


def providers() -> list[str]:
    """Names of what the installed ONNX Runtime was built for, whether it works here or not."""
    return [str(name) for name in _library().get_available_providers()]


def _library() -> Any:
    """ONNX Runtime's module.

    Raises:
        EngineError: it is not installed, or is and is broken.
    """
    try:
        import onnxruntime

        if not hasattr(onnxruntime, "InferenceSession"):  # the folder that a removed package leaves
            raise ImportError("nothing is in it")
    except (ImportError, OSError) as error:
        raise EngineError(
            f"ONNX Runtime does not work: {' '.join(str(error).split())}",
            hint="Type: pip install --force-reinstall onnxruntime",
        ) from None
    return onnxruntime


def _refused(path: Path, provider: str, error: Exception) -> Exception:
    if provider == CPU:
        return WeightsError(f"{path} cannot be run: {error}")
    return failed(f"ONNX Runtime with {provider}", error)
