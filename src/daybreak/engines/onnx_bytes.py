"""An ONNX graph cut and extended as bytes, since the onnx package is none of what running needs.

ONNX is a protocol buffer (onnx.proto3): ModelProto.graph = 7; GraphProto.node = 1, input = 11, output = 12;
NodeProto.input = 1, output = 2, op_type = 4, attribute = 5; AttributeProto.g = 6; ValueInfoProto.name = 1,
type = 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_GRAPH, _NODE, _INPUT, _OUTPUT = 7, 1, 11, 12
_FLOAT = b"\x12\x04\x0a\x02\x08\x01"  # ValueInfoProto.type: a float tensor of whatever shape


class Node:
    """A node's bytes and kind, what it makes, and what it reads and does, in its branches too."""

    def __init__(self, message: bytes) -> None:
        self.raw, self.kind = _field(_NODE, message), _text(message, 4)
        self.makes = [value.decode() for number, value, _ in _fields(message) if number == 2]
        first, *inner = _branches(message)
        read = [field for node in (first, *inner) for field in _fields(node)]
        self.reads = [value.decode() for number, value, _ in read if number == 1]
        self.inner = {_text(node, 4) for node in inner}


def _branches(node: bytes) -> Iterator[bytes]:
    """A node, and those of the graphs in it."""
    yield node
    for value in (value for number, value, _ in _fields(node) if number == 5):
        for graph in (inner for number, inner, _ in _fields(value) if number == 6):
            for inner in (inner for number, inner, _ in _fields(graph) if number == _NODE):
                yield from _branches(inner)


def _graph(model: bytes) -> bytes:
    return next(value for number, value, _ in _fields(model) if number == _GRAPH)


def nodes_of(model: bytes) -> list[Node]:
    """The nodes of a model's graph, in their order."""
    return [Node(value) for number, value, _ in _fields(_graph(model)) if number == _NODE]


def input_names(model: bytes) -> list[str]:
    """Names of a model's inputs, those with a default too."""
    return [_text(value, 1) for number, value, _ in _fields(_graph(model)) if number == _INPUT]


def with_outputs(model: bytes, names: Iterable[str]) -> bytes:
    """A model with more outputs, float tensors."""
    return _with_graph(model, _graph(model) + b"".join(_named(_OUTPUT, name) for name in names))


def cut_model(model: bytes, nodes: Iterable[Node], inputs: Iterable[str], outputs: Iterable[str]) -> bytes:
    """A model with some of its nodes alone.

    Args:
        model: all of it.
        nodes: that are kept, in their order.
        inputs: that it gets beside its own, names of float tensors.
        outputs: in place of its own, likewise.
    """
    rest = [raw for number, _, raw in _fields(_graph(model)) if number not in (_NODE, _OUTPUT)]
    more = [_named(_INPUT, name) for name in inputs] + [_named(_OUTPUT, name) for name in outputs]
    return _with_graph(model, b"".join([*(node.raw for node in nodes), *rest, *more]))


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
