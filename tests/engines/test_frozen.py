"""A graph with a pooled attention: tiles that are given what the whole picture told equal the whole."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from daybreak.engines import OnnxEngine
from daybreak.engines.frozen import FrozenGraph
from daybreak.methods.pretrained import freeze_weight, run_graph
from daybreak.weights import find_weight

onnx = pytest.importorskip("onnx", reason="graphs are made with the onnx package, extra [train]")
CARD = SimpleNamespace(multiple=1)


def graph(path, *, pool: str = "ReduceMean", norm: bool = False):
    """A convolution of 5×5, its channels weighed by a pooled attention, and another of 3×3."""
    helper, rng = onnx.helper, np.random.default_rng(0)

    def kernel(name: str, *shape: int):
        values = rng.normal(0, 0.2, shape).astype(np.float32)
        return onnx.numpy_helper.from_array(values, name)

    axes = onnx.numpy_helper.from_array(np.array([2, 3]), "axes")
    pooled = ["features", "axes"] if pool.startswith("Reduce") else ["features"]
    nodes = [
        helper.make_node("Conv", ["low", "first"], ["features"], pads=[2] * 4),
        helper.make_node(pool, pooled, ["pooled"]),
        helper.make_node("Sigmoid", ["pooled"], ["share"]),
        helper.make_node("Mul", ["features", "share"], ["weighed"]),
        helper.make_node("Conv", ["weighed", "second"], ["picture"], pads=[1] * 4),
        helper.make_node("ReduceMean", ["picture", "channel"], ["gray"]),  # one number a place: stays
        helper.make_node("Sub", ["picture", "gray"], ["colour"]),
        helper.make_node("Sigmoid", ["colour"], ["enhanced"]),
    ]
    initial = [kernel("first", 6, 3, 5, 5), kernel("second", 3, 6, 3, 3), axes,
               onnx.numpy_helper.from_array(np.array([1]), "channel")]  # fmt: skip
    if norm:
        nodes[0].output[0] = "raw"
        ones = [onnx.numpy_helper.from_array(np.ones(6, np.float32), name) for name in ("scale", "shift")]
        nodes.insert(1, helper.make_node("InstanceNormalization", ["raw", "scale", "shift"], ["features"]))
        initial += ones
    ends = [helper.make_tensor_value_info(n, 1, [1, 3, None, None]) for n in ("low", "enhanced")]
    made = helper.make_graph(nodes, "some", ends[:1], ends[1:], initial)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("pool", ["ReduceMean", "ReduceMax", "GlobalAveragePool"])
def test_a_window_equals_the_same_part_of_the_whole(pool, tmp_path):
    path = graph(tmp_path / "some.onnx", pool=pool)
    pixels = np.random.default_rng(1).random((60, 80, 3), np.float32)
    pixels[:, 40:] *= 0.1  # the two halves are unlike, so a window alone would weigh otherwise
    whole = run_graph(OnnxEngine(path), pixels)
    run = freeze_weight(FrozenGraph(path, 1), CARD, pixels)
    halo = 3
    np.testing.assert_allclose(run(pixels[:, 40 - halo :])[:, halo:], whole[:, 40:], atol=1e-6)
    alone = run_graph(OnnxEngine(path), np.ascontiguousarray(pixels[:, 40 - halo :]))[:, halo:]
    assert np.abs(alone - whole[:, 40:]).max() > 1e-3, "the attention does nothing"


def test_a_reduced_copy_tells_nearly_the_same(tmp_path):
    path = graph(tmp_path / "some.onnx")
    coarse = np.random.default_rng(1).random((10, 12, 3), np.float32)
    pixels = np.repeat(np.repeat(coarse, 12, axis=0), 12, axis=1)
    whole = run_graph(OnnxEngine(path), pixels)
    run = freeze_weight(FrozenGraph(path, 1), CARD, np.ascontiguousarray(pixels[1::3, 1::3]))
    assert np.abs(run(pixels) - whole).max() < 0.01


@pytest.mark.parametrize("name", ["ema-aspp-cyclegan.lol", "msdrs-cyclegan.lol"])
def test_the_instance_norms_of_shipped_weights_are_seen(name):
    assert not FrozenGraph(find_weight(name).verified_onnx(), 1).parted


def test_norms_cannot_be_parted(tmp_path):
    frozen = FrozenGraph(graph(tmp_path / "some.onnx", norm=True), 1)
    assert freeze_weight(frozen, CARD, np.zeros((8, 8, 3), np.float32)) is None
