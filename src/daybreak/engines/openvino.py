"""OpenVINO on the CPU, in full precision or, where the processor has it, in bfloat16.

Two things it does otherwise than ONNX Runtime are made good here (both seen in OpenVINO 2026.4):

* an input with a default becomes a constant when the graph is read. Where such an input is given, the graph
  is read once more with an input in the constant's place;
* an `If` whose condition is known at run time alone gives a wrong picture on the first run of a request. A
  switch is therefore put in as a constant: each of its values has a compiled graph of its own.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from daybreak.engines.base import Precision, failed
from daybreak.engines.compiled import compile_kept
from daybreak.errors import EngineError, WeightsError
from daybreak.types import Array

if TYPE_CHECKING:
    import openvino as ov

_HINTS = {"fp32": "f32", "bf16": "bf16"}


class OpenvinoEngine:
    """A graph loaded by OpenVINO.

    Args:
        path: as for `OnnxEngine`.
        threads: inside one run.
        precision: what it is computed in.

    Raises:
        WeightsError: OpenVINO cannot load the file.
    """

    def __init__(self, path: Path, threads: int = 1, precision: Precision = "fp32") -> None:
        self._path = path
        streams = max(1, (os.cpu_count() or 1) // threads)  # as many runs at a time as there are cores for
        self._config = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": streams * threads,
            "NUM_STREAMS": streams,
        }
        self._graphs: dict[tuple[Any, ...], _Compiled] = {}
        self._loading = Lock()
        self._graph({})

    def run(self, batch: Array, besides: Mapping[str, Array] = MappingProxyType({})) -> Array:
        """Run the graph on B×C×H×W, C-contiguous, and the inputs that may be left out.

        Raises:
            WeightsError: the graph has no input of a name among them.
            EngineError: see `Engine`.
        """
        numbers = {name: value for name, value in besides.items() if value.dtype != np.bool_}
        graph = self._graph(besides)
        try:
            return graph.run([batch, *numbers.values()])
        except RuntimeError as error:
            raise failed("OpenVINO", error) from None

    def _graph(self, besides: Mapping[str, Array]) -> _Compiled:
        """The graph for the names of the numbers and the values of the switches that are given."""
        key = tuple(
            (name, bool(value.flat[0]) if value.dtype == np.bool_ else None)
            for name, value in besides.items()
        )
        with self._loading:
            if key not in self._graphs:
                self._graphs[key] = _Compiled(self._path, besides, key, self._config)
            return self._graphs[key]


class _Compiled:
    """A compiled graph and the requests that run it: one for each run at a time, kept for the next."""

    def __init__(
        self, path: Path, besides: Mapping[str, Array], key: tuple[Any, ...], config: dict[str, Any]
    ) -> None:
        def read() -> ov.Model:
            model = _core().read_model(path)
            for name, value in besides.items():
                _give(model, name, value)
            model.validate_nodes_and_infer_types()
            return model

        try:
            self._compiled = compile_kept(_core(), path, key, config, read)
        except RuntimeError as error:
            raise WeightsError(f"{path} cannot be run by OpenVINO: {' '.join(str(error).split())}") from None
        self._idle: deque[ov.InferRequest] = deque()  # its append and pop are atomic

    def run(self, values: list[Array]) -> Array:
        """Run it on the picture and on the numbers in their order."""
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        # The inputs are read where they lie; the output is copied out, for the next run writes over it.
        request.infer(values, share_inputs=True)
        result: Array = request.get_output_tensor().data.copy()
        self._idle.append(request)
        return result


def _give(model: ov.Model, name: str, value: Array) -> None:
    """Put an input, or the value of a switch, where the graph has its default.

    Raises:
        WeightsError: there is no default of that name.
    """
    import openvino as ov
    from openvino import opset13 as operators

    found = [node for node in model.get_ops() if node.get_friendly_name() == name]
    if not found:
        raise WeightsError(f"the graph has no input {name!r}")
    default = found[0].output(0)
    if value.dtype == np.bool_:
        default.replace(operators.constant(value).output(0))
        return
    shape = ov.PartialShape([-1, *list(default.get_shape())[1:]])  # one for each picture of a batch
    given = operators.parameter(shape, default.get_element_type(), name=name)
    given.output(0).set_names({name})
    default.replace(given.output(0))
    model.add_parameters([given])


@cache
def _core() -> ov.Core:
    """What finds devices and loads graphs.

    Raises:
        EngineError: OpenVINO is installed and broken.
    """
    try:
        import openvino as ov

        return ov.Core()
    except (ImportError, OSError, RuntimeError) as error:
        raise EngineError(
            f"OpenVINO is installed and does not work: {error}", hint="Install it again, or type --device cpu"
        ) from None


def has_bf16() -> bool:
    """Whether this processor computes in bfloat16, as far as an OpenVINO that works can say."""
    try:
        return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except EngineError:  # told when a graph is loaded
        return False
