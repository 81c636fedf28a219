"""Levels looked at as floats, and their brightest channel."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.image.color import value
from daybreak.image.rows import Levels, sparse


@pytest.mark.parametrize(("dtype", "peak"), [(np.uint8, 255), (np.uint16, 65_535), (np.uint16, 65_472)])
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 3), (9, 1, 3), (8, 5, 3)])
def test_the_brightest_channel_is_that_of_the_floats(dtype, peak, shape):
    levels = Levels(np.random.default_rng(0).integers(0, peak + 1, shape).astype(dtype), peak)
    for rows in (slice(0, shape[0]), slice(shape[0] // 2, shape[0])):
        assert np.array_equal(levels.value(rows), value(levels[rows]))


@pytest.mark.parametrize(("dtype", "peak"), [(np.uint8, 255), (np.uint16, 65_535)])
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 3), (9, 1, 3), (8, 5, 3)])
@pytest.mark.parametrize("step", [1, 2, 3, 20])
def test_sparse_pixels_are_those_of_the_slices(dtype, peak, shape, step):
    whole = np.random.default_rng(0).integers(0, peak + 1, shape).astype(dtype)
    for stored in (whole, np.asfortranarray(whole)):  # neither layout matters
        levels = Levels(stored, peak)
        wanted = levels[::step, ::step]
        assert np.array_equal(sparse(levels, step), wanted)
        assert np.array_equal(sparse(levels[:], step), wanted)


@pytest.mark.parametrize(("dtype", "peak"), [(np.uint8, 255), (np.uint16, 4095)])
@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 5, 3), (40, 33, 3)])
def test_planes_are_the_floats_apart(dtype, peak, shape):
    whole = np.random.default_rng(0).integers(0, peak + 1, shape).astype(dtype)
    for stored in (whole, whole[::-1], np.asfortranarray(whole)):
        levels, rows = Levels(stored, peak), slice(shape[0] // 3, shape[0])
        np.testing.assert_array_equal(levels.planes(rows), levels[rows].transpose(2, 0, 1))
