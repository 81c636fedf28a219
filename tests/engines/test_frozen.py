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
from daybreak.methods.pretrained import freeze_weight, run_graph, run_weight
from daybreak.methods.weight_settings import settings_for
from daybreak.weights import find_weight

onnx = pytest.importorskip("onnx", reason="graphs are made with the onnx package, extra [train]")
CARD = SimpleNamespace(multiple=1, halo=3, macs_per_pixel=1)


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
    if other == "rows, used twice":
        nodes[1:2] = [
            helper.make_node("ReduceMean", ["features", "last"], ["rows"]),
            helper.make_node("ReduceMean", ["rows", "rows axis"], ["pooled of rows"]),
            helper.make_node("Add", ["rows", "pooled of rows"], ["pooled"]),
        ]
        initial += [onnx.numpy_helper.from_array(np.array([axis]), name)
                    for axis, name in ((3, "last"), (2, "rows axis"))]  # fmt: skip
    elif other == "Softmax":
        nodes[0].output[0] = "raw"
        nodes.insert(1, helper.make_node("Softmax", ["raw"], ["features"], axis=3))
    elif other == "all channels":
        nodes[1] = helper.make_node("ReduceMean", ["features"], ["pooled"])
    elif other:
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


def in_parts(path, pixels, side, card=CARD, settings=None):
    """A picture made of windows of that side; at least one of them is not all of it."""
    run = freeze_weight(FrozenGraph(path, 1), card, Floats(pixels), side, settings)
    halo = -(-card.halo // card.multiple) * card.multiple
    scale = getattr(settings, "upscale", 1)
    out = np.empty((len(pixels) * scale, pixels.shape[1] * scale, 3), np.float32)
    for top, bottom in spans(len(pixels), side, card.multiple):
        for left, right in spans(pixels.shape[1], side, card.multiple):
            above, before = max(0, top - halo), max(0, left - halo)
            window = np.ascontiguousarray(pixels[above : bottom + halo, before : right + halo])
            made = run(window, above, before)
            rows, columns = (
                slice(scale * (begin - around), scale * (end - around))
                for begin, end, around in ((top, bottom, above), (left, right, before))
            )
            out[scale * top : scale * bottom, scale * left : scale * right] = made[rows, columns]
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


@pytest.mark.parametrize(
    ("name", "size", "side", "upscale"),
    [
        ("neid.lol", (33, 601), 64, 1),
        ("neid.lol", (33, 601), 64, 2),
        ("msdrs-cyclegan.lol", (29, 203), 64, 1),
        ("msdrs-cyclegan.lol", (150, 20), 32, 1),
        ("ema-aspp-cyclegan.lol", (12, 420), 128, 1),
    ],
)
def test_shipped_weights_in_parts_equal_themselves_in_one_piece(name, size, side, upscale):
    """Attention, instance norms, means of rows and columns; sides that are no multiples of the graph's."""
    weight = find_weight(name)
    card = weight.card
    settings = settings_for(card)(**({"upscale": upscale} if card.upscales else {}))
    pixels = np.random.default_rng(2).random((*size, 3), np.float32) ** 3
    pixels[:, size[1] // 2 :] *= 0.2
    engine = OnnxEngine(weight.verified_onnx())
    whole = run_weight(engine, card, pixels, settings)
    np.testing.assert_allclose(in_parts(weight.onnx, pixels, side, card, settings), whole, atol=5e-5)
    some = np.s_[: size[0] // 2] if size[0] > size[1] else np.s_[:, : size[1] // 2 // 32 * 32]
    alone = run_weight(engine, card, np.ascontiguousarray(pixels[some]), settings)
    assert np.abs(alone - whole[tuple(slice(side) for side in alone.shape)]).max() > 1e-3


def test_numbers_that_hang_on_others_take_a_pass_each():
    assert [len(FrozenGraph(find_weight(name).onnx, 1).levels) for name in GLOBAL] == [1, 31, 43]


def test_too_many_passes_over_too_large_a_picture_are_not_begun(monkeypatch):
    weight = find_weight("msdrs-cyclegan.lol")
    frozen, pixels = FrozenGraph(weight.onnx, 1), np.zeros((40, 40, 3), np.float32)
    asked = 40 * 40 * (len(frozen.levels) / 2 + 1) * weight.card.macs_per_pixel
    monkeypatch.setattr(pretrained, "MOST_ASKED", asked)
    assert freeze_weight(frozen, weight.card, Floats(pixels), 64) is not None
    assert freeze_weight(frozen, weight.card, Floats(pixels), 8) is None, "windows count, not tiles"
    monkeypatch.setattr(pretrained, "MOST_ASKED", asked - 1)
    assert freeze_weight(frozen, weight.card, Floats(pixels), 64) is None


def test_means_of_rows_that_are_averaged_too_are_both_asked(tmp_path):
    path = graph(tmp_path / "some.onnx", other="rows, used twice")
    pixels = np.random.default_rng(1).random((40, 50, 3), np.float32)
    pixels[:, 25:] *= 0.1
    whole = run_graph(OnnxEngine(path), pixels)
    np.testing.assert_allclose(in_parts(path, pixels, 16), whole, atol=1e-6)


@pytest.mark.parametrize("node", ["InstanceNormalization", "ReduceL2", "MatMul", "Softmax", "all channels"])
def test_what_cannot_be_followed_is_not_parted(node, tmp_path):
    frozen = FrozenGraph(graph(tmp_path / "some.onnx", other=node), 1)
    assert freeze_weight(frozen, CARD, Floats(np.zeros((8, 8, 3), np.float32)), 8) is None
