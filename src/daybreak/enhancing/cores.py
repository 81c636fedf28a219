"""One core for evidence: OpenCV has one number of threads for the whole process, lent here and given back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

_LOCK = threading.Lock()
_HELD: list[int] = []
"""What the number was before each block that is open; the first one's comes back with the last of them."""


@contextmanager
def one_core(wanted: bool) -> Iterator[None]:
    """Let OpenCV use one core until the block ends; blocks may be nested, and open in several threads.

    Args:
        wanted: False does nothing.
    """
    if not wanted:
        yield
        return
    with _LOCK:
        _HELD.append(cv2.getNumThreads())
        cv2.setNumThreads(1)
    try:
        yield
    finally:
        with _LOCK:
            if len(_HELD) == 1:
                cv2.setNumThreads(_HELD[0])
            _HELD.pop()
