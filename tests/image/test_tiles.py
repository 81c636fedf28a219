"""Tiles with their halo give what one piece gives."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.image.tiles import in_tiles, spans


@given(length=st.integers(1, 5000), cells=st.integers(1, 600), cell=st.sampled_from([1, 1, 8, 16]))
def test_spans_cover_once_and_keep_to_the_side_and_the_cells(length, cells, cell):
    side = cells * cell
    cut = spans(length, side, cell)
    assert all(start % cell == 0 for start, _ in cut)
    assert [i for start, end in cut for i in (start, end)][1:-1] == [e for _, e in cut[:-1] for _ in (0, 1)]
    assert cut[0][0] == 0
    assert cut[-1][1] == length
    sizes = [end - start for start, end in cut]
    assert max(sizes) <= side
    assert max(sizes) - min(sizes) <= (1 if cell == 1 else 2 * cell - 1)  # the last cell may be cut


def blur(pixels):
    """A local function with a reach of 3 that repeats the border."""
    out = cv2.blur(np.ascontiguousarray(pixels), (7, 7), borderType=cv2.BORDER_REPLICATE)
    return out.reshape(pixels.shape)


@settings(max_examples=40, deadline=None)
@given(height=st.integers(1, 60), width=st.integers(1, 60), side=st.integers(4, 40), seed=st.integers(0, 9))
def test_equals_one_piece(height, width, side, seed):
    pixels = np.random.default_rng(seed).random((height, width, 3), np.float32)
    np.testing.assert_allclose(in_tiles(blur, pixels, 3, side), blur(pixels), atol=1e-6)


def test_too_small_a_halo_is_seen():
    pixels = np.random.default_rng(0).random((60, 60, 3), np.float32)
    assert np.abs(in_tiles(blur, pixels, 2, 20) - blur(pixels)).max() > 1e-3


def test_an_error_in_a_tile_comes_out():
    def fail(pixels):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        in_tiles(fail, np.zeros((50, 50, 3), np.float32), 1, 20)
