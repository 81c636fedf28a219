"""The illumination map that BIMEF and CRM share.

Source: Ying, Li, Ren, Wang, Wang, "A New Image Contrast Enhancement Algorithm Using Exposure Fusion
Framework", CAIP 2017, section 3.2, and its public code as described in methods.md B.10.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import cv2
import numpy as np

from daybreak.image.cascade import (
    MULTIPLE,
    Smoothing,
    halve_down,
    halve_plane,
    halve_right,
    halvings,
    solve_cascade,
)
from daybreak.image.color import value
from daybreak.image.resize import resize_bicubic
from daybreak.image.rows import Bands, Levels, Rows, brightest
from daybreak.image.solve import solve
from daybreak.image.strips import Band, band_rows, map_rows, over_bands
from daybreak.image.upsample import Doubled, Kept, Lines, enlarge, upsample_guided
from daybreak.types import Array, Pixels, Plane

WINDOW = 5  # samples of the box that tells texture from edges
SHARPNESS = 1e-3  # keeps the weights finite
QUARTER_FROM = (
    4_000_000  # pixels from which the quick map is solved at a quarter of the picture's sides, not half
)
_STEPS = 4  # of the cascade; what the cards say of the error was measured with these
_FEW_FROM, _FEW = 8_000_000, 1  # pixels from which the last size gets fewer: 48 dB from exact, 51 with all
_ROWS = 32  # of a band
_EXACT, _QUICK = 60, 12  # bytes a pixel of the picture that the two maps take
_ABOVE, _BELOW = 2, 4  # rows of the other end that stand around the half-size plane


HALO, CELL = 4, 4
"""Pixels of a window around the part of which `Brought` tells the map, and the multiple that it begins at."""

Light: TypeAlias = "Kept | Doubled | Brought"
"""An illumination map to be looked at: all of them have `at(window, top, left)` and `samples(step)`."""


def illumination(source: Bands, smoothness: float, exact_limit: float, room: int | None = None) -> Light:
    """Smoothed max(R, G, B): bright where the picture is lit, level within surfaces, with steps at edges.

    Args:
        source: H×W×3, in [0, 1].
        smoothness: λ; more is smoother.
        exact_limit: pixels up to which the map is computed as published, to 1e-6; above, by `quick_map`.
        room: bytes that may be taken; None for no limit. What does not fit gets `small_map`.

    Returns:
        The map, about [0, 1]; a quick one is kept at half the size, one made for want of memory smaller.
    """
    height, width = source.shape[:2]
    size = height * width
    exact = size <= exact_limit
    if room is not None and size * (_EXACT if exact else _QUICK) > room:
        return small_map(source, smoothness, room)
    whole = source.band(0, height)
    return Kept(exact_map(whole, smoothness)) if exact else quick_map(whole, smoothness)


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


class Brought:
    """A map that was computed at a small size, brought up along the half-size picture where it is looked at.

    Args:
        lines: in V at half size.
        shape: of the picture.
    """

    def __init__(self, lines: Lines, shape: tuple[int, ...]) -> None:
        self._lines = lines
        self.shape = shape[:2]

    @property
    def side(self) -> int:
        """Of the block of the picture that has one number, px."""
        return 2 * self._lines.side

    @property
    def kept(self) -> int:
        """Bytes of memory."""
        return self._lines.kept

    def at(self, window: Pixels, top: int, left: int) -> Plane:
        """The map under a window of the picture."""
        plane = value(window)
        height, width = plane.shape
        half = halve_plane(np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge"))
        light = self._lines.at(half, top // 2, left // 2)
        return enlarge(light, (2 * light.shape[0], 2 * light.shape[1]))[:height, :width]

    def samples(self, step: int) -> Plane:
        """At every `step`-th row and column the nearest of what was computed."""
        rows, columns = (np.arange(0, side, step) // self.side for side in self.shape)
        return self._lines.plane[np.ix_(rows, columns)]


def small_map(source: Bands, smoothness: float, room: int | None, least: int = 1) -> Brought:
    """The map of `quick_map` of a picture that is never in memory as a whole.

    Args:
        source: H×W×3, looked at from top to bottom.
        smoothness: λ.
        room: bytes that may be taken: the problem at half size is halved until it can be solved in that.
        least: how often it is halved at the least.
    """
    height, width = source.shape[:2]
    count = halvings(height * width // 4, room, least)
    block = 2**count
    multiple = 2 * block * MULTIPLE
    tall, wide = height + -height % multiple, width + -width % multiple
    target, right, down = (np.empty((tall // 2 // block, wide // 2 // block), np.float32) for _ in range(3))
    below = _BELOW - 2 + block  # rows of the half size: `halve_down` looks at block - 1 more

    def half(window: Rows, wanted: int) -> Plane:
        """V at half the size, with so many rows: the picture's last one is repeated."""
        plane = brightest(window)
        filled = ((0, max(0, 2 * wanted - len(plane))), (0, wide - width))
        return halve_plane(np.pad(plane, filled, mode="edge")[: 2 * wanted])

    first_rows = half(source.band(0, min(2 * below, height)), below)

    def work(window: Rows, first: int, top: int, bottom: int) -> None:
        bottom = tall if bottom == height else bottom
        inside = min(bottom // 2 + below, tall // 2)
        part = half(window, inside - first // 2)
        if bottom // 2 + below > inside:  # the other end
            part = np.concatenate([part, first_rows[: bottom // 2 + below - inside]])
        if top == 0:
            part = np.concatenate([part[:1].repeat(_ABOVE, axis=0), part])
        here, to_right, to_down = _resistances(part, top // 2, smoothness)
        here = here[: (bottom - top) // 2]
        to_right = to_right[: len(here)]
        for _ in range(count):
            here, to_right, to_down = halve_plane(here), halve_right(to_right), halve_down(to_down)
        rows = slice(top // 2 // block, bottom // 2 // block)
        target[rows], right[rows], down[rows] = here, to_right, to_down

    over_bands(source, band_rows(width, multiple), work, above=2 * _ABOVE, below=2 * below)
    smooth = solve_cascade(Smoothing(target, right, down), _STEPS)
    return Brought(Lines(smooth, target, block), source.shape)


def _half_size(rows: Rows) -> Plane:
    """V by means of 2×2, sides made multiples by repeating the last pixels, between rows of the other end."""
    height, width = rows.shape[:2]
    multiple = 4 * MULTIPLE
    tall, wide = height + -height % multiple, width + -width % multiple
    ring = np.empty((_ABOVE + tall // 2 + _BELOW, wide // 2), np.float32)

    def work(bands: Iterable[Band]) -> None:
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

    def work(bands: Iterable[Band]) -> None:
        for top, bottom in bands:
            rows = slice(top // factor, bottom // factor)
            here, to_right, to_down = _resistances(ring[top : bottom + _ABOVE + _BELOW], top, smoothness)
            here, to_right = here[: bottom - top], to_right[: bottom - top]
            if halved:
                here, to_right, to_down = halve_plane(here), halve_right(to_right), halve_down(to_down)
            target[rows], right[rows], down[rows] = here, to_right, to_down[: rows.stop - rows.start]

    map_rows(work, tall, _ROWS)
    return Smoothing(target, right, down)


def _resistances(part: Plane, top: int, smoothness: float) -> tuple[Plane, Plane, Plane]:
    """A band of the half-size plane and its resistances to the right and downwards.

    Args:
        part: V at half the size, from `_ABOVE` rows above the band to 3 rows below the last result.
        top: the band's first row.
        smoothness: λ.

    Returns:
        (h + _ABOVE + 3)×w to h×w each.
    """
    here = part[_ABOVE:-3]
    across = np.empty_like(here)
    np.subtract(here[:, 1:], here[:, :-1], out=across[:, :-1])
    np.subtract(here[:, 0], here[:, -1], out=across[:, -1])
    downwards = np.diff(part, axis=0)  # from 2 rows above to 2 below
    downwards[: max(_ABOVE - top, 0)] = 0  # the box has zeros outside the picture
    boxed = _box(downwards, 1, WINDOW)
    return (
        here,
        _resistance(across, _box(across, WINDOW, 1), smoothness),
        _resistance(downwards[2:-2], boxed[2:-2], smoothness),
    )


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
