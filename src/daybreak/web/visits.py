"""Work for a visitor of the page, which ends when the visitor leaves: nobody would see its result."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from daybreak.stopping import stoppable


class Visits:
    """Who is waiting for what; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._working: defaultdict[str, set[threading.Event]] = defaultdict(set)

    @contextmanager
    def work(self, visitor: str) -> Iterator[None]:
        """Let the work in the block end early where its visitor leaves.

        Raises:
            Stopped: out of the block.
        """
        left = threading.Event()
        with self._lock:
            self._working[visitor].add(left)
        try:
            with stoppable(left.is_set):
                yield
        finally:
            with self._lock:
                self._working[visitor].discard(left)
                if not self._working[visitor]:
                    del self._working[visitor]

    def leave(self, visitor: str) -> None:
        """End what a visitor waits for."""
        with self._lock:
            for left in self._working.get(visitor, ()):
                left.set()
