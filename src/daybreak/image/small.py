"""A copy of a fixed size, each pixel the mean of its part of the picture, at full precision in the dark."""

from __future__ import annotations

import numpy as np

from daybreak.image.rows import Rows
from daybreak.types import Array, Pixels

BAND = 256  # rows that are float at a time


def _shares(count: int, length: int) -> Array:
    """count×length: how much of each of `length` pixels lies in each of `count` equal parts."""
    edges = np.arange(count + 1) * (length / count)
    places = np.arange(length)
    overlap = np.minimum(edges[1:, None], places + 1.0) - np.maximum(edges[:-1, None], places)
    return np.asarray(overlap.clip(min=0.0) * (count / length), np.float32)


def small_copy(rows: Rows, side: int) -> Pixels:
    """The mean of each of side×side equal parts.

    Args:
        rows: H×W×3, any size, smaller than `side` too.
        side: of the result.

    Returns:
        side×side×3 float32 in [0, 1]; its mean is that of the picture.
    """
    height, width = rows.shape[:2]
    down, across = _shares(side, height), _shares(side, width)
    narrow = np.zeros((side, width * 3), np.float32)
    for top in range(0, height, BAND):
        band = rows[top : top + BAND]
        shares = down[:, top : top + len(band)]
        some = np.flatnonzero(shares.any(axis=1))  # the parts that the band lies in
        narrow[some] += shares[some] @ band.reshape(len(band), -1)
    small = across @ narrow.reshape(side, width, 3)  # side×side×3
    return np.ascontiguousarray(small, np.float32).clip(0.0, 1.0)
