"""Bicubic resizing as MATLAB's imresize does it, on which published numbers rely (methods.md B.10)."""

from __future__ import annotations

import math
from threading import Lock

import numpy as np

from daybreak.types import Array

_SUPPORT = 4.0  # width of the cubic kernel in samples of the coarser of the two grids


def resize_bicubic(plane: Array, to: float | tuple[int, int]) -> Array:
    """Resize with the cubic kernel of a = -0.5, widened when the result is smaller (antialiasing).

    Args:
        plane: H×W or H×W×C, float32 or float64, any range, at least one sample.
        to: a scale > 0 (each side becomes ⌈scale · side⌉) or (height, width) of the result.

    Returns:
        The same dtype, resized rows first; values may leave the input's range where the kernel is negative.
    """
    height, width = plane.shape[:2]
    if isinstance(to, tuple):
        (tall, wide), (down, right) = to, (to[0] / height, to[1] / width)
    else:
        (tall, wide), (down, right) = (math.ceil(to * height), math.ceil(to * width)), (to, to)
    columns = np.swapaxes(_resize_rows(plane, tall, down), 0, 1)
    return np.ascontiguousarray(np.swapaxes(_resize_rows(columns, wide, right), 0, 1))


def _resize_rows(plane: Array, count: int, scale: float) -> Array:
    """Each of `count` new rows is a weighted sum of a few old ones."""
    if count == plane.shape[0] and scale == 1:
        return plane
    plane = np.ascontiguousarray(plane)
    taps, weights = contributions(plane.shape[0], count, scale)
    weights = weights.astype(plane.dtype).reshape(*weights.shape, *[1] * (plane.ndim - 1))
    out = plane[taps[:, 0]]
    out *= weights[:, 0]
    for k in range(1, taps.shape[1]):
        rows = plane[taps[:, k]]
        rows *= weights[:, k]
        out += rows
    return out


class Shrinking:
    """`resize_bicubic` to a much smaller size of a picture that comes in bands, in any order.

    Args:
        shape: (H, W) of the picture.
        to: (height, width) of the result.
    """

    def __init__(self, shape: tuple[int, int], to: tuple[int, int]) -> None:
        self._to, self._shape, self._lock = to, shape, Lock()
        taps, weights = contributions(shape[0], to[0], to[0] / shape[0])
        self._weights = np.zeros((to[0], shape[0]), np.float32)  # of each old row in each new one
        for row, (places, shares) in enumerate(zip(taps, weights, strict=True)):
            np.add.at(self._weights[row], places, shares.astype(np.float32))
        self._rows: Array | None = None

    def add(self, band: Array, top: int) -> None:
        """Look at the rows from `top` on: h×W×c float32."""
        weights = self._weights[:, top : top + len(band)]
        some = np.flatnonzero(weights.any(axis=1))
        sums = weights[some] @ np.ascontiguousarray(band).reshape(len(band), -1)
        with self._lock:
            if self._rows is None:
                self._rows = np.zeros((self._to[0], *band.shape[1:]), np.float32)
            self._rows[some] += sums.reshape(len(some), *band.shape[1:])

    def done(self) -> Array:
        """The result, once every row was there: height×width×c float32."""
        assert self._rows is not None
        columns = np.swapaxes(self._rows, 0, 1)
        scale = self._to[1] / self._shape[1]
        return np.ascontiguousarray(np.swapaxes(_resize_rows(columns, self._to[1], scale), 0, 1))


def contributions(length: int, count: int, scale: float) -> tuple[Array, Array]:
    """Which old samples make each new one, and with what weights.

    Args:
        length: samples of the old axis.
        count: samples of the new axis.
        scale: new over old.

    Returns:
        Indices into the old axis and their weights, both count×taps; each row of weights sums to 1. Beyond
        the ends the axis is mirrored with its last sample repeated.
    """
    squeeze = min(scale, 1.0)
    reach = _SUPPORT / squeeze
    centre = (np.arange(count) + 0.5) / scale - 0.5  # counted from 0
    first = np.floor(centre - reach / 2).astype(np.int64) + 1
    taps = first[:, None] + np.arange(math.ceil(reach) + 1)
    weights = _cubic(squeeze * (centre[:, None] - taps))
    weights /= weights.sum(axis=1, keepdims=True)
    used = np.any(weights != 0, axis=0)
    folded = taps[:, used] % (2 * length)
    return np.minimum(folded, 2 * length - 1 - folded), weights[:, used]


def _cubic(x: Array) -> Array:
    """Keys' cubic with a = -0.5; 0 from a distance of 2 on."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
