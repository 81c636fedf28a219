"""A whole picture enhanced band by band, from whole numbers to whole numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from daybreak.enhancing.amount import blend
from daybreak.image.depth import to_levels
from daybreak.image.rows import Levels
from daybreak.image.strips import Band, map_rows
from daybreak.methods.bands import rows_of
from daybreak.methods.base import Prepared


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

    def work(bands: Sequence[Band]) -> None:
        for top, bottom in bands:
            result = prepared.rows(levels, top, bottom)
            mixed = result if strength == 1.0 else blend(levels[top:bottom], result, strength)
            out[top:bottom] = to_levels(mixed, bits, clipped=True)

    map_rows(work, levels.shape[0], rows_of(prepared))
    return Levels(out, (1 << bits) - 1)
