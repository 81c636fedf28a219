"""Tone curves made from a plane's own histogram: equalisation of the whole and by tiles.

Histograms have 256 bins, as in the publications, but a curve is read between its knots, so a plane with more
than 8 bits keeps them; on 8-bit planes the result, rounded, is that of the usual look-up table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Lock

import cv2
import numpy as np

from daybreak.image.color import row_bands
from daybreak.image.rows import Bands, Rows
from daybreak.image.strips import Sum, band_rows, over_bands
from daybreak.types import Array, Plane

LEVELS = 256


def histogram(plane: Plane) -> Array:
    """Pixels per level of round(255·v): 256 float64 counts for an H×W float32 plane in [0, 1]."""
    levels = cv2.convertScaleAbs(plane, alpha=LEVELS - 1)
    return cv2.calcHist([levels], [0], None, [LEVELS], [0, LEVELS]).astype(np.float64).ravel()


def equalizing_curve(counts: Array) -> Array:
    """(cdf - cdf_min) / (N - cdf_min) at each of the 256 levels; the identity where one level holds all.

    Args:
        counts: 256 counts, sum > 0.

    Returns:
        256 float32, rising from 0 to 1.
    """
    cdf = np.cumsum(counts)
    lowest = cdf[np.flatnonzero(counts)[0]]
    if cdf[-1] == lowest:
        return np.linspace(0, 1, LEVELS, dtype=np.float32)
    return np.asarray(np.maximum((cdf - lowest) / (cdf[-1] - lowest), 0), dtype=np.float32)


def apply_curve(plane: Plane, curve: Array) -> Plane:
    """Read a curve with equally spaced knots at every value of a plane, linearly between knots.

    Args:
        plane: H×W float32 in [0, 1].
        curve: n >= 2 float32; the first knot stands at 0, the last at 1.

    Returns:
        H×W float32.
    """
    out = np.empty(plane.shape, np.float32)
    steps = np.append(np.diff(curve), np.float32(0))  # the last knot has no successor and needs none
    for rows in row_bands(plane):
        position = plane[rows] * np.float32(len(curve) - 1)
        knot = position.astype(np.intp)
        position -= knot
        position *= steps[knot]
        position += curve[knot]
        out[rows] = position
    return out


def histograms(source: Bands, planes: Callable[[Rows], list[Plane]]) -> Array:
    """The histogram of each of the planes that a picture's bands have: c×256 float64 counts.

    Args:
        source: the picture, looked at once.
        planes: of a band, H×W float32 in [0, 1] each.
    """
    found = Sum()
    over_bands(
        source,
        band_rows(source.shape[1]),
        lambda band, *_: found.add(np.stack([histogram(plane) for plane in planes(band)])),
    )
    return found.total


def equalize_tiles(plane: Plane, tiles: int, clip: float) -> Plane:
    """Contrast-limited adaptive equalisation with OpenCV's definition of the limit, without its 8 bits.

    Source: Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV, 1994. The
    histogram of a tile is cut at max(1, clip · pixels / 256), the excess is spread evenly and the remainder
    in equal steps; a pixel blends the curves of the four nearest tile centres.

    Args:
        plane: H×W float32 in [0, 1]; continued by reflection to a multiple of `tiles`.
        tiles: tiles per side.
        clip: limit in multiples of a flat histogram; about the steepest slope of a curve.

    Returns:
        H×W float32 in [0, 1].
    """
    grid = TileCurves(plane.shape, tiles, clip)
    grid.count(plane, 0)
    return grid.read(plane, 0, 0)


class TileCurves:
    """The curves of `equalize_tiles` for a plane that comes in bands.

    Args:
        shape: (H, W) of the plane.
        tiles, clip: as there.
    """

    def __init__(self, shape: tuple[int, ...], tiles: int, clip: float) -> None:
        self._shape, self._clip = shape[:2], clip
        self._sides = [-(-length // tiles) for length in self._shape]  # of a tile
        self._places = [
            cv2.copyMakeBorder(
                np.arange(length, dtype=np.int32)[:, None], 0, -length % tiles, 0, 0, cv2.BORDER_REFLECT_101
            ).ravel()
            for length in self._shape
        ]  # of the continued plane's rows and columns in the plane
        self._counts = np.zeros((tiles, tiles, LEVELS))
        self._lock = Lock()
        self._curves: Array | None = None

    def count(self, band: Plane, top: int) -> None:
        """Look at the rows from `top` on, h×W float32 in [0, 1]; in any order, from several threads."""
        (tall, wide), (rows, columns) = self._sides, self._places
        own = np.flatnonzero((rows >= top) & (rows < top + len(band)))
        tile_of = own // tall
        for row in np.unique(tile_of):
            some = band[rows[own[tile_of == row]] - top]
            for column in range(len(self._counts)):
                part = some[:, columns[column * wide : (column + 1) * wide]]
                counts = histogram(np.ascontiguousarray(part))
                with self._lock:
                    self._counts[row, column] += counts

    def read(self, window: Plane, top: int, left: int) -> Plane:
        """Equalise a window of the plane that begins at (top, left), once every row was counted."""
        tiles, (tall, wide) = len(self._counts), self._sides
        if self._curves is None:
            limited = [limit_histogram(counts, self._clip) for counts in self._counts.reshape(-1, LEVELS)]
            shares = np.cumsum(limited, axis=1) / (tall * wide)
            self._curves = shares.reshape(self._counts.shape).astype(np.float32)
        curves: Array = self._curves
        out = np.empty(window.shape, np.float32)
        across_cells = _cells(self._shape[1], wide, tiles, left, window.shape[1])
        for upper, rows, down in _cells(self._shape[0], tall, tiles, top, window.shape[0]):
            lower, upper = min(upper + 1, tiles - 1), max(upper, 0)
            for before, columns, across in across_cells:
                after, before = min(before + 1, tiles - 1), max(before, 0)
                cell = window[rows, columns]
                north = _blend(cell, curves[upper, before], curves[upper, after], across)
                south = _blend(cell, curves[lower, before], curves[lower, after], across)
                out[rows, columns] = north + (south - north) * down[:, None]
        return np.clip(out, 0, 1, out=out)


def limit_histogram(counts: Array, clip: float) -> Array:
    """Cut 256 counts at the limit of `equalize_tiles` and hand the excess to all levels; the sum stays."""
    limit = max(1, int(clip * counts.sum() / LEVELS))
    excess = int(np.maximum(counts - limit, 0).sum())
    share, rest = divmod(excess, LEVELS)
    limited = np.minimum(counts, limit) + share
    if rest:
        limited[:: max(LEVELS // rest, 1)][:rest] += 1
    return limited


def _cells(length: int, tile: int, tiles: int, first: int, count: int) -> list[tuple[int, slice, Array]]:
    """Stretches between tile centres along one side: (tile before, pixels, way to the tile after).

    Args:
        length, tile: of the side and of a tile, px.
        tiles: along the side.
        first, count: pixels of the side that are asked for; the slices begin to count there.
    """
    cells = []
    for before in range(-1, tiles):
        start = max(math.ceil((before + 0.5) * tile), first)
        stop = min(math.ceil((before + 1.5) * tile), length, first + count)
        if start < stop:
            way = np.arange(start, stop, dtype=np.float32) / np.float32(tile) - np.float32(before + 0.5)
            cells.append((before, slice(start - first, stop - first), way))
    return cells


def _blend(cell: Plane, one: Array, other: Array, share: Array) -> Plane:
    """Two curves read at every pixel, mixed by `share` of the other per column."""
    first = apply_curve(cell, one)
    return first + (apply_curve(cell, other) - first) * share
