"""Pictures of whole numbers, band by band; what is done value by value is looked up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.enhancing.bands import enhance_levels
from daybreak.image.rows import Levels, mean
from daybreak.methods.base import Prepared, parse_settings
from daybreak.methods.registry import get_method

POINT = ("gamma", "daybreak.curve")


def some(height: int, width: int, peak: int, seed: int) -> Levels:
    kind = np.uint8 if peak < 256 else np.uint16
    rng = np.random.default_rng(seed)
    return Levels((rng.random((height, width, 3)) ** 3 * peak).round().astype(kind), peak)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 90),
    st.integers(1, 40),
    st.sampled_from([255, 1023, 4095, 65535]),
    st.sampled_from([0.3, 1.0, 1.4]),
    st.integers(0, 9),
)
def test_a_table_gives_what_each_value_would_get(height, width, peak, strength, seed):
    levels = some(height, width, peak, seed)
    before = levels.whole.copy()

    def run(window, _top, _left):
        return np.clip(window ** np.array([0.4, 0.5, 1.3], np.float32) * 1.1, 0, 1)

    one_by_one = Prepared(run)
    made = enhance_levels(levels, replace(one_by_one, point=True), strength)
    wanted = enhance_levels(levels, one_by_one, strength)
    assert np.array_equal(made.whole, wanted.whole)
    assert (made.peak, made.whole.dtype) == (wanted.peak, wanted.whole.dtype)
    assert np.array_equal(levels.whole, before), "the picture was changed"


@pytest.mark.parametrize("name", POINT)
@pytest.mark.parametrize("peak", [255, 65535])
def test_methods_that_say_so_are_pointwise(name, peak):
    method, levels = get_method(name), some(70, 90, peak, 1)
    prepared = method.prepare(levels, parse_settings(method.card, {}), None)
    assert prepared.point
    table, floats = (
        enhance_levels(levels, replace(prepared, point=point), 1.0).whole.astype(int)
        for point in (True, False)
    )
    assert np.abs(table - floats).max() <= 1, "rounding alone"


@pytest.mark.parametrize("name", ["gamma", "daybreak", "crm"])
@pytest.mark.parametrize("peak", [255, 65535])
def test_the_mean_is_known_from_the_bands(name, peak):
    method, levels = get_method(name), some(301, 90, peak, 2)
    chosen = parse_settings(method.card, {})
    made = enhance_levels(levels, method.prepare(levels, chosen, None), 1.0)
    made.once("mean", lambda: pytest.fail("looked for again"))
    assert mean(made) == pytest.approx(made.whole.mean() / peak, abs=1e-9)
    assert mean(Levels(made.whole, made.peak)) == pytest.approx(mean(made), abs=1e-9)


@pytest.mark.parametrize("peak", [255, 4095, 65535])
@pytest.mark.parametrize("shape", [(1, 1), (9, 3), (17, 31), (301, 90)])
def test_planes_give_what_the_floats_get(peak, shape):
    method, levels = get_method("daybreak.fast"), some(*shape, peak, 3)
    chosen = method.settle(levels, parse_settings(method.card, {}))
    for strength in (1.0, 0.5):
        made = enhance_levels(levels, method.prepare(levels, chosen, None), strength)
        floats = method.run(levels[:], chosen)
        wanted = (strength * floats + (1.0 - strength) * levels[:]) * made.peak
        assert np.abs(made.whole - wanted).max() < 0.52 + 2e-6 * made.peak, "rounding alone"
