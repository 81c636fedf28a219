"""MATLAB's bicubic resize against closed facts and a dense float64 reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.image.resize import Shrinking, contributions, resize_bicubic

LENGTHS = st.integers(1, 40)
SCALES = st.floats(0.07, 5.0)


def keys(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def dense(length: int, count: int, scale: float) -> np.ndarray:
    """The count×length matrix of one axis, sample by sample, in 1-based positions as MATLAB has them."""
    squeeze, out = min(scale, 1.0), np.zeros((count, length))
    for p in range(1, count + 1):
        u = p / scale + 0.5 * (1 - 1 / scale)
        reach = math.ceil(2 / squeeze) + 1
        taps = range(math.floor(u) - reach, math.floor(u) + reach + 1)
        weights = [squeeze * keys(squeeze * (u - tap)) for tap in taps]
        for tap, weight in zip(taps, weights, strict=True):
            folded = (tap - 1) % (2 * length)
            out[p - 1, folded if folded < length else 2 * length - 1 - folded] += weight / sum(weights)
    return out


@given(LENGTHS, LENGTHS, SCALES)
@settings(deadline=None, max_examples=60)
def test_equals_the_dense_reference(height, width, scale):
    plane = np.random.default_rng(0).random((height, width))
    tall, wide = math.ceil(scale * height), math.ceil(scale * width)
    expected = dense(height, tall, scale) @ plane @ dense(width, wide, scale).T
    assert np.abs(resize_bicubic(plane, scale) - expected).max() < 1e-12


@given(LENGTHS, st.integers(1, 60))
def test_weights_sum_to_one_and_are_symmetric(length, count):
    taps, weights = contributions(length, count, count / length)
    assert taps.min() >= 0
    assert taps.max() < length
    assert np.abs(weights.sum(axis=1) - 1).max() < 1e-12
    ramp = np.arange(length, dtype=float)
    there, back = ((row[taps] * weights).sum(axis=1) for row in (ramp, ramp[::-1]))
    assert np.abs(there - back[::-1]).max() < 1e-9


@pytest.mark.parametrize("to", [0.5, 0.3, 2.0, (7, 90), (50, 50)])
def test_constants_stay(to):
    assert np.abs(resize_bicubic(np.full((31, 45), 0.7), to) - 0.7).max() < 1e-12


@pytest.mark.parametrize("scale", [2.0, 0.5, 1.5])
def test_ramps_stay_ramps_away_from_the_border(scale):
    ramp = np.tile(np.arange(64.0), (4, 1))
    out = resize_bicubic(ramp, (4, int(64 * scale)))[1]
    expected = (np.arange(out.size) + 0.5) / scale - 0.5
    rim = math.ceil(3 * max(scale, 1))
    assert np.abs(out - expected)[rim:-rim].max() < 1e-9


def test_the_same_size_is_the_same_picture():
    plane = np.random.default_rng(1).random((9, 13))
    assert np.array_equal(resize_bicubic(plane, (9, 13)), plane)


def test_channels_and_float32_are_kept():
    pixels = np.random.default_rng(2).random((20, 30, 3)).astype(np.float32)
    out = resize_bicubic(pixels, (50, 50))
    assert out.shape == (50, 50, 3)
    assert out.dtype == np.float32
    expected = resize_bicubic(pixels[..., 1].astype(np.float64), (50, 50))
    assert np.abs(out[..., 1] - expected).max() < 1e-5


def test_one_axis_may_shrink_while_the_other_grows():
    plane = np.random.default_rng(3).random((12, 10))
    expected = dense(12, 5, 5 / 12) @ plane @ dense(10, 23, 2.3).T
    assert np.abs(resize_bicubic(plane, (5, 23)) - expected).max() < 1e-12


@given(height=st.integers(50, 130), width=st.integers(50, 90), rows=st.integers(1, 60))
@settings(max_examples=20, deadline=None)
def test_bands_in_any_order_shrink_to_what_the_whole_does(height, width, rows):
    pixels = np.random.default_rng(height).random((height, width, 3), np.float32)
    small = Shrinking((height, width), (20, 15))
    for top in reversed(range(0, height, rows)):
        small.add(pixels[top : top + rows], top)
    np.testing.assert_allclose(small.done(), resize_bicubic(pixels, (20, 15)), atol=1e-5)
