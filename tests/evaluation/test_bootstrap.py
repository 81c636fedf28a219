"""Intervals and paired differences against what is known of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from daybreak.evaluation.bootstrap import compare, holm, interval


def test_the_interval_is_that_of_the_normal_mean_and_the_same_each_time():
    values = np.random.default_rng(1).normal(20.0, 3.0, 400).tolist()
    low, high = interval(values)
    half = 1.96 * np.std(values) / 20
    assert low == pytest.approx(np.mean(values) - half, abs=0.05)
    assert high == pytest.approx(np.mean(values) + half, abs=0.05)
    assert interval(values) == (low, high)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    hits = [low <= 0.0 <= high for low, high in (interval(rng.normal(size=30).tolist()) for _ in range(200))]
    assert 0.88 <= np.mean(hits) <= 0.99


@pytest.mark.parametrize("values", [[], [3.0], [1.0, math.inf], [1.0, math.nan]])
def test_where_there_is_no_interval_there_is_none(values):
    assert all(math.isnan(edge) for edge in interval(values))


def test_pairing_finds_a_difference_that_the_intervals_hide():
    rng = np.random.default_rng(3)
    scene = rng.normal(15.0, 5.0, 15)  # scenes differ by far more than methods do
    first = {str(i): float(scene[i] + 0.5 + rng.normal(0, 0.2)) for i in range(15)}
    second = {str(i): float(scene[i]) for i in range(15)}
    assert interval(list(first.values()))[0] < interval(list(second.values()))[1]
    found = compare(first, second)
    assert 0.3 < found.low < found.mean < found.high < 0.7
    assert found.p == 1e-4


def test_no_difference_is_not_called_one():
    rng = np.random.default_rng(4)
    first = {str(i): float(rng.normal()) for i in range(50)}
    found = compare(first, {name: value + rng.normal(0, 1) for name, value in first.items()})
    assert found.low < 0 < found.high
    assert found.p > 0.05


def test_only_pictures_that_both_have_are_compared():
    found = compare({"a": 1.0, "b": 2.0, "c": 9.0}, {"c": 8.0, "a": 1.0, "d": 0.0})
    assert found.n == 2
    assert found.mean == 0.5
    assert compare({"a": 1.0}, {"b": 2.0}).p == 1.0
    same = compare({"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 2.0})
    assert (same.low, same.high, same.p) == (0.0, 0.0, 1.0)
    assert math.isnan(compare({"a": math.inf, "b": 1.0}, {"a": 1.0, "b": 1.0}).low)


def test_holm_never_lowers_a_p_value_and_keeps_their_order():
    ps = [0.2, 1e-4, 0.03, 0.03, 1.0]
    adjusted = holm(ps)
    assert all(after >= before for before, after in zip(ps, adjusted, strict=True))
    assert adjusted[1] == pytest.approx(5e-4)
    assert max(adjusted) == 1.0
    assert np.argsort(adjusted, kind="stable").tolist() == np.argsort(ps, kind="stable").tolist()


@pytest.mark.parametrize(("n", "least"), [(2, 0.5), (5, 0.0625), (6, 1e-4), (30, 1e-4)])
def test_few_pictures_that_all_agree_prove_little(n, least):
    found = compare({str(i): 20.0 + i for i in range(n)}, {str(i): 10.0 + 1.1 * i for i in range(n)})
    assert found.p == pytest.approx(least)
