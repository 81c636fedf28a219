from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak import metrics


@given(st.floats(0.05, 1.0))
def test_a_scaled_reference_becomes_the_reference(factor):
    truth = np.random.default_rng(0).random((12, 14, 3))
    assert metrics.psnr(metrics.gt_mean(truth * factor, truth), truth) > 100


def test_an_output_that_is_its_reference_stays_infinite():
    truth = np.arange(256, dtype=np.uint8).repeat(9).reshape(48, 16, 3)  # every level
    assert metrics.psnr(metrics.gt_mean(truth, truth), truth) == np.inf


def test_published_figure(astronaut, dark_astronaut):
    # published with three decimals
    scaled = metrics.gt_mean(dark_astronaut, astronaut)
    assert metrics.psnr(scaled, astronaut) == pytest.approx(45.610, abs=5e-4)


def test_a_black_output_stays_black_and_a_bright_one_is_clipped():
    black, gray = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 100, np.uint8)
    assert np.array_equal(metrics.gt_mean(black, gray), np.zeros((4, 4, 3)))
    spotted = black.copy()
    spotted[0, 0] = 200
    assert metrics.gt_mean(spotted, gray).max() == 1.0


def test_it_is_no_metric():
    assert not metrics.list_metrics("*mean*")
