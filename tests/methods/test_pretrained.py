"""A shipped weight behind the contract of a method."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest

from daybreak.engines import OnnxEngine
from daybreak.methods import every_method
from daybreak.methods.pretrained import run_graph

PRETRAINED = [method for method in every_method() if method.card.kind == "pretrained"]
EVERY = pytest.mark.parametrize("method", PRETRAINED, ids=lambda m: m.card.name)


def test_there_is_one():
    assert "cascade" in [method.card.name for method in PRETRAINED]


@EVERY
@pytest.mark.parametrize("threads", [1, 2])
def test_tiles_equal_the_whole(method, threads, monkeypatch):
    from daybreak.weights import find_weight, list_weights

    name = next(n for n in list_weights() if find_weight(n).card.onnx_sha256 == method.card.weights_sha256)
    pixels = np.random.default_rng(1).random((530, 700, 3), np.float32) ** 2
    whole = run_graph(OnnxEngine(find_weight(name).onnx), pixels)
    monkeypatch.setattr(cv2, "getNumThreads", lambda: threads)
    np.testing.assert_allclose(method.enhance(pixels), whole, atol=1e-6)


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
