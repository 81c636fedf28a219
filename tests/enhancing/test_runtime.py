"""Where networks run, from `Enhancer` to what a result says of itself."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.engines import DEVICES, get_device
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.evidence import check_repeatable
from daybreak.enhancing.record import asked, done
from daybreak.errors import BadSetting, EngineError, MissingExtra, UnknownName
from daybreak.methods import every_method
from daybreak.methods.base import FILM
from daybreak.methods.registry import weight_methods
from daybreak.weights import find_weight, list_weights

DARK = np.random.default_rng(0).random((40, 60, 3), np.float32) ** 3
NETWORKS = [method.card.name for method in every_method() if method.card.kind == "pretrained"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path))


def test_a_network_runs_on_the_reference_and_says_so():
    enhancer = Enhancer("cascade")
    outcome = enhancer.run(DARK)
    assert outcome.engine == "ONNX Runtime cpu fp32"
    assert asked(enhancer)["engine"] == "cpu fp32"
    assert done(outcome)["ran-engine"] == outcome.engine
    check_repeatable(enhancer, "png")


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("device", [device.name for device in DEVICES if not device.missing()])
def test_every_device_gives_the_same_picture(device, name):
    wanted = Enhancer(name).run(DARK).pixels
    keeps_to_bf16 = find_weight(weight_methods(list_weights())[name]).card.bf16
    for precision in get_device(device).precisions():
        if precision == "bf16" and not keeps_to_bf16:
            continue
        outcome = Enhancer(name, device=device, precision=precision).run(DARK)
        assert outcome.engine.endswith(precision)
        limit = {"fp32": 0.5, "bf16": 4.0}[precision] / 255
        assert np.abs(outcome.pixels - wanted).max() <= limit


def test_auto_says_what_it_came_to():
    enhancer = Enhancer("cascade", device="auto")
    outcome = enhancer.run(DARK)
    assert asked(enhancer)["engine"] == "auto fp32"
    assert outcome.engine in {"ONNX Runtime cpu fp32", "OpenVINO cpu fp32"}, "never half precision by itself"


@pytest.mark.parametrize("runtime", [{"device": "auto"}, {"device": "openvino"}, {"precision": "bf16"}])
def test_evidence_is_of_the_reference_alone(runtime):
    pytest.importorskip("openvino")
    try:
        enhancer = Enhancer("cascade", **runtime)
    except EngineError:
        pytest.skip("this processor has no bf16")
    with pytest.raises(BadSetting, match=r"evidence on .*--device cpu and --precision fp32"):
        check_repeatable(enhancer, "png")


def test_arithmetic_runs_on_the_cpu_in_full_precision():
    for runtime in ({"device": "openvino"}, {"device": "cuda"}, {"precision": "bf16"}):
        with pytest.raises(BadSetting, match="gamma is arithmetic"):
            Enhancer("gamma", **runtime)
    enhancer = Enhancer("gamma", device="auto", precision="fp32")
    outcome = enhancer.run(DARK)
    assert outcome.engine == ""
    assert "engine" not in asked(enhancer)
    assert "ran-engine" not in done(outcome)


def test_auto_has_its_network_run_where_it_is_told_to():
    pytest.importorskip("openvino")
    dark = 0.2 * DARK
    both = [Enhancer("auto", device=device) for device in ("cpu", "openvino")]
    for size, engine in ((None, "ONNX Runtime cpu fp32"), (FILM, "NumPy and OpenCV cpu fp32")):
        here, there = (enhancer.run(dark, size) for enhancer in both)
        assert (here.engine, there.engine) == (engine, "OpenVINO cpu fp32")
        np.testing.assert_allclose(here.pixels, there.pixels, atol=2e-3)
    assert asked(Enhancer("auto")) != asked(Enhancer("auto", device="openvino")), "not to be mixed"
    with pytest.raises(EngineError):
        Enhancer("auto", precision="bf16")


def test_what_cannot_be_had_is_refused_before_any_picture(monkeypatch):
    with pytest.raises(UnknownName, match="Did you mean cuda"):
        Enhancer("cascade", device="cuda0")
    with pytest.raises(BadSetting, match="precision 'fp16'"):
        Enhancer("cascade", precision="fp16")
    for device in DEVICES:
        if device.missing():
            with pytest.raises((EngineError, MissingExtra)):
                Enhancer("cascade", device=device.name)
    monkeypatch.setattr("daybreak.engines.devices.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"daybreak\[openvino\]"):
        Enhancer("cascade", device="openvino")
