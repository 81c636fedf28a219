"""A reduced copy of a picture by whole blocks, made band by band, and fields brought back up from it.

The blocks are squares of k×k pixels counted from the upper left, so that every part of the picture knows
where it lies in the copy, and a field enlarged part by part is the one that is enlarged in one piece.
"""

from __future__ import annotations

import cv2
import numpy as np

from daybreak.image.rows import Bands
from daybreak.types import Array, Pixels

_BAND = 1 << 20  # pixels that are float at a time


def block_means(source: Bands, side: int) -> Pixels:
    """The mean of each block of side×side pixels; those cut by the border are filled up with its last pixel.

    Args:
        source: H×W×3, looked at from top to bottom.
        side: of a block, px.

    Returns:
        ⌈H / side⌉×⌈W / side⌉×3 float32 in [0, 1].
    """
    height, width = source.shape[:2]
    tall, wide = -(-height // side), -(-width // side)
    out = np.empty((tall, wide, 3), np.float32)
    step = max(1, _BAND // (width * side))
    for first in range(0, tall, step):
        last = min(first + step, tall)
        band: Pixels = source.band(first * side, min(last * side, height))[:]
        below, right = (last - first) * side - band.shape[0], wide * side - width
        if below or right:
            band = np.pad(band, ((0, below), (0, right), (0, 0)), mode="edge")
        means = cv2.resize(band, (wide, last - first), interpolation=cv2.INTER_AREA)
        out[first:last] = means.reshape(last - first, wide, 3)
    return out


class Field:
    """A field of three numbers a block, to be read at any pixel: bilinear between the blocks' centres.

    Args:
        values: h×w×3 float32, of any range.
        side: of a block, px.
    """

    def __init__(self, values: Array, side: int) -> None:
        self.side = side
        self._values = np.pad(values, ((1, 1), (1, 1), (0, 0)), mode="edge")

    def at(self, top: int, bottom: int, left: int, right: int) -> Array:
        """The part of the rows top to bottom and the columns left to right; top and left begin a block."""
        side = self.side
        rows = slice(top // side, -(-bottom // side) + 2)
        columns = slice(left // side, -(-right // side) + 2)
        part = np.ascontiguousarray(self._values[rows, columns])
        if side > 1:
            size = (part.shape[1] * side, part.shape[0] * side)
            part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_LINEAR))
        return np.asarray(part[side : side + bottom - top, side : side + right - left], np.float32)
