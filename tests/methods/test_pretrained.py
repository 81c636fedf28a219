"""A shipped weight behind the contract of a method."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from daybreak.engines import OnnxEngine
from daybreak.methods import every_method, get_method, registry
from daybreak.methods.pretrained import estimate, run_graph, run_weight
from daybreak.methods.registry import weight_methods
from daybreak.weights import find_weight, list_weights

PRETRAINED = [method for method in every_method() if method.card.kind == "pretrained"]
EVERY = pytest.mark.parametrize("method", PRETRAINED, ids=lambda m: m.card.name)


def test_there_is_one():
    assert "cascade" in [method.card.name for method in PRETRAINED]


def test_every_weight_that_ships_is_a_method_once():
    names = {get_method(name).card.weights_sha256: name for name in list_weights()}
    shipped = {find_weight(name).card.onnx_sha256: name for name in list_weights()}
    assert names == shipped, "a weight's full name does as well"
    assert sorted(method.card.weights_sha256 for method in PRETRAINED) == sorted(shipped)


def test_a_weight_is_named_by_its_network_or_in_full():
    assert weight_methods(["neid.lol", "neid.wild", "unet.mine"]) == {
        "neid": "neid.lol",
        "neid.wild": "neid.wild",
        "unet.mine": "unet.mine",
    }
    for network, weight in registry.PRETRAINED.items():
        assert weight.startswith(f"{network}.")


@pytest.mark.parametrize(
    "method", [m for m in PRETRAINED if m.card.context == "local"], ids=lambda m: m.card.name
)
@pytest.mark.parametrize("threads", [1, 2])
def test_tiles_equal_the_whole(method, threads, monkeypatch):
    weight = next(
        w for w in map(find_weight, list_weights()) if w.card.onnx_sha256 == method.card.weights_sha256
    )
    pixels = np.random.default_rng(1).random((530, 700, 3), np.float32) ** 2
    control = weight.card.control
    besides = {control.name: np.array([estimate(control, pixels)], np.float32)} if control else {}
    whole = run_graph(OnnxEngine(weight.onnx), pixels, weight.card.multiple, besides)
    monkeypatch.setattr(cv2, "getNumThreads", lambda: threads)
    np.testing.assert_allclose(method.enhance(pixels), whole, atol=1e-6)


class Cells:
    """Stands for the graph of a network that halves: each 16×16 cell becomes its largest value."""

    def run(self, batch, besides):
        _, channels, height, width = batch.shape
        cells = batch.reshape(1, channels, height // 16, 16, width // 16, 16).max((3, 5), keepdims=True)
        return np.broadcast_to(cells, (1, channels, height // 16, 16, width // 16, 16)).reshape(batch.shape)


@pytest.mark.parametrize("size", [(1030, 700), (517, 1600), (40, 513)])
def test_tiles_of_a_network_that_halves_keep_to_its_cells(size):
    card = SimpleNamespace(control=None, context="local", halo=20, multiple=16)
    pixels = np.random.default_rng(1).random((*size, 3), np.float32)
    whole = run_graph(Cells(), pixels, 16)
    np.testing.assert_array_equal(run_weight(Cells(), card, pixels), whole)


@EVERY
def test_a_second_picture_finds_the_graph_loaded(method, monkeypatch):
    pixels = np.full((20, 30, 3), 0.1, np.float32)
    method.enhance(pixels)
    monkeypatch.setattr("daybreak.methods.pretrained.OnnxEngine", None)
    method.enhance(pixels)


def test_running_needs_no_torch_and_importing_needs_no_onnxruntime():
    code = """
import sys, numpy as np, daybreak
assert not {"torch", "onnxruntime", "scipy"} & set(sys.modules), "at import"
from daybreak.methods import get_method
get_method("cascade").enhance(np.full((8, 8, 3), 0.1, np.float32))
assert "onnxruntime" in sys.modules
assert "torch" not in sys.modules, "at run"
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
