"""Whole numbers of a file to float32 in [0, 1] and back, at memory speed.

NumPy's clip, round and astype over the 36 million values of a 12-megapixel picture cost more than decoding
its JPEG; one OpenCV pass does all three.
"""

from __future__ import annotations

import cv2
import numpy as np

from daybreak.types import Array


def to_float(levels: Array, peak: int) -> Array:
    """Levels 0 … peak to float32 in [0, 1]; same shape.

    Args:
        levels: uint8 or uint16.
        peak: the level that means 1.0.
    """
    return np.multiply(levels, np.float32(1.0 / peak), dtype=np.float32)


def to_levels(values: Array, bits: int, clipped: bool = False) -> Array:
    """Clip to [0, 1], round to the nearest of 2^bits levels; uint8 for 8 bits, uint16 above; same shape.

    A level that came from `to_float` comes back as itself.

    Args:
        values: float32.
        bits: 8 to 16.
        clipped: nothing is below 0, which to know makes 8 bits twice as quick.
    """
    peak = (1 << bits) - 1
    rows = np.ascontiguousarray(values).reshape(values.shape[0], -1)  # OpenCV takes N×4 for a scalar
    if clipped and bits == 8:
        return np.asarray(cv2.convertScaleAbs(rows, alpha=float(peak))).reshape(values.shape)
    # α·a + 0·a is the fastest call that scales, rounds and saturates at both ends in a single pass.
    out = cv2.addWeighted(rows, float(peak), rows, 0.0, 0.0, dtype=cv2.CV_8U if bits == 8 else cv2.CV_16U)
    if bits not in (8, 16):
        out = np.minimum(out, peak)
    return np.asarray(out).reshape(values.shape)
