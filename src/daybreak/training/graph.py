"""An exported graph: written by torch, stripped of what nobody needs, and compared with torch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from daybreak.engines import OnnxEngine
from daybreak.errors import TrainingError

TOLERANCE = 1e-4
"""Largest difference between ONNX Runtime and torch, in any value of [0, 1]."""

SIZES = ((64, 96), (97, 61), (400, 600))
"""H×W that the two are compared on, each brought up to the network's multiple."""


def write_onnx(graph: nn.Module, path: Path) -> None:
    """Export a module that takes and gives B×3×H×W, all but the channels dynamic.

    What the exporter notes about the source code is taken out: it names files of the machine it ran on and
    is most of a small file.
    """
    import onnx

    free = torch.export.Dim.DYNAMIC
    with _quiet():
        program = torch.onnx.export(
            graph,
            (torch.rand(2, 3, 64, 96),),
            dynamo=True,
            input_names=["low"],
            output_names=["enhanced"],
            dynamic_shapes=({0: free, 2: free, 3: free},),
            verbose=False,
        )
    assert program is not None  # None only without dynamo
    model = program.model_proto
    del model.graph.value_info[:]
    for part in (model, model.graph, *model.graph.node, *model.graph.initializer):
        del part.metadata_props[:]
        part.ClearField("doc_string")
    for value in (*model.graph.input, *model.graph.output):
        del value.metadata_props[:]
        for place, name in ((0, "batch"), (2, "height"), (3, "width")):
            value.type.tensor_type.shape.dim[place].dim_param = name
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns about operators of torchvision, which nothing here uses."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


@torch.no_grad()
def check_parity(graph: nn.Module, path: Path, multiple: int = 1) -> float:
    """Compare ONNX Runtime with torch on dark noise of three sizes; gives the largest difference.

    Raises:
        TrainingError: it is above `TOLERANCE`.
    """
    engine, largest = OnnxEngine(path), 0.0
    for number, (height, width) in enumerate(SIZES):
        size = (1, 3, -(-height // multiple) * multiple, -(-width // multiple) * multiple)
        low = torch.from_numpy(np.random.default_rng(number).random(size, np.float32)) ** 3
        difference = np.abs(graph(low).numpy() - engine.run(low.numpy())).max()
        if not difference <= TOLERANCE:
            raise TrainingError(
                f"the exported graph differs from torch by {difference:.2g} at {height}×{width} pixels",
                f"at most {TOLERANCE:g}",
            )
        largest = max(largest, float(difference))
    return largest


@torch.no_grad()
def macs_per_pixel(graph: nn.Module, side: int = 512) -> int:
    """Multiply-adds of all convolutions per output pixel of a picture of `side`², borders included."""
    total = 0.0

    def add(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        assert isinstance(module, nn.Conv2d)
        total += output.shape[2] * output.shape[3] * module.weight.numel()

    hooks = [m.register_forward_hook(add) for m in graph.modules() if isinstance(m, nn.Conv2d)]
    output: Tensor = graph(torch.rand(1, 3, side, side))
    for hook in hooks:
        hook.remove()
    return round(total / output[0, 0].numel())
