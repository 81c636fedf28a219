"""A reduced copy of a picture by whole blocks, made band by band, and fields brought back up from it.

The blocks are squares of k×k pixels counted from the upper left, so that every part of the picture knows
where it lies in the copy, and a field enlarged part by part is the one that is enlarged in one piece.
"""

from __future__ import annotations

import cv2
import numpy as np

from daybreak.image.rows import Bands, Rows, brightest
from daybreak.image.strips import band_rows, over_bands
from daybreak.types import Array, Pixels, Plane

_AT_ONCE = 1 << 22  # pixels of the picture


def block_pixels(source: Bands, side: int) -> Pixels:
    """The middle pixel of each block of side×side pixels, and of those that the border cuts.

    One pixel, not the mean: a mean has less noise, and what a method does to a dark picture depends on its
    noise (percentiles, histograms, the largest channel). Results learnt from means were up to 20 dB farther
    from those of the whole picture.

    Args:
        source: H×W×3, looked at from top to bottom.
        side: of a block, px.

    Returns:
        ⌈H / side⌉×⌈W / side⌉×3 float32 in [0, 1].
    """
    height, width = source.shape[:2]
    rows, columns = (
        np.minimum(np.arange(-(-length // side)) * side + side // 2, length - 1) for length in (height, width)
    )
    out = np.empty((len(rows), len(columns), 3), np.float32)
    step = max(1, _AT_ONCE // (width * side))
    for first in range(0, len(rows), step):
        some = rows[first : first + step]
        band = source.band(int(some[0]), int(some[-1]) + 1)
        for at, row in enumerate(some, first):
            out[at] = band[int(row - some[0])][columns]
    return out


def block_means(source: Bands, side: int) -> Plane:
    """The mean of V, max(R, G, B), over each block of side×side pixels; the border's last ones fill them up.

    Args:
        source: H×W×3, looked at once.
        side: of a block, px.

    Returns:
        ⌈H / side⌉×⌈W / side⌉ float32 in [0, 1].
    """
    height, width = source.shape[:2]
    below, right = -height % side, -width % side
    out = np.empty(((height + below) // side, (width + right) // side), np.float32)

    def work(window: Rows, _first: int, top: int, bottom: int) -> None:
        plane = brightest(window)
        if side > 1:
            filled = ((0, below if bottom == height else 0), (0, right))
            plane = np.pad(plane, filled, mode="edge")
            size = (plane.shape[1] // side, plane.shape[0] // side)
            plane = np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA)).reshape(size[::-1])
        out[top // side : top // side + len(plane)] = plane

    over_bands(source, band_rows(width, side), work)
    return out


class Field:
    """A field of a few numbers a block, to be read at any pixel: bilinear between the blocks' centres.

    Args:
        values: h×w×c float32, of any range.
        side: of a block, px.
        rimmed: there is a block beyond each border already; else the last ones stand there too.
    """

    def __init__(self, values: Array, side: int, *, rimmed: bool = False) -> None:
        self.side = side
        self._values = values if rimmed else np.pad(values, ((1, 1), (1, 1), (0, 0)), mode="edge")

    @property
    def kept(self) -> int:
        """Bytes of memory."""
        return self._values.nbytes

    def at(self, top: int, bottom: int, left: int, right: int) -> Array:
        """The part of the rows top to bottom and the columns left to right."""
        side = self.side
        down, across = side + top % side, side + left % side  # of what is enlarged comes before
        rows = slice(top // side, -(-bottom // side) + 2)
        columns = slice(left // side, -(-right // side) + 2)
        part = np.ascontiguousarray(self._values[rows, columns])
        if side > 1:
            size = (part.shape[1] * side, part.shape[0] * side)
            part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)).reshape(
                *size[::-1], part.shape[2]
            )
        return np.asarray(part[down : down + bottom - top, across : across + right - left], np.float32)
