"""Non-local means in 16 bits, and what the user is told where BM3D is missing."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from daybreak.errors import DaybreakError
from daybreak.image.denoise import bm3d, non_local_means


def noisy_step(sigma: float) -> np.ndarray:
    plane = np.full((60, 80), 0.3)
    plane[:, 40:] = 0.6
    noise = np.random.default_rng(0).normal(0, sigma, plane.shape)
    return np.clip(plane + noise, 0, 1).astype(np.float32)


def test_removes_noise_and_keeps_the_step():
    out = non_local_means(noisy_step(0.06), 0.06)
    assert out.dtype == np.float32
    assert out[:, :36].std() < 0.01
    assert out[:, 44:].mean() - out[:, :36].mean() == pytest.approx(0.3, abs=0.01)


def test_little_strength_leaves_the_picture():
    plane = noisy_step(0.06)
    assert np.abs(non_local_means(plane, 1e-4) - plane).max() < 2e-5


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (3, 3)])
def test_any_size(shape):
    assert non_local_means(np.full(shape, 0.25, np.float32), 0.1) == pytest.approx(0.25, abs=1e-5)


def test_bm3d_removes_noise_or_says_what_to_type():
    if find_spec("bm3d") is None:  # its licence keeps it out of our dependencies
        with pytest.raises(DaybreakError, match="pip install bm3d"):
            bm3d(noisy_step(0.06), 0.06)
    else:
        assert bm3d(noisy_step(0.06), 0.06)[:, :36].std() < 0.01
