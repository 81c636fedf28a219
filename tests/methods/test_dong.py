"""Laws of Dong's method."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.methods import get_method
from daybreak.methods.dong import atmosphere, transmission

DONG = get_method("dong")


def test_white_stays_white_and_black_is_finite():
    white = np.ones((20, 30, 3), np.float32)
    assert np.array_equal(DONG.enhance(white), white)
    assert np.isfinite(DONG.enhance(np.zeros_like(white))).all()


def test_the_atmosphere_is_the_brightest_of_the_haziest_wherever_it_stands():
    rng = np.random.default_rng(0)
    inverted = rng.random((100, 100, 3)).astype(np.float32)
    dark = rng.random((100, 100)).astype(np.float32)
    haziest = np.argsort(-dark.ravel())[:20]  # 0.2 % of 10,000
    candidates = inverted.reshape(-1, 3)[haziest]
    expected = candidates[candidates.mean(axis=1).argmax()]
    assert np.array_equal(atmosphere(inverted, dark), expected)
    assert np.array_equal(atmosphere(inverted[::-1, ::-1].copy(), dark[::-1, ::-1].copy()), expected)


@settings(max_examples=50)
@given(minimum=st.floats(0, 1, width=32), omega=st.floats(0, 1))
def test_transmission_follows_its_formula(minimum, omega):
    minima = np.full((1, 1, 3), minimum, np.float32)
    plain = max(1 - omega * minimum, 1e-7)
    expected = 2 * plain**2 if plain < 0.5 else plain
    found = transmission(minima, np.ones(3, np.float32), omega)
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_no_haze_removed_leaves_the_picture():
    picture = np.random.default_rng(1).random((30, 40, 3)).astype(np.float32)
    assert np.allclose(DONG.enhance(picture, omega=0.0), picture, atol=1e-6)


def test_more_haze_removed_is_brighter():
    picture = np.random.default_rng(1).random((30, 40, 3)).astype(np.float32) * 0.2
    means = [DONG.enhance(picture, omega=omega).mean() for omega in (0.2, 0.5, 0.8)]
    assert means == sorted(means)
