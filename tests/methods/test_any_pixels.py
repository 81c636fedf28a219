"""Closed-form methods on arbitrary float32 pictures: no warning, no NaN, the range kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from daybreak.methods import get_method

PIXELS = arrays(
    np.float32,
    st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3)),
    elements=st.one_of(st.floats(0, 1, width=32), st.sampled_from([0.0, 1.0, 1 / 255, 0.5])).map(np.float32),
)


@pytest.mark.parametrize("name", ["he", "clahe", "ssr", "msr", "msrcr", "dong", "npe", "mf"])
@settings(max_examples=40, deadline=None)
@given(pixels=PIXELS)
def test_any_pixels(name, pixels):
    out = get_method(name).enhance(pixels)
    assert out.shape == pixels.shape
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert out.min() >= 0
    assert out.max() <= 1


@pytest.mark.parametrize("name", ["he", "clahe", "ssr", "msr", "msrcr", "dong", "npe", "mf"])
def test_gray_stays_gray(name):
    gray = np.random.default_rng(0).random((40, 51, 1)).astype(np.float32) ** 3
    out = get_method(name).enhance(np.repeat(gray, 3, axis=2))
    assert np.ptp(out, axis=2).max() < 1e-4
