"""A graph that keeps its parameters in the safetensors file beside it: they are shipped once, not twice.

A safetensors file is a length, a JSON header and plain tensors one after another; ONNX's external data is a
file name, an offset and a length. So the one can stand in for the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    import onnx

LEAST = 4096
"""Bytes from which a parameter is kept outside the graph."""


def share(model: onnx.ModelProto, parameters: Mapping[str, Tensor], file: Path) -> None:
    """Let a graph read its parameters from a safetensors file; the small ones stay inside.

    Args:
        model: changed in place; half precision in the file is brought to float32 by a Cast.
        parameters: as the graph holds them, float32, by their names in the file.
        file: the safetensors file; the graph names it without a folder, so the two stay side by side.
    """
    from onnx import TensorProto, helper

    places = _places(file)
    names = {_content(value.numpy()): name for name, value in parameters.items()}
    casts = []
    for held in model.graph.initializer:
        kept = names.get(_content(onnx_array(held)))
        if kept is None or len(held.raw_data) < LEAST:
            continue
        half = places[kept]["dtype"] == "F16"
        if half:
            stored = f"{held.name}/fp16"
            casts.append(helper.make_node("Cast", [stored], [held.name], to=TensorProto.FLOAT))
            held.name, held.data_type = stored, TensorProto.FLOAT16
        held.ClearField("raw_data")
        held.data_location = TensorProto.EXTERNAL
        first, last = places[kept]["data_offsets"]
        where = {"location": file.name, "offset": places["start"] + first, "length": last - first}
        for key, value in where.items():
            held.external_data.add(key=key, value=str(value))
    for node in reversed(casts):
        model.graph.node.insert(0, node)


def onnx_array(held: onnx.TensorProto) -> np.ndarray[Any, Any]:
    """The values of an initializer."""
    from onnx import numpy_helper

    return np.asarray(numpy_helper.to_array(held))


def _content(values: np.ndarray[Any, Any]) -> tuple[tuple[int, ...], bytes]:
    return values.shape, np.ascontiguousarray(values).tobytes()


def _places(file: Path) -> dict[str, Any]:
    """Where each tensor of a safetensors file lies, and under "start" where the first one does."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        header: dict[str, Any] = json.loads(opened.read(length))
    return {**header, "start": 8 + length}


def halved(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same parameters in half precision, what is not a float as it is."""
    return {
        name: value.half() if value.dtype == torch.float32 else value for name, value in parameters.items()
    }
