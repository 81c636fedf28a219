"""A small weight with all that a graph can have: a control, a switch, parameters in a file beside it."""

from __future__ import annotations

import datetime
import json
import struct

import numpy as np
import pytest

from daybreak.weights import Control, Weight, WeightCard
from daybreak.weights.store import sha256

GAIN, DEFAULT = 3.0, 2.0


@pytest.fixture(scope="session")
def weight(tmp_path_factory) -> Weight:
    """clip(gain · (low + mean of guide + alpha / 10)), twice as large with `upscale`.

    Left out, alpha is 2 and the guide, 2×2 pixels, is black.
    """
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    folder = tmp_path_factory.mktemp("weight")
    safetensors, path = folder / "toy.test.safetensors", folder / "toy.test.onnx"
    header = json.dumps({"gain": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    safetensors.write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<f", GAIN))
    gain = TensorProto(name="gain", data_type=TensorProto.FLOAT, dims=[1])
    gain.data_location = TensorProto.EXTERNAL
    for key, value in (
        ("location", safetensors.name),
        ("offset", str(8 + len(header))),
        ("length", "4"),
    ):
        gain.external_data.add(key=key, value=value)
    picture = ["batch", 3, "height", "width"]

    def branch(name, node, *held):
        out = helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, ["batch", 3, "h", "w"])
        return helper.make_graph([node], name, [], [out], list(held))

    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
    larger = branch("larger", helper.make_node("Resize", ["lifted", "", "scales"], ["large"], mode="nearest"))
    larger.initializer.append(scales)
    nodes = [
        helper.make_node("Mul", ["alpha", "tenth"], ["some"]),
        helper.make_node("Reshape", ["some", "column"], ["more"]),
        helper.make_node("ReduceMean", ["guide", "axes"], ["glow"]),
        helper.make_node("Add", ["low", "glow"], ["glowing"]),
        helper.make_node("Add", ["glowing", "more"], ["sum"]),
        helper.make_node("Mul", ["sum", "gain"], ["lifted"]),
        helper.make_node(
            "If",
            ["upscale"],
            ["sized"],
            then_branch=larger,
            else_branch=branch("same", helper.make_node("Identity", ["lifted"], ["small"])),
        ),
        helper.make_node("Clip", ["sized", "zero", "one"], ["enhanced"]),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [
            helper.make_tensor_value_info("low", TensorProto.FLOAT, picture),
            helper.make_tensor_value_info("alpha", TensorProto.FLOAT, ["batch"]),
            helper.make_tensor_value_info("upscale", TensorProto.BOOL, [1]),
            helper.make_tensor_value_info("guide", TensorProto.FLOAT, ["batch", 3, 2, 2]),
        ],
        [helper.make_tensor_value_info("enhanced", TensorProto.FLOAT, ["batch", 3, "h", "w"])],
        [
            gain,
            numpy_helper.from_array(np.array([DEFAULT], np.float32), "alpha"),
            numpy_helper.from_array(np.array([False]), "upscale"),
            numpy_helper.from_array(np.zeros((1, 3, 2, 2), np.float32), "guide"),
            numpy_helper.from_array(np.array([1, 2, 3]), "axes"),
            numpy_helper.from_array(np.array([0.1], np.float32), "tenth"),
            numpy_helper.from_array(np.array([-1, 1, 1, 1]), "column"),
            numpy_helper.from_array(np.float32(0), "zero"),
            numpy_helper.from_array(np.float32(1), "one"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(path))
    card = WeightCard(
        network="toy",
        tag="test",
        summary="a test",
        paper="none",
        date=datetime.date(2026, 11, 20),
        parameters=1,
        macs_per_pixel=1,
        context="local",
        halo=0,
        preprocessing="none",
        shared=True,
        upscales=True,
        control=Control(name="alpha", least=0.5, most=2.0, intercept=1.0, slope=0.0),
        onnx_sha256=sha256(path),
        safetensors_sha256=sha256(safetensors),
        settings={},
        recipe="none",
        recipe_sha256="0" * 64,
        steps=0,
        training_data="none",
        training_terms="none",
        licence="Apache-2.0",
    )
    return Weight(card, path, safetensors)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """No test reads or writes what this machine remembers."""
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path / "cache"))
