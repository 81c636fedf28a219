"""Cells cover a picture and their means are its means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.image.cells import cell_means, grid_of
from daybreak.image.rows import Levels


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_a_grid_fits_any_picture(height, width):
    rows, columns = grid_of((height, width, 3))
    assert 1 <= rows <= min(height, 64)
    assert 1 <= columns <= min(width, 64)


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 3, 3), (1, 900, 3), (48, 64, 3), (367, 641, 3)])
def test_levels_and_pixels_have_the_same_means(shape):
    whole = np.random.default_rng(0).integers(0, 50, shape).astype(np.uint8)
    grid = grid_of(shape)
    means = cell_means(Levels(whole, 255), grid)
    assert means.shape == (*grid, 3)
    assert means.dtype == np.float32
    pixels = (whole / 255).astype(np.float32)
    assert np.abs(means - cell_means(pixels, grid)).max() < 0.3 / 255
    assert means.mean() == pytest.approx(pixels.mean(), abs=0.2 / 255)


def test_a_cell_is_the_mean_of_its_pixels():
    whole = np.random.default_rng(0).integers(0, 65535, (48, 64, 3)).astype(np.uint16)
    means = cell_means(Levels(whole, 65535), (6, 8))
    expected = whole.reshape(6, 8, 8, 8, 3).mean(axis=(1, 3)) / 65535
    assert np.allclose(means, expected, atol=1e-5)
