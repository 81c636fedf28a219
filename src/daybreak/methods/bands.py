"""Methods whose last step is the same arithmetic at every pixel, run band by band."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from daybreak.image.rows import Rows
from daybreak.image.strips import Band, map_rows
from daybreak.methods.base import Apply, S
from daybreak.types import Pixels

ROWS = 32  # of a band: its temporaries stay in the cache


def by_bands(prepare: Callable[[Rows, S], Apply]) -> Callable[[Pixels, S], Pixels]:
    """`Method.run` made from `Method.prepare`."""

    def run(pixels: Pixels, settings: S) -> Pixels:
        apply = prepare(pixels, settings)
        out = np.empty_like(pixels)

        def work(bands: Sequence[Band]) -> None:
            for top, bottom in bands:
                out[top:bottom] = apply(pixels[top:bottom].copy(), top)

        map_rows(work, len(pixels), ROWS)
        return out

    return run
