"""Where a comparison looks closer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.enhancing.crops import ZOOMED, Crop, choose_crops


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 300), width=st.integers(1, 3000), seed=st.integers(0, 5), flat=st.booleans())
def test_crops_lie_in_the_picture_and_never_on_each_other(height, width, seed, flat):
    pixels = np.random.default_rng(seed).random((height, width, 3), dtype=np.float32)
    crops = choose_crops(np.full_like(pixels, 0.3) if flat else pixels)
    assert 1 <= len(crops) <= 2
    covered = np.zeros((height, width), int)
    for crop in crops:
        assert crop.width >= 1
        assert crop.height >= 1
        part = covered[crop.y : crop.y + crop.height, crop.x : crop.x + crop.width]
        assert part.shape == (crop.height, crop.width)
        part += 1
    assert covered.max() == 1


@pytest.mark.parametrize("scale", [1, 4])
def test_they_find_the_dark_detail_and_the_texture(scale):
    pixels = np.full((300, 400, 3), 0.002, np.float32)
    pixels[:, 200:] = 0.3
    rng = np.random.default_rng(3)
    pixels[60:140, 40:120] = 0.004 + 0.012 * rng.random((80, 80, 1), dtype=np.float32)  # dark, but something
    pixels[160:240, 280:360] = rng.random((80, 80, 1), dtype=np.float32)  # bright texture
    large = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    dark, textured = choose_crops(large)

    def overlap(crop, y, x):
        rows = min(crop.y + crop.height, (y + 80) * scale) - max(crop.y, y * scale)
        columns = min(crop.x + crop.width, (x + 80) * scale) - max(crop.x, x * scale)
        return max(rows, 0) * max(columns, 0) / (crop.width * crop.height)

    assert overlap(dark, 60, 40) > 0.2
    assert overlap(textured, 160, 280) > 0.9


@pytest.mark.parametrize("shape", [(400, 600), (3000, 4000), (100, 90)])
def test_a_crop_is_enlarged_by_a_whole_number(shape):
    for crop in choose_crops(np.zeros((*shape, 3), np.float32)):
        assert crop.width == crop.height
        assert ZOOMED // crop.width >= 2


def test_a_crop_shows_the_same_in_a_result_twice_as_large():
    pixels = np.random.default_rng(0).random((40, 60, 3), dtype=np.float32)
    crop = Crop(7, 5, 11, 9)
    double = pixels.repeat(2, axis=0).repeat(2, axis=1)
    assert np.array_equal(crop.cut(double, pixels.shape)[::2, ::2], crop.cut(pixels, pixels.shape))
