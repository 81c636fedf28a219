"""Sharing out rows among threads."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.image.rows import Floats
from daybreak.image.strips import map_rows, over_bands


@pytest.fixture
def threads():
    before = cv2.getNumThreads()
    yield cv2.setNumThreads
    cv2.setNumThreads(before)


@given(st.integers(1, 200), st.integers(1, 70))
def test_every_row_comes_once(height, rows):
    seen = np.zeros(height, int)

    def work(bands):
        for top, bottom in bands:
            assert 0 < bottom - top <= rows
            seen[top:bottom] += 1

    map_rows(work, height, rows)
    assert (seen == 1).all()


@pytest.mark.parametrize("count", [1, 3])
def test_uses_as_many_threads_as_opencv_may(threads, count):
    threads(count)
    calls = []
    map_rows(lambda bands: calls.append((threading.current_thread(), len(list(bands)))), 90, 10)
    assert len(calls) == count
    assert sum(bands for _, bands in calls) == 9
    assert (calls[0][0] is threading.main_thread()) == (count == 1)


def test_an_error_in_a_thread_comes_out(threads):
    threads(2)

    def work(_):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        map_rows(work, 100, 10)


@given(height=st.integers(1, 60), rows=st.integers(1, 70), above=st.integers(0, 9), below=st.integers(0, 9))
@settings(max_examples=30)
def test_each_row_is_looked_at_once_with_those_around_it(height, rows, above, below):
    pixels = np.arange(height, dtype=np.float32)[:, None, None].repeat(3, axis=2)
    seen, lock = np.zeros(height, int), threading.Lock()

    def work(window, first, top, bottom):
        assert np.array_equal(window[:, 0, 0], np.arange(first, first + len(window)))
        assert first == max(0, top - above)
        assert first + len(window) == min(height, bottom + below)
        with lock:
            seen[top:bottom] += 1

    over_bands(Floats(pixels), rows, work, above, below)
    assert (seen == 1).all()
