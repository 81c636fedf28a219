"""Strength and exposure: what they promise for any picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.enhancing.amount import MAX_STRENGTH, amount_for, blend, check_amount, mean_light
from daybreak.enhancing.enhancer import Enhancer
from daybreak.errors import BadSetting
from daybreak.image.rows import Levels
from daybreak.weights import find_weight


def pair(seed: int = 0, shape=(40, 60)):
    """A dark picture and a brighter one of the same scene, float32 H×W×3."""
    rng = np.random.default_rng(seed)
    dark = (rng.random((*shape, 3)) ** 2 * 0.3).astype(np.float32)
    return dark, (dark**0.5).astype(np.float32)


def test_strength_0_is_the_input_and_1_the_result():
    dark, bright = pair()
    assert blend(dark, bright, 0.0) is dark
    assert blend(dark, bright, 1.0) is bright


@given(st.floats(0.0, MAX_STRENGTH), st.floats(0.0, MAX_STRENGTH))
@settings(max_examples=30, deadline=None)
def test_brightness_rises_with_strength_and_stays_in_range(one, two):
    dark, bright = pair()
    low, high = (blend(dark, bright.copy(), s) for s in sorted((one, two)))
    assert low.mean() <= high.mean() + 1e-6
    assert high.min() >= 0
    assert high.max() <= 1


def test_beyond_1_extrapolates():
    dark, bright = pair()
    out = blend(dark, bright.copy(), 1.5)
    assert np.allclose(out, np.clip(dark + 1.5 * (bright - dark), 0, 1), atol=1e-6)


@pytest.mark.parametrize("stops", [-3.0, -0.5, 0.0, 0.7, 1.5, 2.5, 4.0])
def test_exposure_reaches_the_brightness_asked_for(stops):
    dark, bright = pair()
    out = amount_for(dark, bright, stops)(dark, bright.copy())
    reached = np.log2(mean_light(out) / mean_light(dark))
    assert reached == pytest.approx(stops, abs=0.05)
    assert 0 <= out.min() <= out.max() <= 1


def test_exposure_is_measured_on_large_pictures_too():
    dark, bright = pair(shape=(900, 1100))
    out = amount_for(dark, bright, 1.2)(dark, bright.copy())
    assert np.log2(mean_light(out) / mean_light(dark)) == pytest.approx(1.2, abs=0.05)


def test_an_exposure_above_white_gives_what_can_be_had():
    dark, bright = pair()
    assert amount_for(dark, bright, 10.0)(dark, bright.copy()).mean() > 0.99


@pytest.mark.parametrize("stops", [-1.0, 1.2])
def test_an_exposure_that_is_reached_needs_no_word(stops):
    dark, _ = pair()
    assert Enhancer("gamma", gamma=1.5, exposure=stops).run(dark).missed == ""


def test_a_method_that_makes_darks_black_does_not_keep_an_exposure_from_being_reached():
    """Stars in a dim sky: beyond its full strength, equalisation takes the sky to black."""
    rng = np.random.default_rng(0)
    sky = np.full((300, 300, 3), 0.1, np.float32)
    sky[rng.integers(0, 300, 120), rng.integers(0, 300, 120)] = 1.0
    assert Enhancer("he", exposure=1.0).run(sky).missed == ""


def test_how_far_an_exposure_came_is_told():
    dark, _ = pair()
    outcome = Enhancer("gamma", gamma=1.5, exposure=10.0).run(dark)
    reached = np.log2(mean_light(outcome.pixels) / mean_light(dark))
    assert outcome.missed == f"{reached:+.1f} EV of the +10 asked for"
    levels = Levels((dark * 255).round().astype(np.uint8), 255)
    assert Enhancer("gamma", gamma=1.5, exposure=10.0).run(levels).missed.endswith(" EV of the +10 asked for")
    black = np.zeros((4, 5, 3), np.float32)
    assert Enhancer("gamma", gamma=1.5, exposure=1.0).run(black).missed == ""


@pytest.mark.parametrize(
    ("strength", "exposure"), [(-0.1, None), (1.6, None), (float("nan"), None), (1.0, 11.0), (0.5, 1.0)]
)
def test_amounts_out_of_range_are_refused(strength, exposure):
    with pytest.raises(BadSetting):
        check_amount(strength, exposure)


@pytest.mark.parametrize("strength", [0.5, 1.25])
def test_a_network_that_takes_alpha_is_given_a_share_of_its_own(strength):
    dark, _ = pair(shape=(32, 48))
    control = find_weight("alpha-residual.synthetic").card.control
    alpha = control.intercept + control.slope * float(dark.mean(dtype=np.float64))
    made = Enhancer("alpha-residual", strength=strength).run(dark).pixels
    told = Enhancer("alpha-residual", alpha=alpha * strength).run(dark).pixels
    np.testing.assert_allclose(made, told, atol=1e-6)
    assert np.abs(made - Enhancer("alpha-residual").run(dark).pixels).mean() > 0.01
