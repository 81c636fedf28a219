"""Tone curves made from a plane's own histogram: equalisation of the whole and by tiles.

Histograms have 256 bins, as in the publications, but a curve is read between its knots, so a plane with more
than 8 bits keeps them; on 8-bit planes the result, rounded, is that of the usual look-up table.
"""

from __future__ import annotations

import math
from collections.abc import Callable

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
    height, width = plane.shape
    bottom, right = -height % tiles, -width % tiles
    padded = np.asarray(cv2.copyMakeBorder(plane, 0, bottom, 0, right, cv2.BORDER_REFLECT_101), np.float32)
    tile_height, tile_width = padded.shape[0] // tiles, padded.shape[1] // tiles
    curves = np.empty((tiles, tiles, LEVELS), np.float32)
    for row, column in np.ndindex(tiles, tiles):
        top, left = row * tile_height, column * tile_width
        counts = histogram(padded[top : top + tile_height, left : left + tile_width])
        curves[row, column] = np.cumsum(limit_histogram(counts, clip)) / (tile_height * tile_width)
    out = np.empty((height, width), np.float32)
    for upper, rows, down in _cells(height, tile_height, tiles):
        lower, upper = min(upper + 1, tiles - 1), max(upper, 0)
        for left, columns, across in _cells(width, tile_width, tiles):
            right, left = min(left + 1, tiles - 1), max(left, 0)
            cell = plane[rows, columns]
            north = _blend(cell, curves[upper, left], curves[upper, right], across)
            south = _blend(cell, curves[lower, left], curves[lower, right], across)
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


def _cells(length: int, tile: int, tiles: int) -> list[tuple[int, slice, Array]]:
    """Stretches between tile centres along one side: (tile before, pixels, way to the tile after)."""
    cells = []
    for before in range(-1, tiles):
        start = max(math.ceil((before + 0.5) * tile), 0)
        stop = min(math.ceil((before + 1.5) * tile), length)
        if start < stop:
            way = np.arange(start, stop, dtype=np.float32) / np.float32(tile) - np.float32(before + 0.5)
            cells.append((before, slice(start, stop), way))
    return cells


def _blend(cell: Plane, one: Array, other: Array, share: Array) -> Plane:
    """Two curves read at every pixel, mixed by `share` of the other per column."""
    first = apply_curve(cell, one)
    return first + (apply_curve(cell, other) - first) * share
