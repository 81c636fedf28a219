"""A shipped weight behind the contract of a method."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from daybreak.engines import Runtime
from daybreak.errors import EngineError, UnknownName, WeightsError
from daybreak.methods import every_method, get_method, list_methods, registry
from daybreak.methods.registry import weight_methods
from daybreak.weights import find_weight, list_weights
from daybreak.weights.store import FOLDER

PRETRAINED = [method for method in every_method() if method.card.kind == "pretrained"]
EVERY = pytest.mark.parametrize("method", PRETRAINED, ids=lambda m: m.card.name)


def test_there_is_one():
    assert "cascade" in [method.card.name for method in PRETRAINED]


def test_every_weight_that_ships_is_a_method_once():
    names = {get_method(name).card.weights_sha256: name for name in list_weights()}
    shipped = {find_weight(name).card.sha256: name for name in list_weights()}
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


def test_a_weight_that_bf16_would_change_is_refused_there():
    with pytest.raises(EngineError, match=r"fast gives another picture in bf16, .*--precision fp32"):
        get_method("daybreak.fast").placed(Runtime("openvino", "bf16"))


@EVERY
def test_a_second_picture_finds_the_graph_loaded(method, monkeypatch):
    pixels = np.full((20, 30, 3), 0.1, np.float32)
    method.enhance(pixels)
    monkeypatch.setattr("daybreak.engines.fastest.load", None)
    method.enhance(pixels)


def lay(folder, weight, network):
    """A shipped weight's files, as NETWORK.mine."""
    for path in FOLDER.glob(f"{weight}.*"):
        (folder / f"{network}.mine{path.suffix}").write_bytes(path.read_bytes())
    card = folder / f"{network}.mine.toml"
    told = re.sub(r'(?m)^tag = ".*"$', 'tag = "mine"', card.read_text())
    card.write_text(re.sub(r'(?m)^network = ".*"$', f'network = "{network}"', told))


def test_a_weight_of_ones_own_is_seen_at_once_and_seen_anew(tmp_path, monkeypatch):
    """With another weight of its name in its place, as a server sees that stays up."""
    monkeypatch.setenv("DAYBREAK_WEIGHTS", str(tmp_path))
    pixels = np.random.default_rng(0).random((20, 30, 3), np.float32) * np.float32(0.2)
    assert "cascade.mine" not in list_methods()
    lay(tmp_path, "cascade.lol", "cascade")
    assert list_methods()[-1] == "cascade.mine"
    first = get_method("cascade.mine")
    assert np.array_equal(first.enhance(pixels), get_method("cascade").enhance(pixels))
    lay(tmp_path, "sci.lol", "cascade")
    second = get_method("cascade.mine")
    assert second.card.weights_sha256 == get_method("sci").card.weights_sha256
    assert np.array_equal(second.enhance(pixels), get_method("sci").enhance(pixels))
    with pytest.raises(WeightsError, match=r"cascade\.mine\.onnx has SHA-256"):
        first.enhance(pixels)
    for path in tmp_path.iterdir():
        path.unlink()
    assert "cascade.mine" not in list_methods()
    with pytest.raises(UnknownName):
        get_method("cascade.mine")


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
