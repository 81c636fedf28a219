"""Running a local function over tiles in several threads, so that a large picture needs little memory."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, product

import cv2
import numpy as np

from daybreak.stopping import look
from daybreak.types import Pixels

Span = tuple[int, int]
"""The first row or column, and the one after the last."""


def spans(length: int, side: int, cell: int = 1) -> list[Span]:
    """Cut a length into as few nearly equal spans of at most `side` as will do.

    Args:
        length: of it all.
        side: a multiple of `cell`.
        cell: spans are cut at multiples of this alone.

    >>> spans(10, 4), spans(10, 4, 4)
    ([(0, 3), (3, 6), (6, 10)], [(0, 4), (4, 8), (8, 10)])
    """
    cells = -(-length // cell)
    count = -(-cells // (side // cell))
    return list(pairwise(min(length, cells * i // count * cell) for i in range(count + 1)))


def in_tiles(
    run: Callable[[Pixels], Pixels], pixels: Pixels, halo: int, side: int = 512, cell: int = 1
) -> Pixels:
    """Run a function tile by tile and put the results together.

    Tiles are shared out to as many threads as `cv2.getNumThreads()` says, so a process that was told to use
    one core does.

    Args:
        run: H×W×3 to H×W×3, each output pixel depending only on the input within `halo` pixels; called from
            several threads at a time. Where the picture ends, a tile ends too, so that `run` treats true
            borders as it always does.
        pixels: H×W×3 float32.
        halo: pixels added on each side of a tile and cut off its result.
        side: px, of the largest tile without its halo; a multiple of `cell`.
        cell: px; every tile begins at a multiple of this, with its halo too. For a function that treats
            squares of so many pixels as one, counted from the upper left of what it is given.

    Returns:
        H×W×3 float32: what `run(pixels)` would give in one piece.

    Raises:
        Stopped: between two tiles, where that was asked for (`daybreak.stopping`).
    """
    height, width = pixels.shape[:2]
    tiles = list(product(spans(height, side, cell), spans(width, side, cell)))
    halo = -(-halo // cell) * cell
    if len(tiles) == 1:
        return run(pixels)
    result, go_on = np.empty_like(pixels), look()

    def one(tile: tuple[Span, Span]) -> None:
        go_on()
        (top, bottom), (left, right) = tile
        above, before = max(0, top - halo), max(0, left - halo)
        done = run(pixels[above : bottom + halo, before : right + halo])
        result[top:bottom, left:right] = done[top - above : bottom - above, left - before : right - before]

    with ThreadPoolExecutor(max(1, min(cv2.getNumThreads(), len(tiles)))) as pool:
        for _ in pool.map(one, tiles):  # a tile's error comes out here
            pass
    return result
