"""The cascade: what halving keeps, and how near it comes to the solver."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.image.cascade import Smoothing, halve, halve_plane, refine, solve_cascade
from daybreak.image.solve import solve
from daybreak.image.upsample import upsample_guided


def uniform(shape: tuple[int, int], right: float, down: float) -> Smoothing:
    target = np.random.default_rng(0).random(shape, np.float32)
    return Smoothing(target, np.full(shape, right, np.float32), np.full(shape, down, np.float32))


def test_uniform_resistance_grows_fourfold():
    """A surface without edges is smoothed over the same distance, at half the size half the pixels."""
    half = halve(uniform((8, 12), 2.0, 5.0))
    assert half.right == pytest.approx(np.full((4, 6), 8.0), rel=1e-6)
    assert half.down == pytest.approx(np.full((4, 6), 20.0), rel=1e-6)


def test_resistances_in_a_row_add_up():
    """Between two blocks lie half a step, a step and half a step, on two lanes; four pixels count as one."""
    problem = uniform((8, 12), 1e-3, 1e-3)
    problem.right[:, 5] = 1.0  # between the third and the fourth block
    problem.down[2] = 1.0  # inside the second
    half = halve(problem)
    right = np.full(6, 4e-3)
    right[2] = 2 * (0.5e-3 + 1 + 0.5e-3)
    assert half.right == pytest.approx(np.tile(right, (4, 1)), rel=1e-5)
    down = np.full(4, 4e-3)
    down[:2] = 2 * (0.5e-3 + 1e-3 + 0.5)
    assert half.down == pytest.approx(np.tile(down[:, None], (1, 6)), rel=1e-5)


def test_the_easier_lane_carries_more():
    problem = uniform((2, 2), 1.0, 1.0)
    problem.right[1] = 1e6
    assert halve(problem).right[0, 0] == pytest.approx(4 / (1 / 2 + 1 / 2e6), rel=1e-5)


def test_an_open_border_stays_open():
    problem = uniform((8, 12), 1.0, 1.0)
    problem.right[:, -1] = np.inf
    problem.down[-1] = np.inf
    half = halve(problem)
    assert np.isinf(half.right[:, -1]).all()
    assert np.isinf(half.down[-1]).all()
    assert np.isfinite(half.right[:, :-1]).all()


def test_the_border_is_circular():
    problem = uniform((8, 12), 1.0, 1.0)
    rolled = Smoothing(*(np.roll(part, (2, 4), (0, 1)) for part in vars(problem).values()))
    assert np.allclose(halve(rolled).right, np.roll(halve(problem).right, (1, 2), (0, 1)))


def test_halving_takes_means():
    plane = np.arange(24, dtype=np.float32).reshape(4, 6)
    assert np.array_equal(halve_plane(plane), [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]])


def noisy_problem(border: str) -> tuple[Smoothing, np.ndarray]:
    """A wave with a dark rectangle and noise, and the exact solution."""
    rng = np.random.default_rng(1)
    shape = (256, 320)
    target = (0.5 + 0.4 * np.sin(np.arange(320) / 25) * np.ones((256, 1))).astype(np.float32)
    target[90:170, 100:221] *= 0.3
    target += rng.normal(0, 0.02, shape).astype(np.float32)
    steps = [np.roll(target, -1, axis) - target for axis in (1, 0)]
    right, down = ((step**2 + np.float32(1e-3)) / np.float32(0.5) for step in steps)
    if border == "open":
        right[:, -1] = np.inf
        down[-1] = np.inf
    exact = solve(*(part.astype(np.float64) for part in (target, 1 / right, 1 / down)))
    return Smoothing(target, right, down), exact


def error(plane: np.ndarray, exact: np.ndarray) -> float:
    return float(np.sqrt(np.mean((plane - exact) ** 2)))


@pytest.mark.parametrize("border", ["circular", "open"])
def test_comes_near_the_solver(border):
    problem, exact = noisy_problem(border)
    assert error(solve_cascade(problem, 4), exact) < 2e-3
    assert error(problem.target, exact) > 2e-2


def test_what_was_solved_at_half_the_size_is_mended_band_by_band():
    problem, exact = noisy_problem("open")
    half = halve(problem)
    start = upsample_guided(solve_cascade(half, 15), half.target, problem.target)
    before = error(start, exact)
    assert error(refine(problem, start), exact) < 0.4 * before


def test_what_is_solved_stays_as_it_is():
    problem, exact = noisy_problem("open")
    assert error(refine(problem, exact.astype(np.float32)), exact) < 1e-6
