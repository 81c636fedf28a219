"""Laws of the three Retinex methods."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.data import astronaut

from daybreak.image.rows import Floats
from daybreak.methods import get_method
from daybreak.methods.msr import retinex, shifted

RETINEX = pytest.mark.parametrize("name", ["ssr", "msr", "msrcr"])
DARK = (np.round(255 * 0.4 * (astronaut()[::2, ::2] / 255) ** 2) / 255).astype(np.float32)


@RETINEX
@pytest.mark.parametrize("level", [0.0, 0.1, 0.7, 1.0])
def test_a_picture_without_detail_stays(name, level):
    flat = np.full((30, 41, 3), level, np.float32)
    assert np.array_equal(get_method(name).enhance(flat), flat)


@RETINEX
def test_a_channel_without_detail_stays(name):
    picture = DARK.copy()
    picture[..., 2] = 0.0
    out = get_method(name).enhance(picture)
    if name == "msrcr":  # the colour restoration of a flat channel still varies, its Retinex does not
        assert np.ptp(out[..., 2]) == 0
    assert np.array_equal(out[..., 2], picture[..., 2])
    assert out[..., 0].mean() > picture[..., 0].mean()


@RETINEX
def test_one_bright_point_in_the_dark_is_no_division_by_zero(name):
    picture = np.zeros((200, 300, 3), np.float32)
    picture[100, 150] = 1
    out = get_method(name).enhance(picture)
    assert np.isfinite(out).all()


@RETINEX
def test_one_percent_is_clipped_at_each_end(name):
    out = get_method(name).enhance(DARK, clip=5.0)
    for channel in range(3):
        assert (out[..., channel] == 0).mean() == pytest.approx(0.05, abs=0.005)
        assert (out[..., channel] == 1).mean() == pytest.approx(0.05, abs=0.005)


def test_retinex_is_its_definition_with_exact_surrounds():
    """The reduced surround moves log ratios by less than a thousandth of their range."""
    plane = shifted(DARK[..., 0])
    sigmas = (15.0, 80.0, 250.0)
    exact = np.mean(
        [
            np.log(plane)
            - np.log(gaussian_filter(plane.astype(np.float64), s, mode="nearest", radius=int(3 * s)))
            for s in sigmas
        ],
        axis=0,
    )
    found = retinex(Floats(DARK), sigmas).at(shifted(DARK), 0, 0)[..., 0]
    assert np.abs(found - exact).max() < 1e-3 * np.ptp(exact)


def test_ssr_is_msr_with_equal_scales():
    one = get_method("ssr").enhance(DARK, sigma=40.0)
    three = get_method("msr").enhance(DARK, sigma_small=40.0, sigma_middle=40.0, sigma_large=40.0)
    assert np.allclose(one, three, atol=1e-5)


def test_colour_restoration_brings_colour_back():
    def saturation(pixels):
        return (np.ptp(pixels, axis=2) / np.maximum(pixels.max(axis=2), 1e-6)).mean()

    without, restored = (get_method(name).enhance(DARK) for name in ("msr", "msrcr"))
    weak = get_method("msrcr").enhance(DARK, alpha=1000.0)
    # all three are compared before the stretch hides it: the weaker the restoration, the nearer to msr
    assert np.abs(weak - without).mean() < np.abs(restored - without).mean()
