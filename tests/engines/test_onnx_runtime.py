"""ONNX Runtime behind the engine's interface."""

from __future__ import annotations

import os
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest

from daybreak.engines import OnnxEngine
from daybreak.engines.devices import REFERENCE
from daybreak.engines.onnx_runtime import providers
from daybreak.errors import EngineError, WeightsError
from daybreak.weights import find_weight, list_weights


@pytest.mark.parametrize("name", list_weights())
def test_shipped_graphs_take_any_size(name):
    weight = find_weight(name)
    engine = OnnxEngine(weight.onnx)
    for size in ((1, 1), (3, 3), (1, 50), (64, 33)):
        multiple, scale = weight.card.multiple, weight.card.scale
        height, width = (-(-n // multiple) * multiple for n in size)
        result = engine.run(np.full((2, 3, height, width), 0.1, np.float32))
        assert result.shape == (2, 3, height * scale, width * scale)
        assert result.dtype == np.float32


def test_the_runtime_keeps_no_id_and_reports_nothing(tmp_path):
    """It begins with the first module of it that is loaded, in a home that has none of its files yet."""
    run = "from daybreak.methods import get_method as get; import numpy; "
    run += "get('cascade').enhance(numpy.zeros((8, 8, 3), numpy.float32))"
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / ".cache")}
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", run], check=True, env=environment | home)
    assert not list(tmp_path.rglob("*onnxruntime*"))


def test_threads_do_not_change_the_result():
    path = find_weight("cascade.lol").onnx
    low = np.random.default_rng(0).random((1, 3, 70, 90), np.float32)
    np.testing.assert_allclose(OnnxEngine(path, 2).run(low), OnnxEngine(path).run(low), atol=1e-6)


@pytest.mark.parametrize("left", [None, ModuleType("onnxruntime")])
def test_an_onnx_runtime_that_is_broken_is_told_of(left, monkeypatch):
    """None makes the import fail; a module without anything is what a removed package leaves."""
    monkeypatch.setitem(sys.modules, "onnxruntime", left)
    for use in (providers, lambda: OnnxEngine(find_weight("cascade.lol").onnx)):
        with pytest.raises(EngineError, match=r"ONNX Runtime does not work: .* --force-reinstall"):
            use()
    assert isinstance(REFERENCE.missing(), EngineError)


def test_what_is_no_graph_is_refused(tmp_path):
    path = tmp_path / "x.onnx"
    path.write_bytes(b"no graph")
    with pytest.raises(WeightsError, match=r"x\.onnx cannot be run"):
        OnnxEngine(path)
