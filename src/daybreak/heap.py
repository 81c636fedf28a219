"""What glibc does with memory that was freed: the one place that tells it; elsewhere nothing happens."""

from __future__ import annotations

import contextlib
import ctypes
import sys

# of malloc.h: the numbers of glibc's mallopt
MMAP_MAX = -4
"""How many blocks may get a mapping of their own."""
MMAP_THRESHOLD = -3
"""Bytes from which on they do; 32 MB is the most it takes. What has one goes back when it is freed."""
TRIM_THRESHOLD = -1
"""Bytes at the end of the heap that are kept."""
ARENA_MAX = -8
"""How many heaps there are; else up to eight a core, and each thread may fill one of its own."""


def tell(settings: dict[int, int]) -> None:
    """Set what is given: a number from above to its value. Call it before there are threads."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            library = ctypes.CDLL(None)
            for parameter, value in settings.items():
                library.mallopt(parameter, value)
