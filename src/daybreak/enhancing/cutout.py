"""Pictures cut out on a clear ground: what nobody can see is not counted, and stays as it came."""

from __future__ import annotations

import cv2
import numpy as np

from daybreak.enhancing.amount import enlarged
from daybreak.image.rows import Levels, Rows
from daybreak.types import Array, Plane


def clear(alpha: Plane | None) -> Array | None:
    """Where a picture is fully transparent, H×W bool; None where it is nowhere, or everywhere."""
    if alpha is None or alpha.min() > 0.0 or alpha.max() <= 0.0:
        return None
    return np.asarray(alpha <= 0.0)


def without(rows: Rows, hidden: Array) -> Rows:
    """The picture with the mean of what can be seen in place of what cannot, a new one.

    Args:
        rows: H×W×3.
        hidden: from `clear`.
    """
    whole = rows.whole if isinstance(rows, Levels) else rows
    seen = np.array(cv2.mean(whole, (~hidden).astype(np.uint8))[:3])
    filled = whole.copy()
    filled[hidden] = (np.rint(seen) if isinstance(rows, Levels) else seen).astype(whole.dtype)
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
    if not isinstance(made, Levels):
        made[hidden] = _at(rows, hidden, 1.0)
        return made
    whole = made.whole.copy()
    whole[hidden] = np.rint(_at(rows, hidden, made.peak)).astype(whole.dtype)
    return Levels(whole, made.peak)


def _at(rows: Rows, where: Array, peak: float) -> Array:
    """The pixels there, on a scale up to `peak`."""
    if isinstance(rows, Levels):
        return rows.whole[where] * (np.float64(peak) / rows.peak)
    return rows[where] * np.float64(peak)
