"""Pictures cut out on a clear ground: what nobody can see is not counted, and stays as it came."""

from __future__ import annotations

import cv2
import numpy as np

from daybreak.enhancing.amount import enlarged
from daybreak.image.rows import Levels, Rows, mean
from daybreak.types import Array

_BAND = 256  # rows


def without(rows: Rows, hidden: Array) -> Rows:
    """The picture with what can be seen, spread evenly, in place of what cannot; a new one.

    So every level is as frequent as among the pixels that can be seen, and what a method counts over the
    whole is what it would count over those.

    Args:
        rows: H×W×3.
        hidden: where it cannot be seen, H×W bool; neither nowhere nor everywhere.
    """
    whole = rows.whole if isinstance(rows, Levels) else rows
    filled, seen = whole.copy(), whole[~hidden]
    count, before = np.count_nonzero(hidden), 0
    for top in range(0, len(whole), _BAND):
        band = slice(top, top + _BAND)
        here = int(np.count_nonzero(hidden[band]))
        filled[band][hidden[band]] = seen[np.arange(before, before + here) * len(seen) // count]
        before += here
    return Levels(filled, rows.peak) if isinstance(rows, Levels) else filled


def put_back(made: Rows, rows: Rows, hidden: Array) -> Rows:
    """The result with what cannot be seen as it came.

    Args:
        made: the result of `without(rows, hidden)`, maybe enlarged; written into where it is an array.
        rows, hidden: as there.
    """
    if made.shape != rows.shape:
        size = (made.shape[1], made.shape[0])
        smooth = cv2.resize((~hidden).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        rows, hidden = enlarged(rows[:], made.shape), smooth <= 0.0
    whole = made.whole.copy() if isinstance(made, Levels) else made
    for top in range(0, len(whole), _BAND):
        band = slice(top, top + _BAND)
        where = hidden[band]
        whole[band][where] = _like(made, rows[band][where])
    return Levels(whole, made.peak) if isinstance(made, Levels) else whole


def _like(made: Rows, values: Array) -> Array:
    """float32 in [0, 1] as the result has its numbers."""
    if not isinstance(made, Levels):
        return values
    return np.asarray(np.rint(values * np.float64(made.peak)), made.whole.dtype)


def seen_mean(rows: Rows, hidden: Array | None) -> float:
    """`mean` of what can be seen; None: of all."""
    if hidden is None:
        return mean(rows)
    seen = (~hidden).astype(np.uint8)
    if isinstance(rows, Levels):
        return float(np.mean(cv2.mean(rows.whole, seen)[:3])) / rows.peak
    return float(np.mean(cv2.mean(rows, seen)[:3]))
