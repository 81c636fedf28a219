"""A gain on a whole frame: enlarged as a picture is, its mean kept, the same in any number of threads."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from daybreak.image.rows import Levels, mean

pytest.importorskip("daybreak.enhancing.video", reason="the extra [video] is not installed")
from daybreak.enhancing.video.correction import corrected


def frame(bright=60, shape=(150, 201, 3)):
    return np.random.default_rng(0).integers(0, bright, shape, dtype=np.uint8)


def gains(least, most, grid=(9, 12)):
    return np.random.default_rng(1).uniform(least, most, (*grid, 3)).astype(np.float32)


def cells(levels, grid=(36, 48)):
    values = levels.astype(np.float32) / 255
    return cv2.resize(values, (grid[1], grid[0]), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("factor", [gains(0.98, 1.02), gains(0.7, 1.6)])
def test_the_gain_is_that_of_a_picture_enlarged(factor):
    given = frame()
    wanted = given / 255 * cv2.resize(factor, (201, 150), interpolation=cv2.INTER_LINEAR)
    made = corrected(given / np.float32(255), cells(given), factor, wanted.mean(axis=(0, 1)))
    assert np.abs(made - wanted).max() < 0.002


@pytest.mark.parametrize("bright", [60, 256])
@pytest.mark.parametrize("deep", [False, True])
def test_the_mean_is_reached_though_white_clips(bright, deep):
    """Of frames whose brightest pixels are clipped, the others give what those lose."""
    given, factor = frame(bright), gains(0.8, 2.0)
    mean = np.array([1.3, 1.2, 1.25]) * given.mean(axis=(0, 1)) / 255
    levels = Levels(given.astype(np.uint16) * 257, 65535) if deep else Levels(given.copy(), 255)
    made = corrected(levels, cells(given), factor, mean)
    assert isinstance(made, Levels)
    assert np.abs(made.whole.mean(axis=(0, 1)) / made.peak - mean).max() < 0.01 * mean.max()


def test_a_thousandth_is_not_lost_in_rounding():
    given = np.full((64, 64, 3), 100, np.uint8)
    mean = np.full(3, 100.1 / 255)
    made = corrected(Levels(given, 255), cells(given, (16, 16)), np.ones((4, 4, 3), np.float32), mean)
    assert abs(made.whole.mean() - 100.1) < 0.02


def test_any_number_of_threads_gives_the_same_bits():
    factor, before, results = gains(0.7, 1.6), cv2.getNumThreads(), []
    try:
        for threads in (1, 2, 3):
            cv2.setNumThreads(threads)
            given = frame()
            made = corrected(Levels(given, 255), cells(given), factor, np.full(3, 0.13))
            results.append(made.whole.copy())
    finally:
        cv2.setNumThreads(before)
    assert all(np.array_equal(one, results[0]) for one in results[1:])


def test_what_was_known_of_the_frame_is_not_told_of_the_corrected_one():
    given, factor = Levels(frame(), 255), gains(0.5, 0.6)
    mean(given)
    made = corrected(given, cells(given.whole), factor, np.full(3, 0.05))
    assert mean(made) == pytest.approx(made.whole.mean() / 255)
