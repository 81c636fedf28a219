"""The quick Gaussian against the exact one, the guided filter against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, uniform_filter
from skimage.data import astronaut

from daybreak.image.filters import Blur, gaussian_blur, guided_filter
from daybreak.image.rows import Floats

PHOTO = astronaut()[..., 0].astype(np.float32) / 255
NOISE = np.random.default_rng(0).random((101, 140)).astype(np.float32)
STEP = np.zeros((120, 160), np.float32)
STEP[:, 80:] = 1
STEP[47:] *= 0.3
EDGE = np.zeros((120, 160), np.float32)  # what stands in the last column is continued for ever
EDGE[:, 0] = 1


def exact(plane: np.ndarray, sigma: float) -> np.ndarray:
    return gaussian_filter(plane.astype(np.float64), sigma, mode="nearest", radius=int(np.ceil(3 * sigma)))


@pytest.mark.parametrize("sigma", [0.8, 5.0, 15.0, 31.9])
def test_a_small_sigma_is_the_truncated_gaussian_itself(sigma):
    assert np.abs(gaussian_blur(NOISE, sigma) - exact(NOISE, sigma)).max() < 2e-6


@pytest.mark.parametrize(
    ("plane", "bound"),
    [(PHOTO, 4e-4), (STEP, 4e-4), (EDGE, 4e-4), (NOISE, 1e-3)],
    ids=["photo", "step", "edge", "noise"],
)
@pytest.mark.parametrize("sigma", [32.0, 57.3, 80.0, 250.0])
def test_a_large_sigma_stays_within_the_stated_error(plane, bound, sigma):
    assert np.abs(gaussian_blur(plane, sigma) - exact(plane, sigma)).max() < bound


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    sigma=st.floats(1, 120),
    level=st.floats(0, 256, width=32),
)
def test_any_size_keeps_shape_range_and_constants(height, width, sigma, level):
    plane = np.random.default_rng(height * 41 + width).random((height, width)).astype(np.float32)
    out = gaussian_blur(plane, sigma)
    assert out.shape == plane.shape
    assert out.dtype == np.float32
    assert out.min() >= plane.min() - 1e-5
    assert out.max() <= plane.max() + 1e-5
    flat = np.full((height, width), level, np.float32)
    assert np.allclose(gaussian_blur(flat, sigma), level, rtol=1e-5)


def test_the_blur_does_not_prefer_a_side():
    for sigma in (9.0, 100.0):
        out = gaussian_blur(PHOTO, sigma)
        for turned in (np.flipud, np.fliplr, np.transpose):
            assert np.allclose(turned(gaussian_blur(turned(PHOTO).copy(), sigma)), out, atol=4e-4)


def test_guided_filter_is_algorithm_1_away_from_the_border():
    radius, eps = 3, 1e-3
    guide, plane = NOISE, PHOTO[:101, :140]

    def mean(values):
        return uniform_filter(values.astype(np.float64), 2 * radius + 1)

    slope = (mean(guide * plane) - mean(guide) * mean(plane)) / (mean(guide**2) - mean(guide) ** 2 + eps)
    offset = mean(plane) - slope * mean(guide)
    expected = mean(slope) * guide + mean(offset)
    inside = slice(2 * radius, -2 * radius)
    difference = guided_filter(plane, guide, radius, eps) - expected
    assert np.abs(difference[inside, inside]).max() < 2e-5


def test_guided_filter_averages_only_what_lies_inside():
    plane = np.array([[1.0, 0.0, 0.0]], np.float32)
    flat_guide = np.full_like(plane, 0.5)  # slope 0: two box means, cut off at the border
    means = np.array([1 / 2, 1 / 3, 0.0])
    expected = [means[:2].mean(), means.mean(), means[1:].mean()]
    assert np.allclose(guided_filter(plane, flat_guide, 1, 1e-2), [expected], atol=1e-6)


def test_guided_filter_keeps_an_edge_of_its_guide():
    noisy = STEP + np.random.default_rng(1).normal(0, 0.02, STEP.shape).astype(np.float32)
    out = guided_filter(noisy, STEP, 7, 1e-3)
    assert abs((out[20, 82] - out[20, 77]) - 1) < 0.02
    assert (out - STEP)[10:40, 10:70].std() < 0.005


@pytest.mark.parametrize("sigma", [4.0, 40.0, 90.0])
def test_a_window_has_the_blur_of_the_whole(sigma):
    plane = np.random.default_rng(0).random((150, 170, 2), np.float32)
    blur = Blur(Floats(plane), sigma)
    whole = blur.at(plane, 0, 0)
    for channel in range(2):
        one = gaussian_blur(np.ascontiguousarray(plane[..., channel]), sigma)
        np.testing.assert_allclose(whole[..., channel], one, atol=1e-6)
    halo, (top, left) = blur.halo, (37, 51)
    window = np.ascontiguousarray(plane[top - halo : 90 + halo, left - halo : 123 + halo])
    part = blur.at(window, top - halo, left - halo)[halo : halo + 90 - top, halo : halo + 123 - left]
    np.testing.assert_allclose(part, whole[top:90, left:123], atol=1e-6)
