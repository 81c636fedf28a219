"""The exported graph of a network: writing it as ONNX, and proving that ONNX Runtime and torch agree on it.

A graph takes `low`, B×3×H×W, and, where the network has them, inputs that may be left out: its control (one
number per picture; 0, the default, lets the graph estimate it), its extras, and `upscale` (a bool; true
leaves out the halving the network begins with, so that twice the input's size comes out).
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from daybreak.engines import OnnxEngine
from daybreak.errors import TrainingError
from daybreak.layers.halve import Halve
from daybreak.networks.base import Control, Extra, Network
from daybreak.types import Array

if TYPE_CHECKING:
    import onnx

TOLERANCE = {"fp32": 1e-4, "fp16": 2e-3}
"""Largest difference between ONNX Runtime and torch in any value of [0, 1], by how parameters are kept."""

SIZES = ((64, 96), (97, 61), (400, 600))
"""H×W on which ONNX Runtime and torch are compared before a weight is exported."""

UPSCALE = "upscale"

_TRIED = {"guide": 0.1, "wanted": -3.0, "strength": 0.7}
"""What the extras are given when a graph is compared with torch."""


class _Controlled(nn.Module):
    """A graph whose control is estimated where it is given as 0."""

    def __init__(self, graph: nn.Module, control: Control) -> None:
        super().__init__()
        self.inner, self.control = graph, control

    def forward(self, low: Tensor, value: Tensor) -> Tensor:
        """B×3×H×W and B values."""
        given = torch.where(value > 0, value, self.control.estimate(low))
        result: Tensor = self.inner(low, given)
        return result


def make_onnx(network: Network) -> onnx.ModelProto:
    """The exported part of a network as one ONNX model, all but the channels dynamic.

    What the exporter notes about the source code is taken out: it names files of the machine it ran on and is
    most of a small file.
    """
    import onnx

    larger = network.enlarging()
    if larger is None:
        model = _exported(network.inference().eval(), network.control, network.extras)
    else:
        model = _with_switch(_exported(larger.eval(), network.control), _exported(Halve(), None))
    onnx.checker.check_model(model)
    return model


def _exported(graph: nn.Module, control: Control | None, extras: tuple[Extra, ...] = ()) -> onnx.ModelProto:
    free = torch.export.Dim.DYNAMIC
    inputs: tuple[Tensor, ...] = (torch.rand(2, 3, 64, 96),)
    shapes: tuple[dict[int, Any], ...] = ({0: free, 2: free, 3: free},)
    if control is not None:
        graph = _Controlled(graph, control)
        inputs, shapes = (*inputs, torch.ones(2)), (*shapes, {0: free})
    inputs += tuple(torch.full((2, *extra.shape), extra.default) for extra in extras)
    shapes += tuple({0: free} for _ in extras)
    with _quiet():
        program = torch.onnx.export(
            graph,
            inputs,
            dynamo=True,
            input_names=["low", *([control.name] if control else []), *(extra.name for extra in extras)],
            output_names=["enhanced"],
            dynamic_shapes=shapes,
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
        whole = value.name in ("low", "enhanced")
        names = ((0, "batch"), (2, "height"), (3, "width")) if whole else ((0, f"batch of {value.name}"),)
        for place, name in names:  # the default of what may be left out has one element for all of a batch
            value.type.tensor_type.shape.dim[place].dim_param = name
    if control is not None:
        _default(model, control.name, np.zeros(1, np.float32))
    for extra in extras:
        _default(model, extra.name, np.full((1, *extra.shape), extra.default, np.float32))
    return model


def _default(model: onnx.ModelProto, name: str, value: Array) -> None:
    """Give an input a default: an initializer of its name, one element that stands for all of a batch."""
    from onnx import numpy_helper

    model.graph.initializer.append(numpy_helper.from_array(value, name))


def _with_switch(model: onnx.ModelProto, halving: onnx.ModelProto) -> onnx.ModelProto:
    """Put the halving in front of a graph, behind the input `upscale` that leaves it out."""
    from onnx import TensorProto, helper

    for node in halving.graph.node:  # names of their own, beside those of the graph
        for names in (node.input, node.output):
            names[:] = [name if name in ("low", "") else f"halve/{name}" for name in names]
    for held in halving.graph.initializer:
        held.name = f"halve/{held.name}"
    shape: list[str | int | None] = ["batch", 3, "small height", "small width"]
    smaller = helper.make_tensor_value_info("halve/enhanced", TensorProto.FLOAT, shape)
    itself = helper.make_tensor_value_info("same", TensorProto.FLOAT, shape)
    halve = helper.make_graph(halving.graph.node, "halve", [], [smaller], halving.graph.initializer)
    keep = helper.make_graph([helper.make_node("Identity", ["low"], ["same"])], "keep", [], [itself])
    switch = helper.make_node("If", [UPSCALE], ["small"], then_branch=keep, else_branch=halve)
    for node in model.graph.node:
        node.input[:] = ["small" if name == "low" else name for name in node.input]
    model.graph.node.insert(0, switch)
    model.graph.input.append(helper.make_tensor_value_info(UPSCALE, TensorProto.BOOL, [1]))
    for place, name in ((2, "height out"), (3, "width out")):
        model.graph.output[0].type.tensor_type.shape.dim[place].dim_param = name
    _default(model, UPSCALE, np.zeros(1, np.bool_))
    return model


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
def check_parity(
    network: Network,
    path: Path,
    tolerance: float = TOLERANCE["fp32"],
    sizes: Sequence[tuple[int, int]] = SIZES,
) -> float:
    """Compare ONNX Runtime with torch on dark noise; gives the largest difference.

    Args:
        network: in evaluation mode.
        path: the graph.
        tolerance: see `TOLERANCE`.
        sizes: H×W of each, brought up to the network's multiple.

    Raises:
        TrainingError: it is above the tolerance.
    """
    engine, largest = OnnxEngine(path), 0.0
    graph, larger, control = network.inference(), network.enlarging(), network.control
    for number, (height, width) in enumerate(sizes):
        many = network.multiple
        size = (1, 3, -(-height // many) * many, -(-width // many) * many)
        low = torch.from_numpy(np.random.default_rng(number).random(size, np.float32)) ** 3
        pairs = [(graph(low), engine.run(low.numpy()))]
        if larger is not None:
            small = low[..., : size[2] // 2, : size[3] // 2].contiguous()
            pairs.append((larger(small), engine.run(small.numpy(), {UPSCALE: np.array([True])})))
        if control is not None:
            value = np.array([control.most], np.float32)
            pairs.append(
                (graph(low, torch.from_numpy(value)), engine.run(low.numpy(), {control.name: value}))
            )
        if network.extras:
            given = {e.name: np.full((1, *e.shape), _TRIED[e.name], np.float32) for e in network.extras}
            pairs.append((graph(low, *map(torch.from_numpy, given.values())), engine.run(low.numpy(), given)))
        for ours, theirs in pairs:
            difference = np.abs(ours.numpy() - theirs).max()
            if not difference <= tolerance:
                raise TrainingError(
                    f"the exported graph differs from torch by {difference:.2g} at {height}×{width} pixels",
                    f"at most {tolerance:g}",
                )
            largest = max(largest, float(difference))
    return largest


@torch.no_grad()
def macs_per_pixel(graph: nn.Module, side: int = 512) -> int:
    """Multiply-adds of all convolutions and linear layers per output pixel of a picture of `side`².

    Borders are included, and whatever is applied without being a layer of its own.
    """
    shapes = copy.deepcopy(graph).to("meta").eval()  # where nothing is computed
    with FlopCounterMode(display=False) as counter:  # two operations a multiply-add
        output: Tensor = shapes(torch.empty(1, 3, side, side, device="meta"))
    operations: int = counter.get_total_flops()
    return round(operations / 2 / output[0, 0].numel())
