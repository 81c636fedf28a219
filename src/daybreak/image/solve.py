"""Edge-aware smoothing as a linear system: (Diag(mass) + Σ_d D_dᵀ Diag(w_d) D_d) t = b.

Solved by conjugate gradients, preconditioned with one multigrid V-cycle whose coarse unknowns are blocks of
2×2 (plain aggregation; Stüben, "A review of algebraic multigrid", 2001, with the usual rescaled couplings).
At 1e-6 on the systems of CRM and LIME that took a half to a fourteenth of SuperLU's time and a fourth to a
seventh of pyamg's, and it needs no `import scipy.sparse.linalg`, which alone takes longer than CRM's system.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from daybreak.stopping import look
from daybreak.types import Array

_DAMPING = 0.8  # of the Jacobi sweep
_RESCALE = 0.7  # of coarse couplings: blocks of constants are too stiff by a factor of up to 2
_COARSEST = 64  # unknowns that Jacobi sweeps alone finish
_WEAK = 0.5  # couplings over mass under which they do so on any size
_MOST_STEPS = 2000
_BAND = 64  # rows that stay in the cache


@dataclass(frozen=True)
class System:
    """One such system on a grid of pixels; right and down are edge weights w_h and w_v.

    Attributes:
        mass: h×w, > 0.
        right: h×w, ≥ 0: weight between a pixel and the one to its right; in the last column, between it and
            the first column (0 for a border that is not circular).
        down: h×w, ≥ 0: likewise, downwards.
        diagonal: h×w: of the matrix.
    """

    mass: Array
    right: Array
    down: Array
    diagonal: Array

    def minus(self, base: Array | float, x: Array, out: Array | None = None) -> Array:
        """base - A x, h×w each; in `out`, which is none of the others, where that is given."""
        out = np.multiply(self.diagonal, x, out=out)
        np.subtract(base, out, out=out)
        return self.add_neighbours(out, x)

    def add_neighbours(self, out: Array, x: Array) -> Array:
        """Add to `out`, in place, the weighted neighbours of each pixel: the off-diagonal part of -A x."""
        right, down = self.right, self.down
        if x.shape[1] > 1:
            cv2.accumulateProduct(right[:, :-1], x[:, 1:], out[:, :-1])
            cv2.accumulateProduct(right[:, :-1], x[:, :-1], out[:, 1:])
            out[:, -1] += right[:, -1] * x[:, 0]
            out[:, 0] += right[:, -1] * x[:, -1]
        if x.shape[0] > 1:
            cv2.accumulateProduct(down[:-1], x[1:], out[:-1])
            cv2.accumulateProduct(down[:-1], x[:-1], out[1:])
            out[-1] += down[-1] * x[0]
            out[0] += down[-1] * x[-1]
        return out


def planes(count: int, like: Array) -> list[Array]:
    """So many arrays of the shape and type of another, uninitialised, in one piece of memory.

    From 4 MB on NumPy asks for large pages; the first touch of small ones takes longer than the arithmetic.
    """
    return list(np.empty((count, *like.shape), like.dtype))


def make_system(right: Array, down: Array, mass: Array | None = None) -> System:
    """The system with these edge weights (see `System`) and, unless told, mass 1 at every pixel."""
    if mass is None:
        mass, diagonal = planes(2, right)
        mass[:] = diagonal[:] = 1
    else:
        diagonal = mass.copy()
    if right.shape[1] > 1:
        diagonal += right
        diagonal[:, 1:] += right[:, :-1]
        diagonal[:, 0] += right[:, -1]
    if right.shape[0] > 1:
        diagonal += down
        diagonal[1:] += down[:-1]
        diagonal[0] += down[-1]
    return System(mass, right, down, diagonal)


def solve(
    target: Array, right: Array, down: Array, tolerance: float = 1e-6, start: Array | None = None
) -> Array:
    """argmin_t Σ (t - target)² + Σ right (∇_h t)² + Σ down (∇_v t)²: level where the edge weights are high.

    Args:
        target: h×w float64 (or float32, then good to about 1e-5).
        right, down: h×w, same dtype: see `System`.
        tolerance: of the residual's norm over the target's.
        start: first guess, h×w; the target if not given.

    Returns:
        h×w, same dtype.
    """
    system = make_system(right, down)
    return conjugate_gradients(system, target, target if start is None else start, tolerance, _MOST_STEPS)


def conjugate_gradients(system: System, target: Array, start: Array, tolerance: float, steps: int) -> Array:
    """Solve a system to a tolerance on the residual's norm over the target's, or for so many steps.

    Args:
        system: what to solve.
        target: right-hand side, h×w.
        start: first guess, h×w; left unchanged.
        tolerance: ≥ 0; 0 makes every step.
        steps: at most.

    Returns:
        h×w, the target's dtype.

    Raises:
        Stopped: between two steps, where that was asked for (`daybreak.stopping`).
    """
    levels, go_on = _levels(system), look()
    x = start.copy()
    residual, image = planes(2, target)
    system.minus(target, x, residual)
    enough = tolerance * _dot(target, target) ** 0.5
    direction, slope = None, 1.0
    for left in reversed(range(steps)):
        go_on()
        if _dot(residual, residual) ** 0.5 <= enough:
            break
        better = _cycle(levels, 0, residual.astype(np.float32, copy=False)).astype(x.dtype, copy=False)
        go_on()
        before, slope = slope, _dot(residual, better)
        direction = better if direction is None else cv2.scaleAdd(direction, slope / before, better, better)
        system.minus(0.0, direction, image)  # -A p
        curvature = -_dot(direction, image)
        if curvature <= 0.0:  # the residual has vanished in rounding
            break
        cv2.scaleAdd(direction, slope / curvature, x, x)
        if left:
            cv2.scaleAdd(image, slope / curvature, residual, residual)
    return x


def _dot(a: Array, b: Array) -> float:
    """Scalar product; by rows so that float32 adds up well, without BLAS, whose threads get in the way."""
    return float(np.einsum("ij,ij->i", a, b).sum(dtype=np.float64))


def _levels(system: System) -> list[System]:
    """The system in float32 and its coarser versions, finest first, each with half the pixels a side."""
    parts = (system.mass, system.right, system.down, system.diagonal)
    levels = [System(*(part.astype(np.float32, copy=False) for part in parts))]
    while True:
        fine = levels[-1]
        coupling = _most(fine.diagonal, fine.mass) - 1.0
        if fine.mass.size <= _COARSEST or coupling <= _WEAK:
            return levels
        right = _last_of_pairs(_pair_sums(fine.right, 0), 1) * np.float32(_RESCALE)
        down = _last_of_pairs(_pair_sums(fine.down, 1), 0) * np.float32(_RESCALE)
        levels.append(make_system(right, down, _pair_sums(_pair_sums(fine.mass, 0), 1)))


def _most(above: Array, below: Array) -> float:
    """The largest quotient of two h×w arrays."""
    bands = (slice(top, top + _BAND) for top in range(0, len(above), _BAND))
    return max(float((above[rows] / below[rows]).max()) for rows in bands)


def _cycle(levels: list[System], k: int, residual: Array) -> Array:
    """One symmetric V-cycle on level k: about A⁻¹ residual, h×w float32."""
    level = levels[k]
    inverse, x, left = planes(3, residual)
    np.divide(np.float32(_DAMPING), level.diagonal, out=inverse)
    np.multiply(inverse, residual, out=x)
    np.multiply(residual, np.float32(1.0 - _DAMPING), out=left)
    sweeps = 8
    if k + 1 < len(levels):
        level.add_neighbours(left, x)  # residual - A x
        coarse = _cycle(levels, k + 1, _pair_sums(_pair_sums(left, 0), 1))
        doubled = (2 * coarse.shape[1], 2 * coarse.shape[0])
        large = cv2.resize(coarse, doubled, left, interpolation=cv2.INTER_NEAREST)  # new where sides are odd
        x += large[: x.shape[0], : x.shape[1]]
        sweeps = 1
    for _ in range(sweeps):
        level.minus(residual, x, left)
        left *= inverse
        x += left
    return x


def _pair_sums(a: Array, axis: int) -> Array:
    """Sums of neighbours 2i and 2i+1 along an axis; an odd last one stays alone."""
    even, odd = (a[::2], a[1::2]) if axis == 0 else (a[:, ::2], a[:, 1::2])
    out = even.copy()
    if axis == 0:
        out[: odd.shape[0]] += odd
    else:
        out[:, : odd.shape[1]] += odd
    return out


def _last_of_pairs(a: Array, axis: int) -> Array:
    """Entries 2i+1 along an axis, or the last one where that is beyond the end."""
    length = a.shape[axis]
    last = np.minimum(np.arange(1, length + 1, 2), length - 1)
    return a[last] if axis == 0 else a[:, last]
