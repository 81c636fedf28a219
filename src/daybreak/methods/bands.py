"""Methods whose last step is local, run band by band."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from daybreak.image.rows import Bands, Floats
from daybreak.image.strips import Band, map_rows
from daybreak.methods.base import Prepared, S
from daybreak.types import Pixels

ROWS = 32  # of a band: its temporaries stay in the cache
_HALOS = 16  # rows of a band over its halo at the least: what is done twice is then an eighth


def rows_of(prepared: Prepared) -> int:
    """How many rows a band has."""
    return max(ROWS, -(-_HALOS * prepared.halo // prepared.cell) * prepared.cell)


def by_bands(prepare: Callable[[Bands, S, int | None], Prepared]) -> Callable[[Pixels, S], Pixels]:
    """`Method.run` made from `Method.prepare`."""

    def run(pixels: Pixels, settings: S) -> Pixels:
        prepared = prepare(Floats(pixels), settings, None)
        out = np.empty_like(pixels)

        def work(bands: Iterable[Band]) -> None:
            for top, bottom in bands:
                out[top:bottom] = prepared.rows(pixels, top, bottom)

        map_rows(work, len(pixels), rows_of(prepared))
        return out

    return run
