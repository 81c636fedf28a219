"""The self-test: what it calls one picture, and that each kind of fault is caught."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from daybreak.engines import REFERENCE, Device, OnnxEngine
from daybreak.enhancing.doctor import check_arithmetic, check_networks, look_around
from daybreak.enhancing.doctor.state import absent, extras
from daybreak.errors import EngineError
from daybreak.methods.base import Method, check_pixels
from daybreak.methods.gamma import METHOD as GAMMA
from daybreak.methods.trying import picture
from daybreak.weights import find_weight

CASCADE = [("cascade", find_weight("cascade.lol"))]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path))


class Spoilt(OnnxEngine):
    """A real session, whose result is spoilt on its way back."""

    def __init__(self, path, spoil):
        super().__init__(path)
        self.spoil = spoil

    def run(self, batch, besides=None):
        return self.spoil(super().run(batch, besides or {}).copy())


def device(spoil):
    return Device("spoilt", "Driver", "gpu", lambda path, *_: Spoilt(path, spoil), lambda: ("fp32",))


def one_pixel(result):
    result[0, 1, 40, 50] += 0.01
    return result


def nan(result):
    result[0, 0, 0, 0] = np.nan
    return result


def gone(result):
    raise EngineError("Driver failed: the device was removed")


FAULTS = {
    "one pixel": (one_pixel, "not that of the reference"),
    "darker": (lambda result: result * np.float32(0.998), "not that of the reference"),
    "turned": (lambda result: result[..., ::-1], "not that of the reference"),
    "half a picture": (lambda result: result[:, :, :40], "the result has the shape"),
    "not a number": (nan, "no light"),
    "too bright": (lambda result: result + 1, "no light"),
    "gone": (gone, "the device was removed"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_device_with_a_fault_is_caught(fault):
    spoil, sentence = FAULTS[fault]
    reference, spoilt = check_networks(CASCADE, [REFERENCE, device(spoil)])
    assert reference.right
    assert (reference.largest, reference.mean) == (0.0, 0.0), "two sessions of the reference are the same"
    assert not spoilt.right
    assert sentence in spoilt.error


def test_a_device_without_a_fault_is_not():
    """The last digits may differ."""
    (check,) = check_networks(CASCADE, [device(lambda result: result * np.float32(1 - 1e-5))])
    assert check.right
    assert 0.0 < check.largest < 0.01


def test_a_reference_that_cannot_run_is_told_once(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"no graph")
    weight = replace(CASCADE[0][1], onnx=tmp_path / "x.onnx")
    (check,) = check_networks([("cascade", weight)], [REFERENCE, device(one_pixel)])
    assert "SHA-256" in check.error
    state = look_around([weight], [REFERENCE])
    assert len(state.wrong) == 1
    assert "x.onnx" in state.wrong[0]


def test_arithmetic_that_depends_on_the_processor_is_caught():
    """A method that asks OpenCV, as a wrong code path would, and one that breaks."""

    def wrong(pixels, settings):
        return pixels * np.float32(0.5 if cv2.useOptimized() else 0.51)

    def breaks(pixels, settings):
        raise cv2.error("no such instruction")

    threads = cv2.getNumThreads()
    broken = [Method(card=GAMMA.card, run=run) for run in (wrong, breaks)]
    right, *others = check_arithmetic([GAMMA, *broken])
    assert right.right
    assert [check.right for check in others] == [False, False]
    assert "no such instruction" in others[1].error
    assert cv2.useOptimized()
    assert cv2.getNumThreads() == threads


def test_the_picture_is_a_dark_one_and_always_the_same():
    low = check_pixels(picture())
    assert np.array_equal(low, picture())
    assert low.mean() < 0.25
    assert low.min() == 0.0
    assert low.max() == 1.0


def test_extras_are_those_of_the_package_itself():
    found = extras()
    assert "onnx" in found["train"]
    assert "dev" not in found
    assert absent(["numpy", "no-such-package"]) == ["no-such-package"]
