"""Schedules: where they begin, drop and end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.training.recipe import Optimiser
from daybreak.training.schedule import factor


@given(steps=st.integers(2, 10_000))
def test_linear_holds_for_half_and_is_0_after_the_last_step(steps):
    told = Optimiser(schedule="linear")
    assert factor(told, 0, steps) == factor(told, steps // 2 - 1, steps) == 1
    assert factor(told, steps // 2, steps) < 1
    assert factor(told, steps - 1, steps) > 0
    assert factor(told, steps, steps) == pytest.approx(0, abs=1e-12)


@given(steps=st.integers(2, 1000), schedule=st.sampled_from(["constant", "linear", "step", "cosine"]))
def test_no_schedule_rises_but_in_its_warm_up(steps, schedule):
    told = Optimiser(schedule=schedule)
    factors = [factor(told, step, steps) for step in range(steps)]
    assert factors[0] == pytest.approx(1)
    assert all(later <= earlier for earlier, later in pairwise(factors))


def test_step_is_a_tenth_at_each_drop():
    told = Optimiser(schedule="step", drops=(0.25, 0.5))
    assert [factor(told, step, 8) for step in range(8)] == pytest.approx([1, 1, 0.1, 0.1, *[0.01] * 4])


def test_cosine_is_half_in_the_middle_and_ends_near_0():
    told = Optimiser(schedule="cosine")
    assert factor(told, 50, 100) == pytest.approx(0.5)
    assert factor(told, 100, 100) == pytest.approx(0)


def test_warm_up_grows_evenly():
    told = Optimiser(warmup=3)
    assert [factor(told, step, 100) for step in range(5)] == pytest.approx([0.25, 0.5, 0.75, 1, 1])
