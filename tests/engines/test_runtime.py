"""From what was typed to where a graph runs, and what is remembered of the race."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from daybreak.engines import DEVICES, REFERENCE, Device, OnnxEngine, Place, Runtime, get_device, places
from daybreak.engines import fastest as race
from daybreak.engines.fastest import fastest, measure
from daybreak.errors import BadSetting, EngineError, MissingExtra, UnknownName

NO_BF16 = replace(get_device("openvino"), precisions=lambda: ("fp32",))


class Brighter(OnnxEngine):
    """A device that is silently wrong."""

    def run(self, batch, besides=None):
        return super().run(batch, besides or {}) + np.float32(0.1)


WRONG = Device("wrong", "ONNX Runtime", "gpu", lambda path, *_: Brighter(path), lambda: ("fp32", "bf16"))


def broken(*_):
    raise EngineError("it is gone")


GONE = Device("gone", "ONNX Runtime", "gpu", broken, lambda: ("fp32",))


def test_without_a_word_the_reference_runs():
    assert Runtime().reference
    assert Runtime("cpu", "fp32").reference
    assert [place.device for place in places(Runtime())] == [REFERENCE]
    assert str(Runtime()) == "cpu fp32"
    assert str(Place(REFERENCE, "fp32")) == "ONNX Runtime cpu fp32"


@pytest.mark.parametrize("asked", [("auto", "auto"), ("auto", "bf16"), ("cpu", "bf16"), ("openvino", "fp32")])
def test_all_else_is_not_the_reference(asked):
    assert not Runtime(*asked).reference


def test_half_precision_on_the_cpu_is_the_engine_that_has_it():
    pytest.importorskip("openvino")
    if "bf16" not in get_device("openvino").precisions():
        pytest.skip("this processor has no bf16")
    for device in ("cpu", "openvino", "auto"):
        (place, *_) = places(Runtime(device, "bf16"))
        assert str(place) == "OpenVINO cpu bf16"


def test_a_processor_without_half_precision_is_told():
    with pytest.raises(EngineError, match=r"bf16 cannot be had on cpu or openvino.*--precision fp32"):
        places(Runtime("cpu", "bf16"), [REFERENCE, NO_BF16])
    with pytest.raises(EngineError, match="bf16 cannot be had on openvino"):
        places(Runtime("openvino", "bf16"), [REFERENCE, NO_BF16])


def test_what_is_not_installed_names_its_extra(monkeypatch):
    monkeypatch.setattr("daybreak.engines.devices.find_spec", lambda name: None)
    for device, precision in (("openvino", "auto"), ("cpu", "bf16"), ("auto", "bf16")):
        with pytest.raises(MissingExtra, match=r"daybreak\[openvino\]"):
            places(Runtime(device, precision))
    assert [place.device.name for place in places(Runtime("auto")) if place.device.hardware == "cpu"] == [
        "cpu"
    ]


def test_what_does_not_exist_is_refused_at_once():
    with pytest.raises(UnknownName, match="no device named 'gpu'"):
        Runtime("gpu")
    with pytest.raises(BadSetting, match="'fp8'; expected auto, fp32, bf16"):
        Runtime("cpu", "fp8")


@pytest.mark.parametrize("name", [device.name for device in DEVICES if device.missing()])
def test_a_device_that_is_not_here_is_not_replaced_by_another(name):
    with pytest.raises((EngineError, MissingExtra)):
        places(Runtime(name))


def usable(*devices):
    return [Place(device, "fp32") for device in devices]


def test_a_wrong_or_broken_device_never_wins(weight):
    """Nothing is stood in for the check: a real engine gives another picture, a real load fails."""
    assert set(measure(weight, usable(REFERENCE, WRONG, GONE), 1)) == {"cpu"}
    assert fastest(weight, usable(WRONG, GONE, REFERENCE), 1).device is REFERENCE
    with pytest.raises(EngineError, match=r"none of wrong, gone runs toy\.test"):
        fastest(weight, usable(WRONG, GONE), 1)
    assert measure(weight, [Place(WRONG, "bf16")], 1) == {}


@pytest.fixture
def counted(monkeypatch):
    """How often was measured; the second device is said to be the faster one."""
    calls = []

    def measured(weight, among, threads):
        calls.append([place.device.name for place in among])
        return {place.device.name: 2.0 - place_ for place_, place in enumerate(among)}

    monkeypatch.setattr(race, "measure", measured)
    return calls


TWO = usable(REFERENCE, replace(REFERENCE, name="other"))


def test_it_is_measured_once_for_each_weight_and_number_of_threads(weight, counted):
    for _ in range(3):
        assert fastest(weight, TWO, 1).device.name == "other"
    assert len(counted) == 1
    fastest(weight, TWO, 2)
    fastest(replace(weight, card=weight.card.model_copy(update={"onnx_sha256": "1" * 64})), TWO, 2)
    fastest(weight, TWO[::-1], 2)
    assert len(counted) == 4
    assert fastest(weight, TWO, 1).device.name == "other"
    assert len(counted) == 4
    assert fastest(weight, TWO[:1], 7).device.name == "cpu", "alone it need not be measured"
    assert len(counted) == 4


@pytest.mark.parametrize(
    "spoilt",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"machine": 1}',
        b"[" * 100_000,
        "other machine",
        "other device",
    ],
)
def test_a_memory_that_cannot_be_read_or_is_of_another_machine_is_made_anew(
    weight, counted, spoilt, tmp_path
):
    fastest(weight, TWO, 1)
    path = tmp_path / "cache/engines/fastest.json"
    kept = json.loads(path.read_bytes())
    assert kept["machine"]["onnxruntime"]
    if spoilt == "other machine":
        kept["machine"]["onnxruntime"] = "0.1"
    if spoilt == "other device":
        next(iter(kept["measured"].values()))["fastest"] = "cuda"
    path.write_bytes(spoilt if isinstance(spoilt, bytes) else json.dumps(kept).encode())
    assert fastest(weight, TWO, 1).device.name == "other"
    assert len(counted) == 2
    fastest(weight, TWO, 1)
    assert len(counted) == 2


def test_a_driver_that_went_wrong_since_loses_its_place(weight, counted, tmp_path):
    gpu = replace(REFERENCE, name="wrong", hardware="gpu")
    assert fastest(weight, usable(REFERENCE, gpu), 1).device is gpu
    assert fastest(weight, usable(REFERENCE, gpu), 1).device is gpu
    assert len(counted) == 1
    fastest(weight, usable(REFERENCE, WRONG), 1)
    assert len(counted) == 2, "it is raced anew, and the race leaves out what is wrong"


def test_a_memory_that_cannot_be_written_is_no_fault(weight, counted, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder would be")
    assert fastest(weight, TWO, 1).device.name == "other"
    assert fastest(weight, TWO, 1).device.name == "other"
    assert len(counted) == 2


def test_importing_the_engines_brings_none_in():
    code = "import sys, daybreak.engines; assert not {'onnxruntime', 'openvino', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
