"""Ctrl-C as a wish that long work looks at between two frames or pictures, not an exception anywhere in it.

An exception that is raised within a library's callback, or a weak reference's, is lost there, and with it the
wish.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stop_asked() -> Iterator[threading.Event]:
    """An event that Ctrl-C (or SIGTERM) sets while the block runs; a second Ctrl-C stops at once.

    A Ctrl-C that a shell had this process ignore stays ignored.
    """
    asked = threading.Event()

    def note(*_: object) -> None:
        asked.set()
        if signal.SIGINT in before:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    if threading.current_thread() is not threading.main_thread():
        yield asked  # handlers belong to the main thread, so here nobody asks
        return
    both = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    before = {number: handler for number, handler in both.items() if handler is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, note)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
