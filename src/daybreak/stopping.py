"""Stop arithmetic from outside: a thread cannot be ended, so its long loops ask now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_asked: ContextVar[Callable[[], bool] | None] = ContextVar("asked", default=None)


class Stopped(Exception):
    """The work is wanted no more; no `DaybreakError`, so that nobody takes it for a fault of a picture."""


@contextmanager
def stoppable(asked: Callable[[], bool]) -> Iterator[None]:
    """Let the work in the block be stopped.

    Args:
        asked: whether to stop; called often, from several threads, so it is to be quick.

    Raises:
        Stopped: out of the block, at the first look after `asked` became true.
    """
    before = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(before)


def asking() -> Callable[[], bool] | None:
    """Whether this work is to stop, as a question; None outside of `stoppable`, where nobody would say so."""
    return _asked.get()


def look() -> Callable[[], None]:
    """A function that raises `Stopped` where this work is to stop; does nothing outside of `stoppable`.

    It remembers whose work it is, so it can be handed to other threads, which do not know by themselves.

    >>> with stoppable(lambda: True):
    ...     go_on = look()
    >>> go_on()
    Traceback (most recent call last):
    daybreak.stopping.Stopped
    """
    asked = asking()

    def go_on() -> None:
        if asked is not None and asked():
            raise Stopped

    return go_on
