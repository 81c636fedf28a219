"""Work for a visitor of the page, which ends where nobody would see its result."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from daybreak.stopping import Stopped, stoppable

_ON_ITS_WAY = 5.0  # s that work may take from Gradio's queue to here


class Overtaken(Stopped):
    """The visitor asked for newer work in its place."""


@dataclass(eq=False)
class _Work:
    place: str
    end: threading.Event = field(default_factory=threading.Event)
    overtaken: bool = False


class Visits:
    """Who is waiting for what; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._working: defaultdict[str, set[_Work]] = defaultdict(set)
        self._left: dict[str, float] = {}  # when each visitor left, for a while

    @contextmanager
    def work(self, visitor: str, place: str = "") -> Iterator[None]:
        """Let the work in the block end early where its visitor leaves, or has just left.

        Args:
            visitor: whose it is.
            place: where its result is shown; what the visitor waited for there is overtaken. "" for none.

        Raises:
            Overtaken: newer work for that place has begun; also at the end of the block.
            Stopped: the visitor left.
        """
        mine = _Work(place)
        with self._lock:
            if time.monotonic() - self._left.get(visitor, -_ON_ITS_WAY) < _ON_ITS_WAY:
                mine.end.set()
            for older in self._working[visitor]:
                if place and older.place == place:
                    older.overtaken = True
                    older.end.set()
            self._working[visitor].add(mine)
        try:
            with stoppable(mine.end.is_set):
                yield
        except Stopped:
            if not mine.overtaken:
                raise
        finally:
            with self._lock:
                self._working[visitor].discard(mine)
                if not self._working[visitor]:
                    del self._working[visitor]
        if mine.overtaken:
            raise Overtaken

    def leave(self, visitor: str) -> None:
        """End what a visitor waits for."""
        now = time.monotonic()
        with self._lock:
            self._left = {who: at for who, at in self._left.items() if now - at < _ON_ITS_WAY}
            self._left[visitor] = now
            for work in self._working.get(visitor, ()):
                work.end.set()
