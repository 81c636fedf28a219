"""Running a local function over bands of rows, so that a large picture needs little memory at a time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from daybreak.types import Pixels


def row_bands(height: int, rows: int) -> list[tuple[int, int]]:
    """Cut a height into bands of at most `rows` rows, all nearly alike.

    >>> row_bands(10, 4)
    [(0, 3), (3, 6), (6, 10)]
    """
    count = max(1, -(-height // max(1, rows)))
    edges = [height * i // count for i in range(count + 1)]
    return list(pairwise(edges))


def in_row_bands(run: Callable[[Pixels], Pixels], pixels: Pixels, halo: int, budget: int) -> Pixels:
    """Run a function band by band and put the results together.

    Args:
        run: H×W×3 to H×W×3, each output pixel depending only on the input within `halo` pixels. Where the
            picture ends, a band ends too, so the function treats true borders as it always does.
        pixels: H×W×3 float32.
        halo: rows added above and below each band and cut off its result.
        budget: pixels of one band, halo included; bands never get thinner than twice the halo.

    Returns:
        H×W×3 float32, what `run(pixels)` would give in one piece.
    """
    height, width = pixels.shape[:2]
    rows = max(budget // width - 2 * halo, 2 * halo, 1)
    if height <= rows + 2 * halo:
        return run(pixels)
    result = np.empty_like(pixels)
    for top, bottom in row_bands(height, rows):
        above, below = min(halo, top), min(halo, height - bottom)
        band = run(pixels[top - above : bottom + below])
        result[top:bottom] = band[above : above + bottom - top]
    return result
