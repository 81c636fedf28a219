from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from daybreak.data.synthetic import (
    ALPHA,
    GAMMA,
    SIGMA,
    Darkening,
    dark_version,
    darken,
    difference,
    draw,
    synthesise,
)
from daybreak.errors import BadSetting

PICTURES = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3)),
    elements=st.floats(0, 1, width=32),
)
ALPHAS = st.floats(0, 3)
GAMMAS = st.floats(0.1, 5)


@given(PICTURES, GAMMAS)
def test_alpha_zero_is_the_identity(clean, gamma):
    assert np.array_equal(darken(clean, 0.0, gamma), clean)


@given(ALPHAS, GAMMAS)
def test_black_and_white_stay(alpha, gamma):
    ends = np.array([0, 1], np.float32)
    assert np.array_equal(darken(ends, alpha, gamma), ends)


@given(PICTURES, ALPHAS, GAMMAS)
def test_the_clean_picture_is_the_dark_one_plus_alpha_times_the_difference(clean, alpha, gamma):
    dark = darken(clean, alpha, gamma)
    kept = dark > 0
    rebuilt = dark + np.float32(alpha) * difference(clean, gamma)
    # three float32 roundings of numbers up to 3
    assert np.allclose(rebuilt[kept], clean[kept], rtol=0, atol=1e-6)
    if alpha <= 1:  # nothing is clipped
        assert np.allclose(rebuilt, clean, rtol=0, atol=1e-6)


@given(PICTURES, st.tuples(ALPHAS, ALPHAS).map(sorted), GAMMAS)
def test_more_alpha_is_never_brighter(clean, alphas, gamma):
    less, more = (darken(clean, alpha, gamma) for alpha in alphas)
    assert (more <= less).all()
    assert (less <= clean).all()


@given(PICTURES, ALPHAS, GAMMAS, st.floats(0, 1), st.booleans(), st.integers(0, 2**32))
def test_range_dtype_and_seed(clean, alpha, gamma, sigma, quantise, seed):
    before = clean.copy()
    once, again = (
        synthesise(clean, Darkening(alpha, gamma, sigma), np.random.default_rng(seed), quantise)
        for _ in range(2)
    )
    assert np.array_equal(once, again)
    assert np.array_equal(clean, before)
    assert once.dtype == np.float32
    assert once.shape == clean.shape
    assert once.min() >= 0
    assert once.max() <= 1
    if quantise:
        levels = once.astype(np.float64) * 255
        assert np.allclose(levels, np.rint(levels), atol=1e-4)


def test_equation_5_by_hand():
    clean = np.float32([0.5])
    assert difference(clean, 1.0) == pytest.approx(0.25)
    assert darken(clean, 1.0, 1.0) == pytest.approx(0.25)
    assert darken(clean, 2.0, 2.0) == 0.0  # 0.5 - 2 · 0.75 · 0.5 is negative


def test_draws_fill_their_ranges_and_half_of_them_are_noisy():
    rng = np.random.default_rng(0)
    draws = [draw(rng) for _ in range(2000)]
    for values, (low, high) in (
        ([d.alpha for d in draws], ALPHA),
        ([d.gamma for d in draws], GAMMA),
        ([d.sigma for d in draws if d.sigma], SIGMA),
    ):
        assert low <= min(values) < low + 0.02 * (high - low)
        assert high >= max(values) > high - 0.02 * (high - low)
    share = np.mean([d.sigma > 0 for d in draws])
    assert 0.46 < share < 0.54  # 3.6 standard deviations of a fair coin thrown 2000 times


def test_noise_has_the_asked_strength():
    gray = np.full((200, 200, 3), 0.5, np.float32)
    noisy = synthesise(gray, Darkening(0.0, 1.0, 0.03), np.random.default_rng(1), quantise=False)
    assert (noisy - gray).std() == pytest.approx(0.03, rel=0.02)  # 120,000 samples: 0.2 % expected error


def test_a_picture_keeps_its_partner_whatever_else_is_in_the_set():
    clean = np.random.default_rng(0).random((8, 8, 3), dtype=np.float32)
    first, drawn = dark_version(clean, "kodim01", seed=3)
    again, same = dark_version(clean, "kodim01", seed=3)
    assert np.array_equal(first, again)
    assert drawn == same
    assert dark_version(clean, "kodim02", seed=3)[1] != drawn
    assert dark_version(clean, "kodim01", seed=4)[1] != drawn


@pytest.mark.parametrize(
    "bad", [(-0.1, 1, 0), (1, 0, 0), (1, 1, -1), (float("nan"), 1, 0), (1, float("inf"), 0)]
)
def test_impossible_settings_are_refused(bad):
    with pytest.raises(BadSetting, match="gamma above 0"):
        Darkening(*bad)
