from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.parts import Part, Plan
from daybreak.enhancing.tiling import enhance_parts
from daybreak.image.strips import map_rows
from daybreak.stopping import Stopped, look, stoppable


@pytest.fixture(scope="module")
def dark():
    """A dark picture of less than a megapixel, on which no method is done before the second look."""
    return np.random.default_rng(0).random((980, 1020, 3), np.float32) * np.float32(0.2)


@pytest.fixture(scope="module")
def large():
    """One of more than two megapixels."""
    return np.random.default_rng(0).random((1500, 1520, 3), np.float32) * np.float32(0.2)


SLOW = ["auto", "crm", "lime", "srie", "npe", "msr", "msrcr", "bimef", "cascade", "clahe", "dong", "mf"]


@pytest.mark.parametrize("method", SLOW)
def test_the_slow_methods_stop_soon_after_they_are_told_to(dark, method):
    looks = []

    def asked():
        looks.append(time.monotonic())
        return len(looks) > 1

    with pytest.raises(Stopped), stoppable(asked):
        Enhancer(method).run(dark)


@pytest.mark.parametrize("method", ["he", "daybreak"])
def test_what_sees_the_whole_picture_at_once_stops_in_the_middle_of_it(large, method):
    """A network's one run over all of it too, which takes a second of a core."""
    with pytest.raises(Stopped), stoppable(lambda: True):
        Enhancer(method).run(large)


@pytest.mark.parametrize("method", ["crm", "daybreak"])
def test_what_nobody_stops_runs_as_before(dark, method):
    enhancer = Enhancer(method)
    alone = enhancer.run(dark).pixels
    with pytest.raises(Stopped), stoppable(lambda: True):
        enhancer.run(np.tile(dark, (3, 3, 1)))
    with stoppable(lambda: False):
        assert np.array_equal(enhancer.run(dark).pixels, alone)


def test_tiles_in_other_threads_know_whose_work_they_are():
    stop, tiles = threading.Event(), []

    def run(tile, _top, _left):
        tiles.append(tile.shape)
        stop.set()
        return tile

    plan = Plan(Part(run, at_once=4), lambda _, made: made, side=32)
    with pytest.raises(Stopped), stoppable(stop.is_set):
        enhance_parts(np.zeros((512, 512, 3), np.float32), plan)
    assert len(tiles) < 100  # of 256


def test_only_the_work_in_the_block_stops():
    with stoppable(lambda: True):
        inner = look()
        with stoppable(lambda: False):
            look()()
        with pytest.raises(Stopped):
            map_rows(lambda _: None, 10, 5)
    look()()
    with pytest.raises(Stopped):
        inner()
