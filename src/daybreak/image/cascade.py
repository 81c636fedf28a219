"""Edge-aware smoothing of large planes, close to `daybreak.image.solve` at a small part of its cost.

The system is written at half the size again and again, its edge weights carried over as electrical
conductances are (resistances in a row add up, lanes side by side add their conductances), solved where it is
small, and the solution brought up a size at a time: along the edges of the finer target first, then by a few
steps of the solver.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from daybreak.image.solve import conjugate_gradients, make_system, planes
from daybreak.image.upsample import upsample_guided
from daybreak.types import Array, Plane

MULTIPLE = 8  # sides of a `Smoothing` that is to be solved here
BYTES = 80  # a pixel, that `solve_cascade` takes at the most, its problem included (measured: 68 to 76)
_SMALL = 60_000  # pixels that are solved from scratch
_LEAST_FIRST_STEPS = 12
_OWN, _AROUND, _REFINING = 64, 32, 6  # rows of a band that is refined, rows around it, steps


@dataclass(frozen=True)
class Smoothing:
    """A plane to smooth and how much each step between neighbours resists being levelled.

    Attributes:
        target: h×w float32 (float64 if it is not for this file).
        right: h×w, same type, > 0 or infinite: 1 / w_h of `solve.System`, the last column around the edge.
        down: h×w: 1 / w_v, likewise.
    """

    target: Array
    right: Array
    down: Array


def solve_cascade(fine: Smoothing, steps: int, last_steps: int | None = None) -> Plane:
    """Nearly argmin_t Σ (t - target)² + Σ (∇_h t)² / right + Σ (∇_v t)² / down: h×w float32.

    Args:
        fine: its sides are multiples of `MULTIPLE`.
        steps: of conjugate gradients on each size; more come closer, the more so the more the weights differ.
        last_steps: on the size of `fine`, where a step costs as much as all that come before; None: as many.
    """
    last_steps = steps if last_steps is None else last_steps
    sizes = [fine]
    while sizes[-1].target.size > _SMALL and not any(side % 2 for side in sizes[-1].target.shape):
        sizes.append(halve(sizes[-1]))
    coarse = sizes.pop()
    plane = _improve(coarse, coarse.target, max(steps, _LEAST_FIRST_STEPS))
    while sizes:
        guide, coarse = coarse.target, sizes.pop()
        start = upsample_guided(plane, guide, coarse.target)
        plane = _improve(coarse, start, steps if sizes else last_steps)
    return plane


def refine(fine: Smoothing, start: Plane) -> Plane:
    """Nearer to the solution of a problem that is too large to be solved at once: band by band, from the top.

    What lies beyond a band and the rows around it is held (the Schwarz method). So steps that are large are
    not mended, which the start has from a smaller problem, but what that got wrong about edges is.

    Args:
        fine: the problem, its last row apart from the first.
        start: nearly its solution, h×w float32; improved in place.
    """
    height = len(start)
    for top in range(0, height, _OWN):
        bottom = min(top + _OWN, height)
        first, last = max(0, top - _AROUND), min(height, bottom + _AROUND)
        right, down = (np.float32(1) / resists[first:last] for resists in (fine.right, fine.down))
        mass, target = np.ones_like(right), fine.target[first:last].copy()
        if first:
            above = np.float32(1) / fine.down[first - 1]
            mass[0] += above
            target[0] += above * start[first - 1]
        if last < height:
            mass[-1] += down[-1]
            target[-1] += down[-1] * start[last]
        down[-1] = 0
        system = make_system(right, down, mass)
        made = conjugate_gradients(system, target, start[first:last], 0.0, _REFINING)
        start[top:bottom] = made[top - first : bottom - first]
    return start


def _improve(problem: Smoothing, start: Plane, steps: int) -> Plane:
    right, down = planes(2, problem.right)
    np.divide(np.float32(1), problem.right, out=right)
    np.divide(np.float32(1), problem.down, out=down)
    return conjugate_gradients(make_system(right, down), problem.target, start, 0.0, steps)


def halve(fine: Smoothing) -> Smoothing:
    """The same problem at half the size; both sides must be even."""
    down = np.concatenate([fine.down, fine.down[:1]])
    return Smoothing(halve_plane(fine.target), halve_right(fine.right), halve_down(down))


def halvings(pixels: int, room: int | None, least: int, each: int = BYTES) -> int:
    """How often a problem is halved, at least `least` times, so that its solution keeps within the room.

    Args:
        pixels: of the problem before.
        room: bytes; None for no limit.
        each: bytes for each of the pixels that are left; `solve_cascade` alone takes `BYTES`.
    """
    count = least
    while room is not None and pixels / 4**count > max(room / each, _SMALL):
        count += 1
    return count


def halve_plane(plane: Plane) -> Plane:
    """Means of 2×2 blocks: 2h×2w to h×w."""
    rows = plane[::2] + plane[1::2]
    out = rows[:, ::2] + rows[:, 1::2]
    out *= np.float32(0.25)
    return out


def halve_right(right: Plane) -> Plane:
    """Resistances to the right at half the size: 2h×2w to h×w, any height of 2h rows.

    From the middle of one block to that of the next there is half a step, a step and half a step, on each of
    two lanes, that meet nowhere or at every pixel: what is between those bounds is taken (Rayleigh's law: to
    join two points never makes a network resist more). A block has the mass of four pixels and counts as one,
    which divides its conductances by four.
    """
    apart = _along(right)
    joined = _along(_beside(right[::2], right[1::2]))
    return _between(_beside(apart[::2], apart[1::2]), joined)


def halve_down(down: Array) -> Plane:
    """Resistances downwards at half the size: (2h+1)×2w, the last row that after the last, to h×w."""
    apart = _along_down(down)
    joined = _along_down(_beside(down[:, ::2], down[:, 1::2]))
    return _between(_beside(apart[:, ::2], apart[:, 1::2]), joined)


def _along(right: Plane) -> Plane:
    """Half a step, a step and half a step on each row: h×2w to h×w, around the edge."""
    path = right[:, ::2] * np.float32(0.5)
    path[:, :-1] += path[:, 1:]
    path[:, -1] += right[:, 0] * np.float32(0.5)
    path += right[:, 1::2]
    return path


def _along_down(down: Plane) -> Plane:
    """The same on each column: (2h+1)×w to h×w."""
    path = down[:-1:2] * np.float32(0.5)
    path += down[1::2]
    path += down[2::2] * np.float32(0.5)
    return path


def _between(one: Plane, other: Plane) -> Plane:
    """The mean, in the memory of the first."""
    one += other
    one *= np.float32(0.5)
    return one


def _beside(one: Array, other: Array) -> Plane:
    """Resistance of two lanes side by side, times four for the mass of the block; infinite if both are."""
    conductance = np.float32(1) / one
    conductance += np.float32(1) / other
    with np.errstate(divide="ignore"):
        return np.asarray(np.float32(4) / conductance, dtype=np.float32)
