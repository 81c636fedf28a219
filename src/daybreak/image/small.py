"""A copy of a fixed size, each pixel the mean of its part of the picture, at full precision in the dark."""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np

from daybreak.image.rows import Bands, Floats, Levels, Rows
from daybreak.types import Array, Pixels


def _sums(source: Bands, parts: int) -> Array:
    """The sum of the rows in each of equal parts, of those that lie in two by their shares.

    OpenCV adds whole levels up at memory speed. A product with the shares would need the whole picture as
    floats, and the threads of the linear algebra library, which get in the way of those at work on a film.

    Args:
        source: H×W×3.
        parts: how many.

    Returns:
        parts×W×3 float32, sums of values in [0, 1].
    """
    height, width, colors = source.shape
    out = np.empty((parts, width, colors), np.float32)
    edges = [min(part * height / parts, height) for part in range(parts + 1)]
    for part, (begin, end) in enumerate(pairwise(edges)):
        first, after = math.floor(begin), math.ceil(end)
        rows = source.band(first, after)
        whole, peak = (rows.whole, rows.peak) if isinstance(rows, Levels) else (rows, 1)
        some = whole.reshape(after - first, -1)
        exact = cv2.CV_32S if whole.dtype == np.uint8 else cv2.CV_64F  # a tenth of the time where it will do
        total = np.asarray(cv2.reduce(some, 0, cv2.REDUCE_SUM, dtype=exact))[0]
        total = total - (begin - first) * some[0] - (after - end) * some[-1]
        out[part] = (total / peak).reshape(width, colors)
    return out


def small_copy(rows: Rows | Bands, side: int) -> Pixels:
    """The mean of each of side×side equal parts.

    Args:
        rows: H×W×3, any size, smaller than `side` too.
        side: of the result.

    Returns:
        side×side×3 float32 in [0, 1]; its mean is that of the picture.
    """
    source = Floats(rows) if isinstance(rows, np.ndarray) else rows
    height, width = source.shape[:2]
    across = np.ascontiguousarray(_sums(source, side).transpose(1, 0, 2))
    small = _sums(Floats(across), side).transpose(1, 0, 2) * (side * side / (height * width))
    return np.ascontiguousarray(small, np.float32).clip(0.0, 1.0)


def guide_of(rows: Rows | Bands, side: int) -> Array:
    """`small_copy` as a graph takes it: 1×3×side×side."""
    return np.ascontiguousarray(small_copy(rows, side).transpose(2, 0, 1)[np.newaxis])
