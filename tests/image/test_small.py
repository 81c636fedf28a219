"""The small copy is the network's own thumbnail, whatever the picture is kept as."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.image.rows import Levels
from daybreak.image.small import small_copy


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 700), st.integers(1, 90), st.integers(1, 70))
def test_its_mean_is_the_pictures(height, width, side):
    pixels = np.random.default_rng(height).random((height, width, 3), np.float32)
    small = small_copy(pixels, side)
    assert small.shape == (side, side, 3)
    assert small.mean((0, 1)) == pytest.approx(pixels.mean((0, 1)), abs=1e-4)


def test_levels_are_not_rounded_on_the_way():
    levels = np.random.default_rng(1).integers(0, 4, (300, 200, 3), np.uint8)
    floats = levels.astype(np.float32) / 255
    np.testing.assert_allclose(small_copy(Levels(levels, 255), 16), small_copy(floats, 16), atol=1e-6)


def test_it_is_what_the_network_makes_of_the_whole_picture():
    torch = pytest.importorskip("torch")
    from daybreak.layers.thumbnail import thumbnail

    pixels = np.random.default_rng(2).random((331, 57, 3), np.float32)
    theirs = thumbnail(torch.from_numpy(pixels).permute(2, 0, 1)[None], 64)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(small_copy(pixels, 64), theirs, atol=1e-5)
