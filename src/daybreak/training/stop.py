"""Reasons to end a run before its last step."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal


class Stop:
    """Looked at after every step.

    Args:
        seconds: from now on until the run has to end, or None.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._interrupted = False

    def reason(self) -> Literal["time", "interrupted"] | None:
        """Why the run has to end now, or None."""
        if self._interrupted:
            return "interrupted"
        return "time" if self._deadline is not None and time.monotonic() >= self._deadline else None

    @contextmanager
    def on_interrupt(self) -> Iterator[None]:
        """Let a first Ctrl-C end the run after its step; a second one breaks it off at once.

        Only a process's main thread can listen for it; elsewhere this does nothing.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)

        def ask(number: int, frame: object) -> None:  # noqa: ARG001 - a signal handler's signature
            self._interrupted = True
            signal.signal(signal.SIGINT, before)

        signal.signal(signal.SIGINT, ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
