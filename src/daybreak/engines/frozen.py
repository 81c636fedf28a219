"""A graph that looks at the whole picture, run on parts of it with what a look at the whole told.

A network may weigh its channels by their means over the picture (a pooled attention), or decide an exposure
on a thumbnail: all that is global in it passes through a few pooled numbers. Here those numbers are asked for
in one run over a reduced copy of the whole picture and given to the runs over its tiles, where the nodes that
made them are left out. What remains is convolutions, so tiles with their halo agree with each other.

The graph is changed as bytes, since the onnx package is none of what running needs. ONNX is a protocol buffer
(onnx.proto3): ModelProto.graph = 7; GraphProto.node = 1, input = 11, output = 12; NodeProto.output = 2,
op_type = 4; ValueInfoProto.name = 1, type = 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from daybreak.engines.running import run_session
from daybreak.errors import WeightsError
from daybreak.types import Array

_PLACE = "ONNX Runtime on the CPU"
_POOLS = {"ReduceMean", "ReduceMax", "ReduceMin", "GlobalAveragePool", "GlobalMaxPool"}
_NORMS = {"InstanceNormalization", "GroupNormalization", "LayerNormalization", "ReduceSum"}
"""The last is how our own instance norm is exported (`daybreak.layers.norm`)."""

_GRAPH, _NODE, _INPUT, _OUTPUT = 7, 1, 11, 12
_FLOAT = b"\x12\x04\x0a\x02\x08\x01"  # ValueInfoProto.type: a float tensor of whatever shape


class FrozenGraph:
    """Two forms of a graph on ONNX Runtime's CPU: one tells its pooled numbers, the other takes them.

    Args:
        path: the `.onnx` file, trusted before.
        threads: inside one run.

    Attributes:
        parted: whether it can be done: there are pooled numbers, and no norms, which few numbers do not
            stand for.

    Raises:
        WeightsError: ONNX Runtime cannot load it.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self._data, self._folder, self._threads = path.read_bytes(), path.parent, threads
        names = _pools(self._data)
        self.parted = bool(names) and not _operators(self._data) & _NORMS
        self._asking = self._load(_with_outputs(self._data, names))
        self._input, self._output = self._asking.get_inputs()[0].name, self._asking.get_outputs()[0].name
        self._candidates = names
        self._taking: Any = None

    def look(self, batch: Array, besides: Mapping[str, Array]) -> dict[str, Array]:
        """Run over a whole picture.

        Args:
            batch: 1×C×H×W, the picture or a reduced copy.
            besides: the graph's other inputs.

        Returns:
            The pooled numbers by name, for `run`.
        """
        inputs = {self._input: batch, **besides}
        told = run_session(self._asking, self._candidates, inputs, _PLACE)
        pooled = {
            name: value
            for name, value in zip(self._candidates, told, strict=True)
            if value.dtype == np.float32 and int(np.prod(value.shape[2:])) == 1  # not one number a place
        }
        if self._taking is None:
            self._taking = self._load(_without_nodes(self._data, set(pooled)))
        return pooled

    def run(self, batch: Array, besides: Mapping[str, Array] = MappingProxyType({})) -> Array:
        """Run over a part: 1×C×H×W, with the other inputs and what `look` told among `besides`."""
        return run_session(self._taking, [self._output], {self._input: batch, **besides}, _PLACE)[0]

    def _load(self, data: bytes) -> Any:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self._threads, 1
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.log_severity_level = 3
        folder = "session.model_external_initializers_file_folder_path"
        options.add_session_config_entry(folder, str(self._folder))
        try:
            return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # as above
            raise WeightsError(f"the parted graph cannot be run: {error}") from None


def _operators(model: bytes) -> set[str]:
    """Kinds of the graph's nodes."""
    return {_text(node, 4) for node in _nodes(model)}


def _pools(model: bytes) -> list[str]:
    """Names of what the pooling nodes make."""
    return [_text(node, 2) for node in _nodes(model) if _text(node, 4) in _POOLS]


def _nodes(model: bytes) -> list[bytes]:
    return [value for number, value, _ in _fields(_graph(model)) if number == _NODE]


def _graph(model: bytes) -> bytes:
    return next(value for number, value, _ in _fields(model) if number == _GRAPH)


def _with_outputs(model: bytes, names: list[str]) -> bytes:
    """The model with more outputs."""
    return _with_graph(model, _graph(model) + b"".join(_named(_OUTPUT, name) for name in names))


def _without_nodes(model: bytes, made: set[str]) -> bytes:
    """The model without the nodes that make some values, which become inputs."""
    kept = b"".join(
        raw for number, value, raw in _fields(_graph(model)) if number != _NODE or _text(value, 2) not in made
    )
    return _with_graph(model, kept + b"".join(_named(_INPUT, name) for name in sorted(made)))


def _with_graph(model: bytes, graph: bytes) -> bytes:
    return b"".join(_field(_GRAPH, graph) if number == _GRAPH else raw for number, _, raw in _fields(model))


def _named(field: int, name: str) -> bytes:
    """An input or output: ValueInfoProto with a name and the type of a float tensor."""
    return _field(field, _field(1, name.encode()) + _FLOAT)


def _text(message: bytes, field: int) -> str:
    """The first string of a field ("" without one)."""
    return next((value.decode() for number, value, _ in _fields(message) if number == field), "")


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """A message's fields: number, contents, and the bytes with their key."""
    at = 0
    while at < len(message):
        start = at
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 2:
            length, at = _varint(message, at)
        elif kind == 0:
            length = _varint(message, at)[1] - at
        else:
            length = {1: 8, 5: 4}[kind]
        yield key >> 3, message[at : at + length], message[start : at + length]
        at += length


def _field(number: int, contents: bytes) -> bytes:
    return _to_varint(number << 3 | 2) + _to_varint(len(contents)) + contents


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _to_varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))
