"""Ctrl-C as an event."""

from __future__ import annotations

import signal
import weakref

import pytest

from daybreak.cli.interrupt import stop_asked


class Thing:
    """Something that a weak reference can be to."""


def test_a_ctrl_c_within_a_callback_whose_exceptions_are_lost_is_heard():
    thing = Thing()
    reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
    with stop_asked() as asked:
        del thing
        assert asked.is_set()
    assert reference() is None


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_a_second_ctrl_c_is_an_exception(first):
    before = signal.getsignal(signal.SIGINT)
    with stop_asked() as asked:
        signal.raise_signal(first)
        assert asked.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_ctrl_c_that_the_shell_had_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stop_asked() as asked:
            signal.raise_signal(signal.SIGINT)
            assert not asked.is_set()
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            assert asked.is_set()
    finally:
        signal.signal(signal.SIGINT, before)
