"""LOE against its definition counted pair by pair, and published figures."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak import metrics


def by_counting(output: np.ndarray, reference: np.ndarray) -> float:
    """XOR of the two orders over all pairs of the 10,000 samples."""
    samples = []
    for picture in (reference, output):
        lightness = picture.max(axis=2)
        rows, columns = (np.floor(np.linspace(1, n, 100) + 0.5).astype(int) - 1 for n in lightness.shape)
        samples.append(lightness[np.ix_(rows, columns)].ravel())
    (before, after), changed = samples, 0
    for x in range(10_000):
        changed += np.count_nonzero((before[x] >= before) ^ (after[x] >= after))
    return changed / 10_000


@pytest.mark.parametrize("shape", [(120, 150, 3), (30, 211, 3)], ids=str)
def test_equal_to_counting_pairs(shape):
    rng = np.random.default_rng(0)
    dark, bright = rng.integers(0, 40, shape, dtype=np.uint8), rng.integers(0, 256, shape, dtype=np.uint8)
    assert metrics.loe(bright, dark) == by_counting(bright, dark)


def test_published_figures(astronaut, dark_astronaut):
    # exact counts, published with two and three decimals
    assert metrics.loe(dark_astronaut, astronaut) == pytest.approx(90.756, abs=5e-4)
    assert metrics.loe(255 - astronaut, astronaut) == pytest.approx(8074.03, abs=5e-3)


def test_a_rising_curve_keeps_the_order():
    dark = np.random.default_rng(0).integers(0, 128, (200, 130, 3), dtype=np.uint8)
    assert metrics.loe(dark, dark) == 0
    assert metrics.loe(dark * 2 + 1, dark) == 0


def test_gray_pictures_and_a_single_pixel():
    gray = np.random.default_rng(0).integers(0, 256, (110, 120), dtype=np.uint8)
    assert (
        metrics.loe(255 - gray, gray) == metrics.loe(np.dstack([255 - gray] * 3), np.dstack([gray] * 3)) > 0
    )
    assert metrics.loe(np.zeros((1, 1, 3)), np.ones((1, 1, 3))) == 0
