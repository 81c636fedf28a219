"""Ctrl-C as a wish that long work looks at between two frames, in place of an exception anywhere in it.

An exception that is raised within a library's callback is lost there, and with it the wish.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stop_asked() -> Iterator[threading.Event]:
    """An event that Ctrl-C (or SIGTERM) sets while the block runs; a second Ctrl-C stops at once."""
    asked = threading.Event()

    def note(*_: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if threading.current_thread() is not threading.main_thread():
        yield asked  # handlers belong to the main thread, so here nobody asks
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
