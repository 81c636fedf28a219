"""The illumination map that BIMEF and CRM share.

Source: Ying, Li, Ren, Wang, Wang, "A New Image Contrast Enhancement Algorithm Using Exposure Fusion
Framework", CAIP 2017, section 3.2, and its public code as described in methods.md B.10.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from daybreak.image.cascade import MULTIPLE, Smoothing, halve_down, halve_plane, halve_right, solve_cascade
from daybreak.image.color import value
from daybreak.image.resize import resize_bicubic
from daybreak.image.rows import Levels, Rows
from daybreak.image.solve import solve
from daybreak.image.strips import Band, map_rows
from daybreak.image.upsample import Doubled, upsample_guided
from daybreak.types import Array, Plane

WINDOW = 5  # samples of the box that tells texture from edges
SHARPNESS = 1e-3  # keeps the weights finite
QUARTER_FROM = (
    4_000_000  # pixels from which the quick map is solved at a quarter of the picture's sides, not half
)
_STEPS = 4  # of the cascade; what the cards say of the error was measured with these
_FEW_FROM, _FEW = 8_000_000, 1  # pixels from which the last size gets fewer: 48 dB from exact, 51 with all
_ROWS = 32  # of a band
_ABOVE, _BELOW = 2, 4  # rows of the other end that stand around the half-size plane


def illumination(rows: Rows, smoothness: float, exact_limit: float) -> Plane | Doubled:
    """Smoothed max(R, G, B): bright where the picture is lit, level within surfaces, with steps at edges.

    Args:
        rows: H×W×3, in [0, 1].
        smoothness: λ; more is smoother.
        exact_limit: pixels up to which the map is computed as published, to 1e-6; above, by `quick_map`.

    Returns:
        H×W float32, about [0, 1]; a quick one is kept at half the size.
    """
    height, width = rows.shape[:2]
    return (exact_map if height * width <= exact_limit else quick_map)(rows, smoothness)


def exact_map(rows: Rows, smoothness: float) -> Plane:
    """The map as published: bicubic to half size, circular gradients, the system solved, bicubic back."""
    plane = value(rows[:])
    small = resize_bicubic(plane.astype(np.float64), 0.5)
    across = np.roll(small, -1, axis=1) - small
    downwards = np.roll(small, -1, axis=0) - small
    right = 1 / _resistance(across, _box(across, WINDOW, 1), smoothness)
    down = 1 / _resistance(downwards, _box(downwards, 1, WINDOW), smoothness)
    smooth = solve(small, right, down)
    return resize_bicubic(smooth, plane.shape).astype(np.float32)


def quick_map(rows: Rows, smoothness: float) -> Doubled:
    """Nearly the map of `exact_map` for a large picture.

    Edge weights come from the picture at half size, as published; the system is solved by `solve_cascade` at
    that size, or from `QUARTER_FROM` on at half of it, and brought up along the edges of the half-size plane.
    """
    height, width = rows.shape[:2]
    ring = _half_size(rows)
    half = ring[_ABOVE:-_BELOW]
    problem = _problem(ring, smoothness, halved=height * width >= QUARTER_FROM)
    smooth = solve_cascade(problem, _STEPS, _FEW if height * width >= _FEW_FROM else _STEPS)
    if smooth.shape != half.shape:
        smooth = upsample_guided(smooth, problem.target, half)
    return Doubled(smooth, (height, width))


def _half_size(rows: Rows) -> Plane:
    """V by means of 2×2, sides made multiples by repeating the last pixels, between rows of the other end."""
    height, width = rows.shape[:2]
    multiple = 4 * MULTIPLE
    tall, wide = height + -height % multiple, width + -width % multiple
    ring = np.empty((_ABOVE + tall // 2 + _BELOW, wide // 2), np.float32)

    def work(bands: Sequence[Band]) -> None:
        for top, bottom in bands:
            own = slice(min(top, height - 1), bottom)
            strip = rows.value(own) if isinstance(rows, Levels) else value(rows[own])
            missing = bottom - top - strip.shape[0]
            if missing or wide > width:
                strip = np.pad(strip, ((0, missing), (0, wide - width)), mode="edge")
            ring[_ABOVE + top // 2 : _ABOVE + bottom // 2] = halve_plane(strip)

    map_rows(work, tall, _ROWS)
    ring[:_ABOVE], ring[-_BELOW:] = ring[-_BELOW - _ABOVE : -_BELOW], ring[_ABOVE : _ABOVE + _BELOW]
    return ring


def _problem(ring: Plane, smoothness: float, halved: bool) -> Smoothing:
    """The system of a half-size plane, or the same at half of that size."""
    tall, wide = ring.shape[0] - _ABOVE - _BELOW, ring.shape[1]
    factor = 2 if halved else 1
    target, right, down = np.empty((3, tall // factor, wide // factor), np.float32)  # as `solve.planes`

    def work(bands: Sequence[Band]) -> None:
        for top, bottom in bands:
            rows = slice(top // factor, bottom // factor)
            here = ring[_ABOVE + top : _ABOVE + bottom]
            across = np.empty_like(here)
            np.subtract(here[:, 1:], here[:, :-1], out=across[:, :-1])
            np.subtract(here[:, 0], here[:, -1], out=across[:, -1])
            downwards = np.diff(ring[top : bottom + _ABOVE + _BELOW], axis=0)  # from 2 rows above to 3 below
            downwards[: max(_ABOVE - top, 0)] = 0  # the box has zeros outside the picture
            boxed = _box(downwards, 1, WINDOW)
            to_right = _resistance(across, _box(across, WINDOW, 1), smoothness)
            to_down = _resistance(downwards[2:-2], boxed[2:-2], smoothness)  # one row more than the band
            if halved:
                here, to_right, to_down = halve_plane(here), halve_right(to_right), halve_down(to_down)
            target[rows], right[rows], down[rows] = here, to_right, to_down[: rows.stop - rows.start]

    map_rows(work, tall, _ROWS)
    return Smoothing(target, right, down)


def _resistance(gradient: Array, boxed: Array, smoothness: float) -> Array:
    """1 / (λ w) = (|box(∇)| · |∇| + sharpness) / λ: h×w, of the gradient and its sums over the window."""
    out = np.multiply(gradient, boxed)
    np.abs(out, out=out)
    out += SHARPNESS
    out /= smoothness
    return out


def _box(gradient: Array, wide: int, tall: int) -> Array:
    """Sums over a window, zero outside."""
    out = cv2.boxFilter(gradient, -1, (wide, tall), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(out).reshape(gradient.shape)
