"""Working on bands of rows in as many threads as OpenCV may use, so that temporaries stay in the cache."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

import cv2
import numpy as np

from daybreak.image.rows import Bands, Rows
from daybreak.stopping import look
from daybreak.types import Array

Band = tuple[int, int]
"""The first row of a band and the row after its last."""


def map_rows(work: Callable[[Iterable[Band]], None], height: int, rows: int, alone: bool = False) -> None:
    """Share out bands that together cover the rows 0 to height, each once.

    Threads help because NumPy and OpenCV let go of the interpreter lock while they compute; there are as many
    as `cv2.getNumThreads()` says, so a run that was told to use one core does.

    Args:
        work: called once in each thread with its bands, top to bottom, so that it can make its scratch
            arrays once: new ones for each band would cost more in page faults than the arithmetic. It must
            write only to the rows of its bands.
        height: rows in all.
        rows: rows of a band; the last one may have fewer.
        alone: in one thread: what takes a few milliseconds is done before another one is awake.

    Raises:
        Stopped: before a band, where that was asked for (`daybreak.stopping`).
    """
    go_on = look()
    go_on()
    bands = [(top, min(top + rows, height)) for top in range(0, height, rows)]
    threads = 1 if alone else min(cv2.getNumThreads(), len(bands))

    def watched(some: Iterable[Band]) -> Iterator[Band]:
        for band in some:
            go_on()
            yield band

    if threads <= 1:
        work(watched(bands))
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, watched(bands[first::threads])) for first in range(threads)]:
            done.result()


def over_bands(
    source: Bands, rows: int, work: Callable[[Rows, int, int, int], None], above: int = 0, below: int = 0
) -> None:
    """Look at a picture band by band: read from top to bottom, worked on in threads.

    Args:
        source: H×W×3.
        rows: of a band; the last one may have fewer.
        work: (window, first, top, bottom): the rows `top` to before `bottom` are its own, and the window
            begins at row `first` with as many of the rows around them as there are. Called from several
            threads, in no certain order; it must write only to what belongs to its rows.
        above, below: rows of a window around its band.

    Raises:
        Stopped: between two bands, where that was asked for (`daybreak.stopping`).
    """
    go_on, height = look(), source.shape[0]
    threads = cv2.getNumThreads()
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for top in range(0, height, rows):
            go_on()
            bottom, first = min(top + rows, height), max(top - above, 0)
            window = source.band(first, min(bottom + below, height))
            if threads <= 1:
                work(window, first, top, bottom)
                continue
            waiting.append(pool.submit(work, window, first, top, bottom))
            if len(waiting) > threads:
                waiting.popleft().result()
        for done in waiting:
            done.result()


class Sum:
    """Counts added up from several threads; whole numbers, so that the order does not matter."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.total: Array = np.zeros(())

    def add(self, counts: Array) -> None:
        """Add an array, each time of the same shape."""
        with self._lock:
            if self.total.ndim:
                self.total += counts
            else:
                self.total = counts.copy()


def band_rows(width: int, cell: int = 1) -> int:
    """Rows of a band of about a fourth of a megapixel, a multiple of `cell`: for `over_bands`."""
    return max(1, _BAND // (width * cell)) * cell


_BAND = 1 << 18  # pixels
