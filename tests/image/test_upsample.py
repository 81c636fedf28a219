"""Enlarging along the edges of a guide."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.image.cascade import halve_plane
from daybreak.image.upsample import Doubled, enlarge, upsample_guided


def steps(height: int = 48, width: int = 64) -> np.ndarray:
    """A guide with an edge that does not fall between blocks of 2×2."""
    plane = np.full((height, width), 0.2, np.float32)
    plane[:, 31:] = 0.8
    return plane


def test_constants_stay():
    guide = steps()
    out = upsample_guided(np.full((24, 32), 0.4, np.float32), halve_plane(guide), guide)
    assert np.abs(out - 0.4).max() < 1e-5


def test_a_line_in_the_guide_comes_up_exact():
    guide = np.random.default_rng(0).random((48, 64), np.float32)
    small = halve_plane(guide)
    out = upsample_guided(3 * small - 1, small, guide, eps=1e-9)
    assert np.abs(out - (3 * guide - 1)).max() < 1e-3


def test_an_edge_gets_sharper_than_by_interpolation():
    guide = steps()
    small = halve_plane(guide)
    blurred = np.abs(enlarge(small, guide.shape) - guide).max()
    assert np.abs(upsample_guided(small, small, guide) - guide).max() < 0.1 * blurred


def test_a_flat_guide_gives_interpolation():
    small = np.random.default_rng(1).random((6, 7), np.float32)
    flat = np.full((12, 14), 0.5, np.float32)
    out = upsample_guided(small, halve_plane(flat), flat)
    assert out.shape == (12, 14)
    assert out.std() < small.std()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_any_size(shape):
    small = np.full(shape, 0.3, np.float32)
    large = np.full((2 * shape[0], 2 * shape[1]), 0.7, np.float32)
    assert upsample_guided(small, small, large) == pytest.approx(0.3, abs=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (7, 9), (20, 31)])
@pytest.mark.parametrize("missing", [0, 1, 3])
def test_a_plane_kept_at_half_size_has_the_rows_of_the_whole_one(shape, missing):
    half = np.random.default_rng(0).random(shape, np.float32)
    height, width = (max(1, 2 * side - missing) for side in shape)
    whole = enlarge(half, (2 * shape[0], 2 * shape[1]))[:height, :width]
    kept = Doubled(half, (height, width))
    assert np.array_equal(kept.whole(), whole)
    for top in range(height):
        for bottom in range(top + 1, height + 1):
            assert np.array_equal(kept[top:bottom], whole[top:bottom])
    for step in (1, 2, 3):
        few = kept.samples(step)
        assert few.shape == whole[::step, ::step].shape
        assert np.isin(few, half).all()
