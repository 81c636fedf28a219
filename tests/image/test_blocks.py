"""Reduced copies by whole blocks."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from daybreak.image import blocks
from daybreak.image.rows import Floats


class Watched(Floats):
    """Remembers what was asked of it."""

    def __init__(self, pixels):
        super().__init__(pixels)
        self.asked = []

    def band(self, top, bottom):
        self.asked.append((top, bottom))
        return super().band(top, bottom)


@given(st.integers(1, 60), st.integers(1, 40), st.integers(1, 70), st.sampled_from([1, 100, 1000, 1 << 22]))
def test_the_middle_of_each_block_is_taken_from_bands_that_are_no_larger_than_need_be(
    height, width, side, most
):
    pixels = np.random.default_rng(0).random((height, width, 3), np.float32)
    source, before = Watched(pixels), blocks._AT_ONCE
    blocks._AT_ONCE = most
    try:
        copy = blocks.block_pixels(source, side)
    finally:
        blocks._AT_ONCE = before
    middles = [np.minimum(np.arange(0, length, side) + side // 2, length - 1) for length in (height, width)]
    assert np.array_equal(copy, pixels[np.ix_(*middles)])
    assert source.asked == sorted(source.asked), "from top to bottom"
    for top, bottom in source.asked:
        assert bottom - top == 1 or (bottom - top) * width <= most
