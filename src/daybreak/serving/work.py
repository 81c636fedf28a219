"""Work off the event loop, within bounds: so many requests taken on, so many at the same time, so long each.

A request that outlasts its seconds is answered 503, and its work is given up, as that of a client that went
away: it is dropped if it has not begun, and else stops at its next look (`daybreak.stopping`). A thread
cannot be ended, so until it looks, its place among the requests in flight stays taken, and where all threads
are at such work, new requests are told so at once instead of waiting behind it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.memory import SHARE, UNMEASURED, bytes_per_pixel, extra_bytes, free_memory
from daybreak.image.read import Outline, read_outline
from daybreak.methods.base import FILM, Method
from daybreak.serving.problems import Problem, busy
from daybreak.stopping import stoppable

T = TypeVar("T")


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
        self._given_up = 0
        self._lock = threading.Lock()

    @property
    def given_up(self) -> int:
        """How many threads are at work whose request is answered already."""
        return self._given_up

    @property
    def stuck(self) -> bool:
        """Whether all of them are."""
        return self._given_up >= self.threads

    async def run(
        self, work: Callable[[], T], seconds: float, place: Place, gone: Callable[[], Awaitable[None]]
    ) -> T:
        """Do the work in a thread and give back what it gives.

        Args:
            work: must not need the event loop.
            seconds: how long to wait for it, its turn included.
            place: among the requests in flight.
            gone: returns when nobody waits for the result any more.

        Raises:
            Problem: 503, it took longer, or no thread will be free for it; 400, nobody waits for it.
        """
        if self.stuck:
            raise busy("every worker is still at a picture that took too long", 503)
        stop = threading.Event()

        def doing() -> T:
            with stoppable(stop.is_set):
                return work()

        future = self._pool.submit(doing)
        place.tie(future)
        made, left = asyncio.wrap_future(future), asyncio.ensure_future(gone())
        either: set[asyncio.Future[Any]] = {made, left}
        try:
            done, _ = await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if made in done:
                return made.result()
        finally:
            left.cancel()
            if not made.done():
                made.add_done_callback(lambda over: over.cancelled() or over.exception())  # nobody else asks
                self._give_up(future, stop)
        if done:
            raise Problem(400, "the client went away")
        raise Problem(
            503,
            f"the picture took longer than {seconds:g} seconds",
            "Send a smaller one, choose a quicker method, or make it a job (/v1/jobs)",
            retry_after=max(1, round(seconds)),
        )

    def _give_up(self, future: Future[T], stop: threading.Event) -> None:
        """Drop the work, or have it stop; counted until it has."""
        stop.set()
        if not future.cancel():
            self._count(1)
            future.add_done_callback(lambda _: self._count(-1))

    def _count(self, more: int) -> None:
        with self._lock:
            self._given_up += more

    def close(self) -> None:
        """Drop what waits; what has begun was told to stop as its request was cut off."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def fitting_pixels(enhancer: Enhancer, at_once: int, data: bytes) -> int | None:
    """How many pixels of one picture fit into memory, others of as many at its side; None where unknown.

    Args:
        data: the picture's file, whose header tells what each of its pixels takes.
    """
    free = free_memory()
    if free is None:
        return None

    besides = extra_bytes(read_outline(data) or Outline(0))

    def fitting(method: Method[Any]) -> int:
        per_pixel = besides + (bytes_per_pixel(method, enhancer.exposure) or UNMEASURED)
        return max(1, int(SHARE * free / per_pixel / at_once))

    few = enhancer.picked(1)
    fits = fitting(few)
    return fits if enhancer.picked(fits) is few else fitting(enhancer.picked(FILM))
