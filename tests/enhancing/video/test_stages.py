"""Stages keep order, pass errors on, wait for each other and end together."""

from __future__ import annotations

import threading
import time

import pytest

pytest.importorskip("daybreak.enhancing.video", reason="the extra [video] is not installed")
from daybreak.enhancing.video.stages import Behind, ahead, in_order


def failing(after):
    yield from range(after)
    raise ValueError("broken")


def test_ahead_gives_every_item_in_order():
    assert list(ahead(range(100), 3)) == list(range(100))


def test_ahead_makes_no_more_than_it_may():
    made = []

    def items():
        for item in range(50):
            made.append(item)
            yield item

    stream = ahead(items(), 2)
    assert next(stream) == 0
    time.sleep(0.3)
    assert len(made) <= 5
    stream.close()
    assert len(made) <= 6


def test_ahead_passes_an_error_on_after_what_came_before_it():
    stream = ahead(failing(3), 2)
    assert [next(stream) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(stream)


def test_ahead_leaves_no_thread_when_the_consumer_ends():
    before = threading.active_count()
    stream = ahead(iter(int, 1), 2)
    next(stream)
    stream.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("workers", [1, 4])
def test_results_come_in_the_items_order(workers):
    def work(item):
        time.sleep(0.002 * (item % 3))
        return 2 * item

    assert list(in_order(work, range(30), workers)) == [2 * item for item in range(30)]


def test_an_error_of_a_worker_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda item: 1 // item, [1, 0, 1], 2))


def test_behind_keeps_order_and_close_waits():
    done = []
    behind = Behind(done.append, 2)
    for item in range(50):
        behind.put(item)
    behind.close()
    assert done == list(range(50))


def test_behind_can_be_given_up():
    free, done = threading.Event(), []
    behind = Behind(lambda item: free.wait(20) and done.append(item), 1)
    end = time.monotonic() + 0.5
    taken = [behind.put(item, lambda: time.monotonic() > end) for item in range(4)]
    assert taken == [True, True, False, False]
    assert not behind.close(patience=0.1)
    free.set()
    assert behind.close(patience=10.0)
    assert done == [0, 1]


def test_behind_raises_what_went_wrong_and_never_hangs():
    def work(item):
        raise OSError(28, "No space left on device")

    behind = Behind(work, 1)

    def put_many():
        for item in range(100):
            behind.put(item)
            time.sleep(0.01)

    with pytest.raises(OSError, match="No space"):
        put_many()
    behind.close(told=False)
    with pytest.raises(OSError, match="No space"):
        behind.close()
