"""A whole picture enhanced band by band, from whole numbers to whole numbers."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from daybreak.enhancing.amount import blend
from daybreak.image.depth import to_levels
from daybreak.image.rows import Levels
from daybreak.image.strips import Band, Sum, map_rows
from daybreak.methods.bands import rows_of
from daybreak.methods.base import Prepared
from daybreak.types import Array

_FEW = 3 << 21  # values, two megapixels: less takes no longer than another thread takes to wake


def enhance_levels(levels: Levels, prepared: Prepared, strength: float) -> Levels:
    """What a prepared method makes of a picture, mixed with it at a strength and rounded.

    Args:
        levels: H×W×3 of any peak; left unchanged.
        prepared: from `Method.prepare`.
        strength: in (0, 1.5].

    Returns:
        H×W×3 of 8 bits for a peak of 255, of 16 bits for any other.
    """
    bits = 8 if levels.peak == 255 else 16
    out = np.empty(levels.shape, np.uint8 if bits == 8 else np.uint16)

    def make(some: Levels, top: int, bottom: int, into: Array) -> Array:
        if prepared.levels is not None and strength == 1.0:
            return prepared.levels(some, top, bottom, into)
        result = prepared.rows(some, top, bottom)
        mixed = result if strength == 1.0 else blend(some[top:bottom], result, strength)
        into[:] = to_levels(mixed, bits, clipped=True)
        return np.array(cv2.sumElems(into)[:3])  # while it is near

    if prepared.point:
        ramp = _ramp(levels)
        mapped = np.empty(ramp.shape, out.dtype)
        make(ramp, 0, len(mapped), mapped)
        table = mapped.reshape(-1, 3)
        if (table == table[:, :1]).all():
            table = table[:, :1]  # one for all colours is read in half the time

    total = Sum()

    def work(bands: Iterable[Band]) -> None:
        for top, bottom in bands:
            rows = slice(top, bottom)
            if prepared.point:
                cv2.LUT(levels.whole[rows], table[np.newaxis], dst=out[rows])
                total.add(np.array(cv2.sumElems(out[rows])[:3]))
            else:
                total.add(make(levels, top, bottom, out[rows]))

    few = (prepared.point or prepared.light) and levels.whole.size < _FEW
    map_rows(work, levels.shape[0], rows_of(prepared), alone=few)
    result = Levels(out, (1 << bits) - 1)
    result.once("mean", lambda: float(total.total.sum() / out.size / result.peak))  # known from here on
    return result


def _ramp(levels: Levels) -> Levels:
    """Every level once, in a picture of the same kind."""
    every = np.arange(np.iinfo(levels.whole.dtype).max + 1).astype(levels.whole.dtype)
    return Levels(cv2.merge([every.reshape(-1, 256)] * 3), levels.peak)
