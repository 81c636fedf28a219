"""A copy of a fixed size, each pixel the mean of its part of the picture, at full precision in the dark."""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np

from daybreak.image.rows import Bands, Floats, Levels, Rows
from daybreak.types import Array, Pixels


def _shares(count: int, length: int) -> Array:
    """count×length: how much of each of `length` pixels lies in each of `count` equal parts."""
    edges = np.arange(count + 1) * (length / count)
    places = np.arange(length)
    overlap = np.minimum(edges[1:, None], places + 1.0) - np.maximum(edges[:-1, None], places)
    return np.asarray(overlap.clip(min=0.0) * (count / length), np.float32)


def _row_sums(source: Bands, begin: float, end: float) -> Array:
    """The sum of the rows from one height to another, of those that lie partly between by their share.

    OpenCV adds whole levels up at memory speed; a product with shares, as for the columns, would need the
    whole picture as floats.

    Args:
        source: H×W×3.
        begin, end: 0 to H.

    Returns:
        3·W float32, the sums over values in [0, 1].
    """
    first, after = math.floor(begin), math.ceil(end)
    rows = source.band(first, after)
    whole, peak = (rows.whole, rows.peak) if isinstance(rows, Levels) else (rows, 1)
    some = whole.reshape(after - first, -1)
    exact = cv2.CV_32S if whole.dtype == np.uint8 else cv2.CV_64F  # a tenth of the time where it will do
    total = np.asarray(cv2.reduce(some, 0, cv2.REDUCE_SUM, dtype=exact))[0]
    total = total - (begin - first) * some[0] - (after - end) * some[-1]
    return np.asarray(total / peak, np.float32)


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
    edges = [min(part * height / side, height) for part in range(side + 1)]
    sums = np.stack([_row_sums(source, *ends) for ends in pairwise(edges)])
    planes = sums.reshape(side, width, 3).transpose(0, 2, 1).reshape(-1, width)
    # one product of them all: 64 narrow ones took half a second at 12 megapixels
    small = (planes @ _shares(side, width).T).reshape(side, 3, side).transpose(0, 2, 1)
    return np.ascontiguousarray(small * np.float32(side / height)).clip(0.0, 1.0)
