"""`daybreak doctor`: what it says of a machine that is well, and of one that is not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from daybreak.cli.main import run
from daybreak.engines import DEVICES, Device, OnnxEngine
from daybreak.methods import list_methods
from daybreak.methods.registry import CLASSICAL


class Tinted(OnnxEngine):
    """Gives a picture that looks like one: red a hundredth too weak."""

    def run(self, batch, besides=None):
        return super().run(batch, besides or {}) * np.array([0.99, 1, 1], np.float32).reshape(1, 3, 1, 1)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def one_device(monkeypatch):
    """The reference alone, to be quick; what is added to it is looked at as well."""

    def with_more(*devices):
        monkeypatch.setattr("daybreak.cli.doctor.DEVICES", (DEVICES[0], *devices))

    with_more()
    return with_more


def test_a_machine_that_is_well(capsys):
    """With every device that there is: this is the self-test itself."""
    assert run(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["wrong"] == []
    assert {check["method"] for check in told["checks"]} == set(list_methods()) - {"auto"}, (
        "what it picks is run"
    )
    assert told["devices"]["cpu"] == ["fp32"]
    places = {check["place"] for check in told["checks"]}
    assert {"ONNX Runtime cpu fp32", "OpenCV"} <= places
    if told["devices"]["openvino"]:
        assert {f"OpenVINO cpu {precision}" for precision in told["devices"]["openvino"]} <= places
    for name, precisions in told["devices"].items():
        assert bool(precisions) != (name in told["absent"])
    assert told["versions"]["onnxruntime"]
    assert told["cores"] >= 1


def test_it_says_so_in_words(one_device, capsys):
    assert run(["doctor"]) == 0
    told = capsys.readouterr().out
    assert "device     cpu: fp32" in told
    assert "weight     cascade.lol: as on its card" in told
    assert "asset      niqe-pristine: absent" in told
    assert "right      cascade on ONNX Runtime cpu fp32" in told
    right = sum(line.startswith("right ") for line in told.splitlines())
    assert right > len(CLASSICAL)
    assert f"{right} runs, nothing is wrong" in told


def test_a_device_that_is_silently_wrong_is_caught(one_device, capsys):
    one_device(Device("tinted", "Some driver", "gpu", lambda path, *_: Tinted(path), lambda: ("fp32",)))
    assert run(["doctor"]) == 1
    told = capsys.readouterr()
    assert "right      cascade on ONNX Runtime cpu fp32" in told.out
    assert "WRONG      cascade on Some driver gpu fp32: at most" in told.out
    assert "daybreak: cascade on Some driver gpu fp32: the picture is not that of the reference" in told.err


def test_a_device_that_cannot_be_used_after_all_is_told(one_device, capsys):
    def load(path, *_):
        raise OSError("libdriver.so.3: cannot open shared object file")

    one_device(Device("torn", "Some driver", "gpu", load, lambda: ("fp32",)))
    assert run(["doctor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["wrong"]
    assert all("libdriver.so.3" in wrong for wrong in told["wrong"])


def test_a_damaged_asset_is_a_fault_and_one_that_was_not_fetched_is_none(one_device, own_cache, capsys):
    (own_cache / "assets").mkdir()
    from daybreak.assets import get_asset

    (own_cache / "assets" / get_asset("niqe-pristine").file).write_bytes(b"cut")
    assert run(["doctor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["assets"]["niqe-pristine"] == "damaged"
    assert told["wrong"] == ["the asset niqe-pristine is damaged. Type: daybreak assets fetch niqe-pristine"]
