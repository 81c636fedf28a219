"""The multigrid solver against dense and sparse direct solutions, and the laws of what it solves."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import spsolve

from daybreak.image.solve import make_system, solve

SIDES = st.integers(1, 23)


def matrix(right: np.ndarray, down: np.ndarray) -> sp.csr_array:
    """Id + Σ_d D_dᵀ Diag(w_d) D_d with circular differences, put together from D_d itself."""
    height, width = right.shape
    index = np.arange(height * width).reshape(height, width)
    out = sp.eye_array(index.size, format="csr")
    for weight, axis in ((right, 1), (down, 0)):
        shift = sp.csr_array((np.ones(index.size), (index.ravel(), np.roll(index, -1, axis).ravel())))
        step = shift - sp.eye_array(index.size)
        out = out + step.T @ sp.diags_array(weight.ravel()) @ step
    return sp.csr_array(out)


def weights(
    rng: np.random.Generator, shape: tuple[int, int], circular: bool
) -> tuple[np.ndarray, np.ndarray]:
    right, down = 10 ** rng.uniform(-3, 4, (2, *shape))
    if not circular:
        right[:, -1] = 0
        down[-1] = 0
    return right, down


@given(SIDES, SIDES, st.booleans(), st.integers(0, 9))
@settings(deadline=None, max_examples=80)
def test_residual_on_any_size(height, width, circular, seed):
    rng = np.random.default_rng(seed)
    right, down = weights(rng, (height, width), circular)
    target = rng.random((height, width))
    before = target.copy()
    found = solve(target, right, down)
    residual = matrix(right, down) @ found.ravel() - target.ravel()
    assert np.linalg.norm(residual) < 2e-6 * np.linalg.norm(target)
    assert np.array_equal(target, before)


@pytest.mark.parametrize("circular", [True, False])
def test_equals_a_direct_solution(circular):
    rng = np.random.default_rng(3)
    right, down = weights(rng, (61, 84), circular)
    target = rng.random((61, 84))
    expected = spsolve(matrix(right, down).tocsc(), target.ravel()).reshape(target.shape)
    assert np.abs(solve(target, right, down, 1e-9) - expected).max() < 1e-7


@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (70, 1), (2, 2), (33, 50)])
def test_constants_stay_and_the_mean_is_kept(shape):
    rng = np.random.default_rng(4)
    right, down = weights(rng, shape, circular=True)
    assert np.abs(solve(np.full(shape, 0.3), right, down) - 0.3).max() < 1e-9
    target = rng.random(shape)
    found = solve(target, right, down, 1e-9)
    assert found.mean() == pytest.approx(target.mean(), abs=1e-8)
    assert target.min() - 1e-6 <= found.min() <= found.max() <= target.max() + 1e-6


def test_without_weights_the_target_comes_back():
    target = np.random.default_rng(5).random((9, 12))
    none = np.zeros_like(target)
    assert np.array_equal(solve(target, none, none), target)


def test_black_stays_black():
    black = np.zeros((20, 30))
    assert np.array_equal(solve(black, black + 5, black + 5), black)


def test_a_good_first_guess_is_kept():
    rng = np.random.default_rng(6)
    right, down = weights(rng, (30, 40), circular=False)
    target = rng.random((30, 40))
    first = solve(target, right, down)
    again = solve(target, right, down, 1e-5, start=first)
    assert np.array_equal(again, first)


def test_minus_is_the_residual_of_the_matrix():
    rng = np.random.default_rng(7)
    right, down = weights(rng, (7, 9), circular=True)
    x, base = rng.random((2, 7, 9))
    expected = base.ravel() - matrix(right, down) @ x.ravel()
    system, out = make_system(right, down), np.full((7, 9), np.nan)
    assert np.abs(system.minus(base, x).ravel() - expected).max() < 1e-8
    assert system.minus(base, x, out) is out
    assert np.array_equal(out, system.minus(base, x))
