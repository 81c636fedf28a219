"""The map of BIMEF and CRM: its laws, and the quick one against the exact one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.data import astronaut
from skimage.transform import resize

from daybreak.image import illumination as module
from daybreak.image.camera import beta_gamma
from daybreak.image.illumination import exact_map, quick_map
from daybreak.image.rows import Floats
from daybreak.methods.crm import expose


def dark_photograph(height: int, width: int) -> np.ndarray:
    """A real picture enlarged, darkened by paper 3's rule (α = 1, γ = 1.5), with noise, in 8-bit steps."""
    clean = resize(astronaut() / 255, (height, width), order=3)
    noise = np.random.default_rng(0).normal(0, 0.008, clean.shape)
    dark = np.clip(clean - (1 - clean**1.5) * clean + noise, 0, 1)
    return (np.round(dark * 255) / 255).astype(np.float32)


def illumination(pixels: np.ndarray, smoothness: float, limit: float) -> np.ndarray:
    """The map as a whole plane."""
    return module.illumination(Floats(pixels), smoothness, limit).at(pixels, 0, 0)


def quick(pixels: np.ndarray, smoothness: float) -> np.ndarray:
    return quick_map(pixels, smoothness).whole()


def distance(pixels: np.ndarray) -> float:
    """PSNR in dB of CRM's result with the quick map against that with the exact one."""
    one, other = (
        expose(pixels.copy(), make(pixels, 0.5), 7.0, beta_gamma).astype(np.float64)
        for make in (quick, exact_map)
    )
    return float(-10 * np.log10(np.mean((one - other) ** 2)))


@pytest.mark.parametrize("quarter", [False, True])
def test_the_quick_map_is_within_40_db(monkeypatch, quarter):
    pixels = dark_photograph(800, 1101)
    monkeypatch.setattr(module, "QUARTER_FROM", 0 if quarter else 10**9)
    assert distance(pixels) > 40


@pytest.mark.parametrize("make", [exact_map, quick])
@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (64, 80), (37, 21)])
def test_constants_stay(make, shape):
    assert make(np.full((*shape, 3), 0.3, np.float32), 0.5) == pytest.approx(0.3, abs=1e-4)


@given(st.integers(1, 90), st.integers(1, 90), st.booleans())
@settings(deadline=None, max_examples=40)
def test_any_size_stays_in_range(height, width, exact):
    pixels = np.random.default_rng(0).random((height, width, 3), np.float32)
    light = illumination(pixels, 0.5, 1e9 if exact else 0)
    assert light.shape == (height, width)
    assert light.dtype == np.float32
    assert -0.2 < light.min() <= light.max() < 1.2  # the bicubic kernel may overshoot


def test_the_limit_decides():
    pixels = dark_photograph(40, 50)
    assert np.array_equal(illumination(pixels, 0.5, 2000), exact_map(pixels, 0.5))
    assert np.array_equal(illumination(pixels, 0.5, 1999), quick(pixels, 0.5))


def test_the_map_is_smoother_than_the_picture_and_keeps_its_mean():
    pixels = dark_photograph(120, 160)
    light, bright = exact_map(pixels, 0.5), pixels.max(axis=2)
    assert light.mean() == pytest.approx(bright.mean(), rel=0.01)
    assert np.abs(np.diff(light)).sum() < 0.5 * np.abs(np.diff(bright)).sum()


def test_more_smoothness_is_smoother():
    pixels = dark_photograph(120, 160)
    variation = [np.abs(np.diff(exact_map(pixels, amount))).sum() for amount in (0.05, 0.5, 5.0)]
    assert variation[0] > variation[1] > variation[2]
