"""How many cores OpenCV may use: one number for the whole process, lent here and given back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

_LOCK = threading.Lock()
_ASKED: list[int] = []
"""What each block that is open asks for; the least of them holds."""
_BEFORE: list[int] = []
"""What the number was before the first of them; it comes back with the last."""


@contextmanager
def opencv_threads(count: int) -> Iterator[None]:
    """Let OpenCV use so many threads until the block ends.

    Blocks may be nested, and open in several threads of the process: the least number that any of them asks
    for holds, so evidence has its one core whatever else goes on.

    Args:
        count: at least 1.
    """
    with _LOCK:
        if not _ASKED:
            _BEFORE.append(cv2.getNumThreads())
        _ASKED.append(count)
        cv2.setNumThreads(min(_ASKED))
    try:
        yield
    finally:
        with _LOCK:
            _ASKED.remove(count)
            cv2.setNumThreads(min(_ASKED) if _ASKED else _BEFORE.pop())
