"""Compiled graphs that are kept: a second start takes them, and no damage to them can show in a picture."""

from __future__ import annotations

import shutil
import struct

import numpy as np
import pytest

from daybreak.assets import cache_folder
from daybreak.engines import compiled
from daybreak.engines.openvino import OpenvinoEngine

ov = pytest.importorskip("openvino")

LOW = np.random.default_rng(0).random((1, 3, 12, 20), np.float32) * 0.3


@pytest.fixture
def graph(weight, tmp_path):
    """The toy's files, to be changed at will."""
    for file in (weight.onnx, weight.safetensors):
        shutil.copy(file, tmp_path)
    return tmp_path / weight.onnx.name


def lifted(gain=3.0, alpha=2.0):
    return np.clip(gain * (LOW + alpha / 10), 0, 1)


def kept():
    return sorted((cache_folder("engines") / "openvino").glob("*.blob"))


def close(one, other):
    return np.allclose(one, other, atol=1e-6)


def test_a_second_start_takes_what_the_first_compiled(graph):
    config = OpenvinoEngine(graph)._config
    (blob,) = kept()
    written = blob.stat().st_ino
    assert close(OpenvinoEngine(graph).run(LOW), lifted())
    assert [blob] == kept()
    assert blob.stat().st_ino == written
    compiled.compile_kept(ov.Core(), graph, (), config, lambda: pytest.fail("the file was read again"))


@pytest.mark.parametrize("harm", ["truncated", "changed", "empty", "another graph, whole"])
def test_a_kept_graph_that_is_not_what_was_written_is_compiled_again(graph, harm):
    OpenvinoEngine(graph)
    (blob,) = kept()
    whole = blob.read_bytes()
    damaged = {
        "truncated": whole[: len(whole) // 2],
        "changed": whole[:-40] + bytes(byte ^ 0x55 for byte in whole[-40:]),
        "empty": b"",
        "another graph, whole": compiled.hashlib.sha256(b"no graph").digest() + b"no graph",
    }
    blob.write_bytes(damaged[harm])
    assert close(OpenvinoEngine(graph).run(LOW), lifted())
    assert kept() == [blob]
    assert len(compiled._checked(blob) or b"") > 100


def test_other_parameters_beside_the_same_graph_are_another_graph(graph):
    assert close(OpenvinoEngine(graph).run(LOW), lifted())
    safetensors = graph.with_suffix(".safetensors")
    safetensors.write_bytes(safetensors.read_bytes()[:-4] + struct.pack("<f", 2.0))
    assert close(OpenvinoEngine(graph).run(LOW), lifted(gain=2.0))
    assert len(kept()) == 2


def test_each_combination_of_inputs_and_each_precision_is_kept_apart(graph):
    for precision in ("fp32", "bf16"):
        engine = OpenvinoEngine(graph, precision=precision)
        engine.run(LOW, {"alpha": np.array([1.0], np.float32)})
        engine.run(LOW, {"upscale": np.array([True])})
        engine.run(LOW, {"upscale": np.array([False])})
    assert len(kept()) == 8
    again = OpenvinoEngine(graph)
    assert close(again.run(LOW, {"alpha": np.array([1.0], np.float32)}), lifted(alpha=1.0))
    assert again.run(LOW, {"upscale": np.array([True])}).shape == (1, 3, 24, 40)
    assert len(kept()) == 8


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(graph, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path / "file"))
    assert close(OpenvinoEngine(graph).run(LOW), lifted())


def test_no_more_is_kept_than_is_allowed(graph, monkeypatch):
    monkeypatch.setattr(compiled, "KEPT", 2)
    for threads in (1, 2, 3):
        OpenvinoEngine(graph, threads, "bf16")
        OpenvinoEngine(graph, threads, "fp32")
    assert len(kept()) == 2
    monkeypatch.setattr(compiled, "MOST", 10)
    shutil.rmtree(cache_folder("engines"))
    assert close(OpenvinoEngine(graph).run(LOW), lifted())
    assert not kept()
