"""Channel means on one deterministic dark picture, from independent prototypes (methods.md B.11)."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.data import astronaut

from daybreak.image.color import value
from daybreak.image.rows import Floats
from daybreak.methods import get_method
from daybreak.methods.dong import atmosphere
from daybreak.methods.mf import MfSettings, brightened, illumination
from daybreak.methods.npe import bright_pass, co_occurrence, neighbour_weights

_ASTRONAUT = astronaut()[::2, ::2] / 255
DARK = (np.floor(255 * 0.35 * _ASTRONAUT**2.2) / 255).astype(np.float32)  # 256×256×3


def test_the_input_is_the_one_described():
    assert DARK.shape == (256, 256, 3)
    assert np.allclose(DARK.mean(axis=(0, 1)), [0.13532, 0.08356, 0.07527], atol=2e-5)
    assert DARK.max() == pytest.approx(0.34902, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "means", "tolerance"),
    [
        ("msr", (0.604, 0.509, 0.471), 0.05),
        ("msrcr", (0.605, 0.529, 0.516), 0.05),
        ("dong", (0.4311, 0.2710, 0.2451), 0.02),
        ("npe", (0.3901, 0.2381, 0.2135), 0.02),
        ("mf", (0.3499, 0.2246, 0.2040), 0.05),
    ],
)
def test_channel_means(name, means, tolerance):
    out = get_method(name).enhance(DARK)
    assert out.mean(axis=(0, 1)) == pytest.approx(means, rel=tolerance)


def test_dongs_atmosphere_is_white():
    assert np.array_equal(atmosphere(Floats(DARK), 1), [1, 1, 1])


def test_npes_illumination():
    plane = value(DARK)
    levels = np.round(plane * 255).astype(np.uint8)
    light = bright_pass(levels, neighbour_weights(co_occurrence(levels)), 15)
    assert light.mean() == pytest.approx(37.06, rel=0.02)
    assert (plane * 255 / np.maximum(light, 1e-6)).max() == pytest.approx(1, abs=1e-3)


def test_mfs_illuminations():
    defaults = MfSettings()
    plane = value(DARK)
    light = illumination(plane, plane.max(), defaults.diameter, defaults.radius, defaults.eps)
    bright = brightened(light, light.mean())
    assert light.mean() == pytest.approx(0.173, rel=0.05)
    assert bright.mean() == pytest.approx(0.647, rel=0.05)
