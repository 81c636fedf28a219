"""Stages that work at the same time, with short queues between them, and stop together."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE = 0.1  # s between looks whether the other side has gone


def ahead(items: Iterable[T], size: int) -> Generator[T]:
    """Make the items in a thread of their own, up to `size` of them before they are asked for.

    What they raise is raised here. When the consumer ends early, the thread ends with the item it is at.
    """
    waiting: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(size)
    gone = threading.Event()

    def put(entry: tuple[bool, T | BaseException | None]) -> bool:
        while not gone.is_set():
            try:
                waiting.put(entry, timeout=_PATIENCE)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                if not put((True, item)):
                    break
            else:
                put((False, None))
        except BaseException as error:
            put((False, error))
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    thread = threading.Thread(target=work, name="daybreak-ahead", daemon=True)
    thread.start()
    try:
        while True:
            more, item = waiting.get()
            if more:
                yield item  # type: ignore[misc]
            elif isinstance(item, BaseException):
                raise item
            else:
                return
    finally:
        gone.set()
        thread.join()


def in_order(work: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Do work on several items at the same time and give the results in the items' order."""
    if workers == 1:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="daybreak")
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class Behind(Generic[T]):
    """Hands items to a function in a thread of its own; what the function raises comes out of the next call.

    Args:
        work: called with each item in order.
        size: items that may wait before `put` does.
    """

    def __init__(self, work: Callable[[T], None], size: int) -> None:
        self._work = work
        self._waiting: queue.Queue[T | None] = queue.Queue(size)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="daybreak-behind", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            if self._error is None:
                try:
                    self._work(item)
                except BaseException as error:
                    self._error = error

    def put(self, item: T, stop: Callable[[], bool] = lambda: False) -> bool:
        """Hand over the next item; waits while the queue is full. False where `stop` said so before."""
        while not stop():
            self._raise()
            with suppress(queue.Full):
                self._waiting.put(item, timeout=_PATIENCE)
                return True
        return False

    def close(self, *, told: bool = True, patience: float | None = None) -> bool:
        """Wait for what is in the queue; then raise what went wrong, unless `told` is False.

        Args:
            told: see above.
            patience: seconds after which to wait no more, for room and for the end each; None for no end.

        Returns:
            Whether all is done.
        """
        with suppress(queue.Full):
            self._waiting.put(None, timeout=patience)
            self._thread.join(patience)
        if told:
            self._raise()
        return not self._thread.is_alive()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error
