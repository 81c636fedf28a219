"""Levels to float and back: exact, and as NumPy would do it slowly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from daybreak.image.depth import to_float, to_levels


@pytest.mark.parametrize(("dtype", "bits"), [(np.uint8, 8), (np.uint16, 16)])
def test_every_level_comes_back_as_itself(dtype, bits):
    levels = np.arange(1 << bits, dtype=dtype).reshape(1, -1)
    values = to_float(levels, (1 << bits) - 1)
    assert values.dtype == np.float32
    assert values.min() == 0
    assert values.max() == 1
    np.testing.assert_array_equal(to_levels(values, bits), levels)


shapes = hnp.array_shapes(min_dims=2, max_dims=3, max_side=9)
values = st.floats(-2, 3, width=32)


@given(array=hnp.arrays(np.float32, shapes, elements=values), bits=st.sampled_from([8, 10, 12, 16]))
def test_clip_then_round_to_nearest(array, bits):
    peak = (1 << bits) - 1
    levels = to_levels(array, bits)
    assert levels.shape == array.shape
    assert levels.dtype == (np.uint8 if bits == 8 else np.uint16)
    np.testing.assert_array_equal(levels, np.clip(np.rint(array * np.float32(peak)), 0, peak))


@given(
    array=hnp.arrays(np.float32, shapes, elements=st.floats(0, 3, width=32)), bits=st.sampled_from([8, 16])
)
def test_what_is_known_to_be_clipped_is_rounded_alike(array, bits):
    np.testing.assert_array_equal(to_levels(array, bits, clipped=True), to_levels(array, bits))


def test_halves_between_two_levels_are_rounded_alike():
    halves = ((np.arange(255) + 0.5) / 255).astype(np.float32)
    near = [np.nextafter(halves, np.float32(0)), halves, np.nextafter(halves, np.float32(1))]
    array = np.concatenate(near).reshape(1, -1)
    np.testing.assert_array_equal(to_levels(array, 8, clipped=True), to_levels(array, 8))
