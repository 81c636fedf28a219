"""Working on bands of rows in as many threads as OpenCV may use, so that temporaries stay in the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2

from daybreak.stopping import look

Band = tuple[int, int]
"""The first row of a band and the row after its last."""


def map_rows(work: Callable[[Sequence[Band]], None], height: int, rows: int) -> None:
    """Share out bands that together cover the rows 0 to height, each once.

    Threads help because NumPy and OpenCV let go of the interpreter lock while they compute; there are as many
    as `cv2.getNumThreads()` says, so a run that was told to use one core does.

    Args:
        work: called once in each thread with its bands, top to bottom, so that it can make its scratch
            arrays once: new ones for each band would cost more in page faults than the arithmetic. It must
            write only to the rows of its bands.
        height: rows in all.
        rows: rows of a band; the last one may have fewer.

    Raises:
        Stopped: before the first band, where that was asked for (`daybreak.stopping`).
    """
    look()()
    bands = [(top, min(top + rows, height)) for top in range(0, height, rows)]
    threads = min(cv2.getNumThreads(), len(bands))
    if threads <= 1:
        work(bands)
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, bands[first::threads]) for first in range(threads)]:
            done.result()
