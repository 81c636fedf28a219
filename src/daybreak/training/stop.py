"""Reasons to end a run before its last step."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
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
        self._asking: dict[signal.Signals, Callable[[int, object], None]] = {}

    def reason(self) -> Literal["time", "interrupted"] | None:
        """Why the run has to end now, or None."""
        if self._interrupted:
            return "interrupted"
        return "time" if self._deadline is not None and time.monotonic() >= self._deadline else None

    @contextmanager
    def on_interrupt(self) -> Iterator[None]:
        """Let a first Ctrl-C, or a cluster's SIGTERM, end the run after its step; a second breaks it off.

        Only a process's main thread can listen for them; elsewhere this does nothing.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def ask(number: int, frame: object) -> None:  # noqa: ARG001 - a signal handler's signature
            self._interrupted = True
            signal.signal(number, before[signal.Signals(number)])

        self._asking = dict.fromkeys(before, ask)
        self.listen()
        try:
            yield
        finally:
            self._asking = {}
            for number, handler in before.items():
                signal.signal(number, handler)

    def listen(self) -> None:
        """Listen within `on_interrupt`, again where a library has begun to listen for itself meanwhile."""
        for number, ask in self._asking.items():
            signal.signal(number, ask)
