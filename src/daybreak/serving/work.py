"""Work off the event loop, within bounds: so many requests taken on, so many at the same time, so long each.

Arithmetic that has begun in a thread cannot be stopped from outside. A request that outlasts its seconds is
answered 503; its work is dropped if it has not begun, and otherwise finished for nobody. Until that thread is
free its place among the requests in flight stays taken, so that requests given up do not pile up unseen.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.memory import SHARE, bytes_per_pixel, free_memory
from daybreak.serving.problems import Problem, busy

T = TypeVar("T")

UNMEASURED = 400.0  # bytes a pixel: assumed of a method whose card does not say, above most that do


class Places:
    """A bounded number of places; taking one more than there are is refused.

    Args:
        most: how many there are.
        what: is said to be too many: "requests in flight".
    """

    def __init__(self, most: int, what: str) -> None:
        self.most, self.what = most, what
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """How many are taken now."""
        return self._taken

    def take(self) -> Place:
        """Take one.

        Raises:
            Problem: 429, all are taken.
        """
        with self._lock:
            if self._taken >= self.most:
                raise busy(f"there are {self.most} {self.what} already, as many as this server takes on")
            self._taken += 1
        return Place(self)

    def _give_back(self) -> None:
        with self._lock:
            self._taken -= 1


class Place:
    """One place, given back at the end of the block, or when the work that was tied to it ends."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._tied = False

    def __enter__(self) -> Place:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._tied:
            self._places._give_back()

    def tie(self, work: Future[T]) -> None:
        """Keep the place until the work is done, failed or dropped."""
        self._tied = True
        work.add_done_callback(lambda _: self._places._give_back())


class Workers:
    """Threads for pictures.

    Args:
        threads: pictures at the same time.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="daybreak-serve")

    async def run(self, work: Callable[[], T], seconds: float, place: Place) -> T:
        """Do the work in a thread and give back what it gives.

        Args:
            work: must not need the event loop.
            seconds: how long to wait for it, its turn included.
            place: among the requests in flight.

        Raises:
            Problem: 503, it took longer.
        """
        future = self._pool.submit(work)
        place.tie(future)
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(future)), seconds)
        except TimeoutError:
            future.cancel()
            raise Problem(
                503,
                f"the picture took longer than {seconds:g} seconds",
                "Send a smaller one, choose a quicker method, or make it a job (/v1/jobs)",
                retry_after=max(1, round(seconds)),
            ) from None

    def close(self) -> None:
        """Drop what waits; what has begun ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def fitting_pixels(enhancer: Enhancer, at_once: int) -> int | None:
    """How many pixels of one picture fit into memory, others of as many at its side; None where unknown."""
    free = free_memory()
    per_pixel = bytes_per_pixel(enhancer) or UNMEASURED
    return None if free is None else max(1, int(SHARE * free / per_pixel / at_once))
