"""Equalisation against OpenCV's on 8 bits, and what it keeps beyond them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from daybreak.image.tone import (
    LEVELS,
    TileCurves,
    apply_curve,
    equalizing_curve,
    histogram,
    limit_histogram,
)


def equalize(plane: np.ndarray) -> np.ndarray:
    """Global equalisation, as `he` does it on each plane."""
    return apply_curve(plane, equalizing_curve(histogram(plane)))


def equalize_tiles(plane: np.ndarray, tiles: int, clip: float) -> np.ndarray:
    """Equalisation by tiles of a plane in one piece, as `clahe` does it on the lightness."""
    curves = TileCurves(plane.shape, tiles, clip)
    curves.count(plane, 0, 0)
    return curves.read(plane, 0, 0)


def scene(height: int, width: int) -> np.ndarray:
    """A smooth dark plane with noise, uint8."""
    rng = np.random.default_rng(3)
    smooth = cv2.GaussianBlur(rng.random((height, width)), (0, 0), 6)
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    return np.clip(100 * smooth**2 + rng.normal(0, 3, smooth.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shape", [(64, 96), (33, 47), (1, 200), (200, 1), (1, 1)], ids=str)
def test_equalize_is_opencvs_on_8_bits(shape):
    plane = scene(96, 200)[: shape[0], : shape[1]]
    ours = equalize(plane / np.float32(255)) * 255
    assert np.abs(ours - cv2.equalizeHist(plane)).max() <= 0.501  # OpenCV rounds, we do not


@pytest.mark.parametrize("clip", [1.0, 2.0, 4.0, 40.0])
@pytest.mark.parametrize(("shape", "tiles"), [((64, 96), 8), ((400, 600), 8), ((60, 90), 3)])
def test_equalize_tiles_is_opencvs_on_8_bits(shape, tiles, clip):
    plane = scene(*shape)
    reference = cv2.createCLAHE(clip, (tiles, tiles)).apply(plane)
    ours = equalize_tiles(plane / np.float32(255), tiles, clip) * 255
    assert np.abs(ours - reference).max() < 1.0  # OpenCV rounds its tables and its result


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 50), (50, 1), (7, 5), (65, 97)], ids=str)
@pytest.mark.parametrize("tiles", [1, 8, 64])
def test_equalize_tiles_takes_any_size(shape, tiles):
    plane = scene(65, 97)[: shape[0], : shape[1]] / np.float32(255)
    out = equalize_tiles(plane, tiles, 2.0)
    assert out.shape == plane.shape
    assert out.min() >= 0
    assert out.max() <= 1


@pytest.mark.parametrize("equalise", [equalize, lambda p: equalize_tiles(p, 8, 2.0)], ids=["he", "clahe"])
def test_more_than_256_levels_survive(equalise):
    plane = np.linspace(0, 0.5, 128 * 128, dtype=np.float32).reshape(128, 128)
    assert len(np.unique(equalise(plane))) > 5000


def test_equalising_keeps_the_order_of_values():
    plane = np.sort(np.random.default_rng(0).random((1, 4000), dtype=np.float32) ** 3)
    assert (np.diff(equalize(plane)) >= 0).all()


def test_a_single_level_is_left_alone():
    for level in (0.0, 0.3, 1.0):
        plane = np.full((9, 9), level, np.float32)
        assert np.allclose(equalize(plane), plane, atol=1e-6)


@given(
    counts=arrays(np.int64, LEVELS, elements=st.integers(0, 5000)).filter(lambda c: c.sum() > 0),
    clip=st.floats(1, 40),
)
def test_laws_of_histograms(counts, clip):
    limited = limit_histogram(counts.astype(np.float64), clip)
    assert limited.sum() == counts.sum()
    assert limited.min() >= 0
    curve = equalizing_curve(counts.astype(np.float64))
    assert curve[0] == 0
    assert curve[-1] == 1
    assert (np.diff(curve) >= 0).all()


@given(
    plane=arrays(np.float32, (3, 4), elements=st.floats(0, 1, width=32)),
    curve=arrays(np.float32, st.integers(2, LEVELS), elements=st.floats(0, 1, width=32)),
)
def test_apply_curve_interpolates(plane, curve):
    expected = np.interp(plane * np.float32(len(curve) - 1), np.arange(len(curve)), curve)
    assert np.allclose(apply_curve(plane, curve), expected, atol=1e-5)


def test_histogram_counts_rounded_levels():
    plane = np.array([[0, 0.4 / 255, 0.6 / 255, 1]], np.float32)
    counts = histogram(plane)
    assert counts[[0, 1, 255]].tolist() == [2, 1, 1]
    assert counts.sum() == 4
