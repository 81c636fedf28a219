"""Brightness planes: each replaced without moving the other coordinates of its space."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.color import rgb2hsv, rgb2lab

from daybreak.image import color
from daybreak.image.color import lightness, luma, row_bands, value

PICTURE = np.random.default_rng(0).random((37, 53, 3)).astype(np.float32)
PLANES = ["value", "luma", "lightness"]


@pytest.mark.parametrize("name", PLANES)
@pytest.mark.parametrize("picture", [PICTURE, PICTURE[:1, :1], PICTURE * 0.01], ids=["any", "1x1", "dark"])
def test_replacing_a_plane_by_itself_changes_nothing(name, picture):
    plane = getattr(color, name)(picture)
    assert plane.shape == picture.shape[:2]
    again = getattr(color, f"with_{name}")(picture, plane, plane)
    # float32, times 12.92 where the transfer function is steepest
    assert np.abs(again - picture).max() < 2e-5


@pytest.mark.parametrize("name", PLANES)
def test_the_new_plane_is_the_one_asked_for(name):
    muted = 0.4 + 0.2 * PICTURE  # so that nothing is clipped
    plane = getattr(color, name)(muted)
    wanted = plane + 0.05
    out = getattr(color, f"with_{name}")(muted, plane, wanted)
    assert np.abs(getattr(color, name)(out) - wanted).max() < 3e-6


@pytest.mark.parametrize("name", PLANES)
def test_gray_stays_gray(name):
    gray = np.repeat(np.linspace(0, 1, 501, dtype=np.float32)[None, :, None], 3, axis=2)
    plane = getattr(color, name)(gray)
    out = getattr(color, f"with_{name}")(gray, plane, np.sqrt(plane))
    assert np.ptp(out, axis=2).max() < 3e-6
    assert out.min() >= 0
    assert out.max() <= 1


def test_with_value_keeps_hue_and_saturation_and_makes_black_gray():
    muted = 0.2 + 0.5 * PICTURE
    out = color.with_value(muted, value(muted), value(muted) * 1.3)
    assert np.abs(rgb2hsv(out)[..., :2] - rgb2hsv(muted)[..., :2]).max() < 1e-5
    black = np.zeros((1, 1, 3), np.float32)
    assert np.array_equal(
        color.with_value(black, value(black), np.full((1, 1), 0.25, np.float32)), black + 0.25
    )


def test_luma_is_opencvs_and_with_luma_keeps_cb_and_cr():
    assert np.allclose(luma(PICTURE), PICTURE @ np.array([0.299, 0.587, 0.114]), atol=1e-6)
    muted = 0.4 + 0.2 * PICTURE
    out = color.with_luma(muted, luma(muted), luma(muted) + 0.1)
    before, after = (cv2.cvtColor(p, cv2.COLOR_RGB2YCrCb) for p in (muted, out))
    assert np.abs(before[..., 1:] - after[..., 1:]).max() < 1e-5


def test_lightness_is_cielabs_and_with_lightness_keeps_a_and_b():
    assert np.abs(lightness(PICTURE) - rgb2lab(PICTURE)[..., 0] / 100).max() < 2e-4
    muted = 0.4 + 0.2 * PICTURE
    out = color.with_lightness(muted, lightness(muted), lightness(muted) - 0.05)
    # skimage rounds the matrix and white point elsewhere, which leaves a few thousandths of a unit
    assert np.abs(rgb2lab(out)[..., 1:] - rgb2lab(muted)[..., 1:]).max() < 0.01


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (3, 1 << 21), (3000, 1001)])
def test_row_bands_cover_each_row_once(shape):
    plane = np.broadcast_to(np.float32(0), shape)
    rows = [row for band in row_bands(plane) for row in range(band.start, band.stop)]
    assert rows == list(range(shape[0]))
