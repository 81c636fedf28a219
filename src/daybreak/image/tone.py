"""Tone curves made from a plane's own histogram: equalisation of the whole and by tiles.

Histograms have 256 bins, as in the publications, but a curve is read between its knots, so a plane with more
than 8 bits keeps them; on 8-bit planes the result, rounded, is that of the usual look-up table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
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
        curve: 2 to 256 float32; the first knot stands at 0, the last at 1.

    Returns:
        H×W float32.
    """
    out = np.empty(plane.shape, np.float32)
    line = lines(curve)
    for rows in row_bands(plane):
        out[rows] = Places(plane[rows], len(curve)).read(line)
    return out


def lines(curve: Array) -> Array:
    """The knots of curves and the steps between them: ...×n to ...×2×256 float32, n <= 256."""
    out = np.zeros((*curve.shape[:-1], 2, LEVELS), np.float32)
    out[..., 0, : curve.shape[-1]] = curve
    out[..., 1, : curve.shape[-1] - 1] = np.diff(curve)  # the last knot has no successor and needs none
    return out


class Places:
    """Where the values of a plane lie between the knots of curves.

    Args:
        plane: h×w float32 in [0, 1].
        knots: of a curve, 2 to 256.
    """

    def __init__(self, plane: Plane, knots: int = LEVELS) -> None:
        self._way = plane * np.float32(knots - 1)
        self._knot = self._way.astype(np.uint8)
        self._way -= self._knot

    def read(self, line: Array) -> Plane:
        """A curve, one of `lines`, at every place: h×w float32."""
        knots, steps = (cv2.LUT(self._knot, table) for table in line)
        out = np.asarray(steps, np.float32).reshape(self._way.shape)
        out *= self._way
        out += np.asarray(knots).reshape(self._way.shape)
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


class TileCurves:
    """Contrast-limited adaptive equalisation with OpenCV's definition of the limit, without its 8 bits.

    Source: Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV, 1994. The
    histogram of a tile is cut at max(1, clip · pixels / 256), the excess is spread evenly and the remainder
    in equal steps; a pixel blends the curves of the four nearest tile centres.

    The plane comes in windows: all of it is counted, then any of it read.

    Args:
        shape: (H, W) of the plane; continued by reflection to a multiple of `tiles`.
        tiles: tiles per side.
        clip: limit in multiples of a flat histogram; about the steepest slope of a curve.
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
        self._lines: Array | None = None

    def count(self, window: Plane, top: int, left: int) -> None:
        """Look at a window that begins at (top, left), h×w float32 in [0, 1]; in any order and thread."""
        rows, columns = (
            _by_tile(places, first, length, side)
            for places, first, length, side in zip(
                self._places, (top, left), window.shape, self._sides, strict=True
            )
        )
        for (row, down), (column, across) in product(rows, columns):
            counts = histogram(np.ascontiguousarray(window[down][:, across]))
            with self._lock:
                self._counts[row, column] += counts

    def read(self, window: Plane, top: int, left: int) -> Plane:
        """Equalise a window that begins at (top, left), once all is counted: h×w float32 in [0, 1]."""
        tiles, (tall, wide) = len(self._counts), self._sides
        if self._lines is None:
            limited = [limit_histogram(counts, self._clip) for counts in self._counts.reshape(-1, LEVELS)]
            shares = np.cumsum(limited, axis=1) / (tall * wide)
            self._lines = lines(shares.reshape(self._counts.shape).astype(np.float32))
        out = np.empty(window.shape, np.float32)
        across_cells = _cells(self._shape[1], wide, tiles, left, window.shape[1])
        for upper, rows, down in _cells(self._shape[0], tall, tiles, top, window.shape[0]):
            north, south = self._lines[max(upper, 0)], self._lines[min(upper + 1, tiles - 1)]
            for before, columns, across in across_cells:
                west, east = max(before, 0), min(before + 1, tiles - 1)
                cell, into = window[rows, columns], out[rows, columns]
                for some in row_bands(cell):
                    places = Places(cell[some])
                    upper_line = _mixed(places.read(north[west]), places.read(north[east]), across)
                    lower_line = _mixed(places.read(south[west]), places.read(south[east]), across)
                    into[some] = _mixed(upper_line, lower_line, down[some, None])
        return np.clip(out, 0, 1, out=out)


def _by_tile(places: Array, first: int, length: int, side: int) -> list[tuple[int, Array]]:
    """The tiles that have a part in some places, and which ones: (tile, places from `first` on)."""
    own = np.flatnonzero((places >= first) & (places < first + length))
    return [(int(tile), places[own[own // side == tile]] - first) for tile in np.unique(own // side)]


def limit_histogram(counts: Array, clip: float) -> Array:
    """Cut 256 counts at the limit of `TileCurves` and hand the excess to all levels; the sum stays."""
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


def _mixed(one: Plane, other: Plane, share: Array) -> Plane:
    """The way from one to the other; the other's memory is used."""
    other -= one
    other *= share
    other += one
    return other
