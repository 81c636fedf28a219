"""What every engine promises, on every device that this machine has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from daybreak.engines import DEVICES, get_device
from daybreak.engines.fastest import FURTHEST, MEAN, load, same
from daybreak.engines.runtime import Place
from daybreak.errors import DaybreakError, EngineError, MissingExtra, UnknownName, WeightsError
from daybreak.weights import find_weight, list_weights

USABLE = [
    Place(device, precision)
    for device in DEVICES
    if not device.missing()
    for precision in device.precisions()
]
EVERY = pytest.mark.parametrize("place", USABLE, ids=str)


def wanted(low, alpha=2.0, upscale=False):
    lifted = np.clip(3.0 * (low + np.reshape(alpha, (-1, 1, 1, 1)) / 10), 0, 1).astype(np.float32)
    return lifted.repeat(2, 2).repeat(2, 3) if upscale else lifted


def low(batch=1, height=12, width=20, seed=0):
    return np.random.default_rng(seed).random((batch, 3, height, width), np.float32) * 0.3


def test_openvino_is_among_them():
    pytest.importorskip("openvino")
    assert {"cpu", "openvino"} <= {place.device.name for place in USABLE}


@EVERY
def test_inputs_may_be_left_out_or_given_from_the_first_run_on(place, weight):
    """Of each combination the first run counts as much as the second."""
    for alpha in (None, 1.0):
        for upscale in (None, False, True):
            engine = load(place, weight, 1)
            besides = {} if alpha is None else {"alpha": np.array([alpha], np.float32)}
            besides |= {} if upscale is None else {"upscale": np.array([upscale])}
            for seed, height in enumerate((12, 33)):
                picture = low(height=height, seed=seed)
                expected = wanted(picture, alpha or 2.0, bool(upscale))
                assert same(engine.run(picture, besides), expected, place.precision), besides


@EVERY
def test_a_batch_has_a_control_each(place, weight):
    alpha = np.array([0.5, 2.0, 1.0], np.float32)
    found = load(place, weight, 1).run(low(3), {"alpha": alpha})
    assert same(found, wanted(low(3), alpha), place.precision)


@EVERY
def test_an_input_may_be_a_picture(place, weight):
    engine = load(place, weight, 1)
    guide = np.full((2, 3, 2, 2), 0.05, np.float32)
    guide[1] = 0.01
    given = {"alpha": np.array([1.0], np.float32), "guide": guide}
    expected = wanted(low(2) + guide.mean((1, 2, 3), keepdims=True), 1.0)
    for order in (given, dict(reversed(given.items()))):
        assert same(engine.run(low(2), order), expected, place.precision)


@EVERY
def test_many_threads_share_one_engine(place, weight):
    engine, pictures = load(place, weight, 1), [low(height=5 + n % 7, seed=n) for n in range(24)]
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(engine.run, pictures))
    for picture, found in zip(pictures, results, strict=True):
        assert same(found, wanted(picture), place.precision), "no result of another's picture"


@EVERY
@pytest.mark.parametrize("name", list_weights())
def test_shipped_weights_give_the_picture_of_the_reference(place, name):
    shipped = find_weight(name)
    if place.precision == "bf16" and not shipped.card.bf16:
        return  # it is not run so: its card says that it would give another picture
    picture = np.random.default_rng(0).random((1, 3, 64, 96), np.float32) ** 3
    expected = load(USABLE[0], shipped, 1).run(picture)
    assert same(load(place, shipped, 2).run(picture), expected, place.precision)


@EVERY
def test_what_is_no_graph_is_refused(place, tmp_path):
    path = tmp_path / "x.onnx"
    path.write_bytes(b"no graph")
    with pytest.raises(WeightsError, match=r"x\.onnx cannot be run"):
        place.load(path, 1, False)


@EVERY
def test_an_input_that_is_not_there_is_refused(place, weight):
    with pytest.raises(DaybreakError, match="beta"):
        load(place, weight, 1).run(low(), {"beta": np.ones(1, np.float32)})


@EVERY
def test_what_fails_while_it_runs_says_where(place, weight):
    engine = load(place, weight, 1)
    with pytest.raises(EngineError, match=r"(ONNX Runtime|OpenVINO).* failed: .*doctor"):
        engine.run(np.zeros((1, 4, 8, 8), np.float32))
    assert same(engine.run(low()), wanted(low()), place.precision), "and goes on with the next"


def test_devices_that_are_not_here_say_what_to_do():
    absent = {device.name: why for device in DEVICES if (why := device.missing())}
    for name, why in absent.items():
        assert isinstance(why, MissingExtra | EngineError), name
        assert why.hint


def test_openvino_that_is_not_installed_names_the_extra(monkeypatch):
    monkeypatch.setattr("daybreak.engines.devices.find_spec", lambda name: None)
    why = get_device("openvino").missing()
    assert isinstance(why, MissingExtra)
    assert 'pip install "daybreak[openvino]"' in str(why)


def test_an_unknown_device_names_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean cuda"):
        get_device("cude")


def test_same_sees_what_is_not():
    one = np.zeros((1, 3, 40, 40), np.float32)
    spot, all_over, shape = one.copy(), one + 0.5 / 255, one[:, :, 1:]
    spot[0, 0, 3, 4] = 2 / 255
    nan = one.copy()
    nan[0, 0, 0, 0] = np.nan
    for precision, found in (("fp32", spot), ("fp32", all_over), ("bf16", one + 2 / 255)):
        assert not same(found, one, precision)
    for precision in FURTHEST:
        assert not same(shape, one, precision)
        assert not same(nan, one, precision)
        assert same(one + 0.9 * MEAN[precision], one, precision)
