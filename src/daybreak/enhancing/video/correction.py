"""A smooth gain on a whole frame that ends at a given mean: what `steady` does to each frame.

The gain is given on a coarse grid and enlarged band by band, so that neither it nor the product is ever in
memory as floats of the frame's size; that costs more than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import cv2
import numpy as np

from daybreak.image.rows import Levels, Rows
from daybreak.image.strips import Band, map_rows
from daybreak.methods.bands import ROWS
from daybreak.types import Array, Pixels

LARGE = 0.05  # correction from which on every pixel is looked at: the cells know nothing of what is clipped
BLACK = np.float32(2.0 / 255.0)  # added to both sides of every ratio: black has none

_LOOKS, _NEAR = 3, 0.002  # at every pixel, at most; none after one that found the mean so near

_Gains = Callable[[int, int], Pixels]
"""First row and the one after the last -> the gain of each of their pixels, in a new array."""


def corrected(after: Rows, fine: Pixels, factor: Pixels, mean: Array) -> Rows:
    """A frame times a gain, and exactly a given mean in each channel.

    Args:
        after: H×W×3; its memory may be reused.
        fine: its means on a finer grid than that of the gain.
        factor: the gain, h×w×3; between the cells it goes over linearly.
        mean: of each channel of the result, as far as white allows.

    Returns:
        H×W×3, of the kind of `after`.
    """
    large = float(np.abs(factor - 1.0).max()) >= LARGE
    given = np.minimum(fine * _enlarged(factor, fine.shape), 1.0).mean(axis=(0, 1))
    ratio = (mean + BLACK) / (given + BLACK)
    for _ in range(_LOOKS if large else 0):
        factor = np.asarray(factor * ratio, np.float32)
        ratio = (mean + BLACK) / (_mean(after, _gains(factor, after.shape)) + BLACK)
        if float(np.abs(ratio - 1.0).max()) < _NEAR:
            break
    return _multiplied(after, _gains(np.asarray(factor * ratio, np.float32), after.shape))


def _enlarged(factor: Pixels, shape: tuple[int, ...]) -> Pixels:
    size = (shape[1], shape[0])
    return np.asarray(cv2.resize(factor, size, interpolation=cv2.INTER_LINEAR), np.float32).reshape(shape)


def _gains(factor: Pixels, shape: tuple[int, ...]) -> _Gains:
    """The gain enlarged to H×W×3, as `_enlarged` does, row by row."""
    last = len(factor) - 1
    wide = _enlarged(factor, (last + 1, shape[1], 3))
    place = np.clip((np.arange(shape[0]) + 0.5) * (len(factor) / shape[0]) - 0.5, 0, last)
    upper = place.astype(np.intp)
    share = (place - upper).astype(np.float32)[:, np.newaxis, np.newaxis]
    step = np.diff(wide, axis=0, append=wide[last:])

    def rows(top: int, bottom: int) -> Pixels:
        here: Pixels = step[upper[top:bottom]]
        here *= share[top:bottom]
        here += wide[upper[top:bottom]]
        return here

    return rows


def _product(rows: Rows, band: Band, gains: _Gains) -> Pixels:
    """Some rows times their gains: in units of `Levels`, or in [0, 1]."""
    top, bottom = band
    whole = rows.whole if isinstance(rows, Levels) else rows
    product = gains(top, bottom)
    return np.multiply(whole[top:bottom], product, out=product)


def _mean(rows: Rows, gains: _Gains) -> Array:
    """The mean of each channel of the product, clipped at white; the same in any number of threads."""
    height, width = rows.shape[:2]
    peak = np.float32(rows.peak if isinstance(rows, Levels) else 1)
    sums = np.empty((-(-height // ROWS), 3))

    def work(bands: Iterable[Band]) -> None:
        for band in bands:
            product = _product(rows, band, gains)
            np.minimum(product, peak, out=product)
            columns = product.reshape(len(product), -1).sum(axis=0, dtype=np.float32)
            sums[band[0] // ROWS] = columns.reshape(width, 3).sum(axis=0, dtype=np.float64)

    map_rows(work, height, ROWS)
    return np.asarray(sums.sum(axis=0) / (height * width * float(peak)))


def _multiplied(rows: Rows, gains: _Gains) -> Rows:
    """The product, clipped.

    Levels are rounded up or down by a fixed pattern: of a correction by a thousandth, too small for any one
    level, the mean is to have its thousandth all the same.
    """
    height, width = rows.shape[:2]
    pattern = np.tile(_PATTERN, (ROWS // 8, width // 8 + 1))[:, :width, np.newaxis]

    def work(bands: Iterable[Band]) -> None:
        for band in bands:
            product = _product(rows, band, gains)
            if isinstance(rows, Levels):
                product += pattern[: len(product)]
                rows.whole[band[0] : band[1]] = _rounded(product, rows.whole.dtype)
            else:
                np.minimum(product, 1.0, out=rows[band[0] : band[1]])

    map_rows(work, height, ROWS)
    return Levels(rows.whole, rows.peak) if isinstance(rows, Levels) else rows


def _rounded(values: Pixels, dtype: np.dtype[Any]) -> Array:
    """To the nearest level, clipped, in one pass."""
    flat = values.reshape(len(values), -1)
    depth = cv2.CV_8U if dtype == np.uint8 else cv2.CV_16U
    return np.asarray(cv2.addWeighted(flat, 1.0, flat, 0.0, 0.0, dtype=depth)).reshape(values.shape)


def _ordered() -> Array:
    """Bayer's 8×8 pattern, evenly spaced between −1/2 and 1/2."""
    pattern = np.zeros((1, 1))
    for _ in range(3):
        pattern = np.block([[4 * pattern, 4 * pattern + 2], [4 * pattern + 3, 4 * pattern + 1]])
    return np.asarray((pattern + 0.5) / 64.0 - 0.5, dtype=np.float32)


_PATTERN = _ordered()
