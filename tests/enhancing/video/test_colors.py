"""RGB to a codec's numbers and back, for each matrix, range and depth that a stream may name."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.image.rows import Levels

pytest.importorskip("daybreak.enhancing.video", reason="the extra [video] is not installed")
from daybreak.enhancing.video.colors import Colors, FromLevels, ToLevels, colors_of


def smooth(height=32, width=48):
    """A picture without sharp colours, which half-size planes could not hold."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [60 + 80 * x / width, 90 + 60 * y / height, 120 - 50 * x / width]
    return np.stack(planes, axis=2).astype(np.uint8)


@pytest.mark.parametrize("matrix", [1, 2, 5, 6, 7, 9])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("high", [False, True])
def test_there_and_back(matrix, full, high):
    colors = Colors(matrix, 2 if full else 1, 1, 1, high=high, full=full, rows=32)
    format = "yuv420p10le" if high else "yuv420p"
    whole = smooth().astype(np.uint16) * 257 if high else smooth()
    frame = FromLevels(colors, format)(Levels(whole, 65535 if high else 255), (32, 48))
    assert colors_of(frame) == colors
    back = ToLevels(colors)(frame)
    assert back.whole.dtype == whole.dtype
    error = np.abs(back.whole.astype(float) - whole) / (257 if high else 1)
    assert error.max() < 4.0
    assert error.mean() < (0.6 if high else 0.9)


def test_white_and_black_of_each_range():
    white = Levels(np.full((16, 16, 3), 255, np.uint8), 255)
    for full, levels in ((False, 235), (True, 255)):
        colors = Colors(1, 2 if full else 1, 1, 1, high=False, full=full, rows=16)
        frame = FromLevels(colors, "yuv420p")(white, (16, 16))
        assert abs(int(frame.to_ndarray()[0, 0]) - levels) <= 1


def test_without_a_tag_large_pictures_are_taken_as_bt_709():
    levels = Levels(np.broadcast_to(np.array([20, 200, 40], np.uint8), (16, 16, 3)).copy(), 255)
    lumas = []
    for rows in (480, 1080):
        colors = Colors(2, 0, 2, 2, high=False, full=False, rows=rows)
        lumas.append(int(FromLevels(colors, "yuv420p")(levels, (16, 16)).to_ndarray()[0, 0]))
    expected = [
        16 + 219 / 255 * (kr * 20 + (1 - kr - kb) * 200 + kb * 40)
        for kr, kb in ((0.299, 0.114), (0.2126, 0.0722))
    ]
    assert lumas == pytest.approx(expected, abs=1.5)


def test_one_more_row_and_column_repeat_the_last():
    levels = Levels(smooth(15, 17), 255)
    frame = FromLevels(Colors(1, 2, 1, 1, False, True, 15), "yuv444p")(levels, (16, 18))
    luma = frame.to_ndarray()[0]
    assert np.array_equal(luma[15, :17], luma[14, :17])
    assert np.array_equal(luma[:, 17], luma[:, 16])
