"""PCQI against its equation written out patch by patch, closed forms and published figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak import metrics
from daybreak.errors import MetricError


def by_hand(reference: np.ndarray, output: np.ndarray) -> float:
    """The paper's equations for every patch, in plain float64."""
    axis = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    w = np.outer(axis, axis) / axis.sum() ** 2
    scores = []
    for i in range(reference.shape[0] - 10):
        for j in range(reference.shape[1] - 10):
            x, y = (p[i : i + 11, j : j + 11].astype(float) for p in (reference, output))
            mx, my = (w * x).sum(), (w * y).sum()
            vx, vy = (w * (x - mx) ** 2).sum(), (w * (y - my) ** 2).sum()
            c = (w * (x - mx) * (y - my)).sum()
            change = 4 / math.pi * math.atan((c + 3) / (vx + 3))
            structure = (c + 3) / (math.sqrt(vx * vy) + 3)
            scores.append(change * structure * math.exp(-abs(mx - my) / 256))
    return float(np.mean(scores))


def test_equal_to_the_equations():
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 256, (2, 20, 23), dtype=np.uint8)
    assert metrics.pcqi(x, y) == pytest.approx(by_hand(x, y), abs=1e-10)
    flat = np.full((20, 23), 90, np.uint8)
    # published as E[x²] - μ², which is 1e-12 instead of 0 on a flat patch and stands under a root
    assert metrics.pcqi(flat, y) == pytest.approx(by_hand(flat, y), abs=1e-4)


@given(st.integers(0, 100))
def test_a_constant_offset_costs_its_exponential(offset):
    picture = np.random.default_rng(0).integers(0, 150, (16, 18), dtype=np.uint8)
    expected = math.exp(-offset / 256)  # offset 10 gives the published 0.96169061
    assert metrics.pcqi(picture, picture + np.uint8(offset)) == pytest.approx(expected, abs=1e-10)


# Published with five decimals; the specification asks for 1e-4.
def test_published_figures(lcg_pair, camera, dark_camera):
    first, second = lcg_pair
    assert metrics.pcqi(first, second) == pytest.approx(0.73271, abs=1e-5)
    assert metrics.pcqi(second, first) == pytest.approx(0.79621, abs=1e-5)
    assert metrics.pcqi(camera, dark_camera) == pytest.approx(0.75328, abs=1e-5)
    assert metrics.pcqi(dark_camera, camera) == pytest.approx(0.81322, abs=1e-5)
    pale = ((camera.astype(float) - 128) / 2 + 128) / 255
    assert metrics.pcqi(camera, pale) == pytest.approx(0.65470, abs=1e-5)


def test_more_contrast_scores_above_one():
    picture = np.random.default_rng(1).integers(100, 140, (30, 30), dtype=np.uint8)
    stretched = ((picture.astype(int) - 120) * 2 + 120).astype(np.uint8)
    assert metrics.pcqi(picture, stretched) > 1 > metrics.pcqi(stretched, picture)


def test_too_small_is_refused():
    with pytest.raises(MetricError, match="at least 11"):
        metrics.pcqi(np.zeros((10, 40), np.uint8), np.zeros((10, 40), np.uint8))
