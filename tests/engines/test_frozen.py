"""Graphs that look at the whole picture: tiles that are given what it told equal the whole."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from daybreak.engines import OnnxEngine
from daybreak.engines.frozen import FrozenGraph
from daybreak.image.rows import Floats
from daybreak.image.tiles import spans
from daybreak.methods import pretrained
from daybreak.methods.pretrained import freeze_weight, run_graph
from daybreak.weights import find_weight

onnx = pytest.importorskip("onnx", reason="graphs are made with the onnx package, extra [train]")
CARD = SimpleNamespace(multiple=1, halo=3)


def graph(path, *, pool: str = "ReduceMean", other: str | None = None):
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
    if other:
        nodes[0].output[0] = "raw"
        more = {"InstanceNormalization": ["scale", "shift"], "ReduceL2": ["axes"], "MatMul": ["square"]}[
            other
        ]
        nodes.insert(
            1, helper.make_node(other, ["raw", *more], ["norm" if other == "ReduceL2" else "features"])
        )
        if other == "ReduceL2":
            nodes.insert(2, helper.make_node("Div", ["raw", "norm"], ["features"]))
        initial += [onnx.numpy_helper.from_array(np.ones(6, np.float32), name) for name in ("scale", "shift")]
        initial.append(onnx.numpy_helper.from_array(np.eye(8, dtype=np.float32), "square"))
    ends = [helper.make_tensor_value_info(n, 1, [1, 3, None, None]) for n in ("low", "enhanced")]
    made = helper.make_graph(nodes, "some", ends[:1], ends[1:], initial)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def in_parts(path, pixels, side, card=CARD):
    """A picture made of windows of that side."""
    run = freeze_weight(FrozenGraph(path, 1), card, Floats(pixels), side)
    halo = -(-card.halo // card.multiple) * card.multiple
    out = np.empty_like(pixels)
    for top, bottom in spans(len(pixels), side, card.multiple):
        for left, right in spans(pixels.shape[1], side, card.multiple):
            above, before = max(0, top - halo), max(0, left - halo)
            window = np.ascontiguousarray(pixels[above : bottom + halo, before : right + halo])
            made = run(window, above, before)
            out[top:bottom, left:right] = made[top - above : bottom - above, left - before : right - before]
    return out


@pytest.mark.parametrize("side", [7, 32, 100])
@pytest.mark.parametrize("pool", ["ReduceMean", "ReduceMax", "ReduceMin", "GlobalAveragePool"])
def test_a_window_equals_the_same_part_of_the_whole(pool, side, tmp_path):
    path = graph(tmp_path / "some.onnx", pool=pool)
    pixels = np.random.default_rng(1).random((60, 80, 3), np.float32)
    pixels[:, 40:] *= 0.1  # the two halves are unlike, so a window alone would weigh otherwise
    whole = run_graph(OnnxEngine(path), pixels)
    np.testing.assert_allclose(in_parts(path, pixels, side), whole, atol=1e-6)
    alone = run_graph(OnnxEngine(path), np.ascontiguousarray(pixels[:, 37:]))[:, 3:]
    assert np.abs(alone - whole[:, 40:]).max() > 1e-3, "the attention does nothing"


GLOBAL = ["neid.lol", "msdrs-cyclegan.lol", "ema-aspp-cyclegan.lol"]


@pytest.mark.parametrize("name", GLOBAL)
def test_shipped_weights_in_parts_equal_themselves_in_one_piece(name):
    """Attention, instance norms, means of rows and columns; sides that are no multiples of the graph's."""
    weight = find_weight(name)
    pixels = np.random.default_rng(2).random((43, 107, 3), np.float32) ** 3
    pixels[:, 50:] *= 0.2
    whole = run_graph(OnnxEngine(weight.verified_onnx()), pixels, weight.card.multiple)
    np.testing.assert_allclose(in_parts(weight.onnx, pixels, 64, weight.card), whole, atol=5e-5)


def test_numbers_that_hang_on_others_take_a_pass_each():
    assert [len(FrozenGraph(find_weight(name).onnx, 1).levels) for name in GLOBAL] == [1, 30, 42]


def test_too_many_passes_over_too_large_a_picture_are_not_begun(monkeypatch):
    weight = find_weight("msdrs-cyclegan.lol")
    frozen, pixels = FrozenGraph(weight.onnx, 1), np.zeros((40, 40, 3), np.float32)
    monkeypatch.setattr(pretrained, "MOST_ASKED", 40 * 40 * 30 - 1)
    assert freeze_weight(frozen, weight.card, Floats(pixels), 64) is None


@pytest.mark.parametrize("node", ["InstanceNormalization", "ReduceL2", "MatMul"])
def test_what_cannot_be_followed_is_not_parted(node, tmp_path):
    frozen = FrozenGraph(graph(tmp_path / "some.onnx", other=node), 1)
    assert freeze_weight(frozen, CARD, Floats(np.zeros((8, 8, 3), np.float32)), 8) is None
