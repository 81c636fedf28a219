"""Cuts are found, and what is no cut is not taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.image.cells import cell_means, grid_of

pytest.importorskip("daybreak.enhancing.video", reason="the extra [video] is not installed")
from daybreak.enhancing.video.cuts import CutDetector


def room(seed, level=20.0, shape=(90, 160, 3)):
    """A picture of blocks, as different from another seed's as two shots are."""
    blocks = np.random.default_rng(seed).uniform(0.0, 2.0 * level, (9, 16, 1)) * np.array([1.0, 0.9, 0.8])
    return np.repeat(np.repeat(blocks, shape[0] // 9, axis=0), shape[1] // 16, axis=1)


def begins(frames, sigma=3.0):
    detector, rng = CutDetector(), np.random.default_rng(1)
    found = []
    for frame in frames:
        grainy = np.clip(frame + rng.normal(0.0, sigma, frame.shape), 0, 255) / 255
        found.append(detector(cell_means(grainy.astype(np.float32), grid_of(frame.shape))))
    return [place for place, begun in enumerate(found) if begun]


def test_the_first_frame_begins_a_shot():
    assert begins([room(0)]) == [0]


@pytest.mark.parametrize("level", [8.0, 20.0, 90.0])
def test_a_cut_is_found_however_dark(level):
    assert begins([room(0, level)] * 5 + [room(1, level)] * 5 + [room(2, level)]) == [0, 5, 10]


def test_another_shape_is_a_cut():
    assert begins([room(0)] * 3 + [room(0, shape=(160, 90, 3))[:, :80]] * 3 + [room(0)] * 2) == [0, 3, 6]


def test_two_cuts_in_a_row_are_found():
    assert begins([room(0)] * 4 + [room(1)] + [room(2)] * 3) == [0, 4, 5]


def test_noise_fades_and_pans_are_no_cuts():
    wide = room(0, shape=(90, 320, 3))
    assert begins([room(0)] * 12, sigma=12.0) == [0]
    assert begins([room(0) * share for share in np.linspace(1.0, 0.05, 25)]) == [0]
    assert begins([wide[:, 3 * step : 3 * step + 160] for step in range(40)]) == [0]


def test_a_small_mover_is_no_cut():
    frames = []
    for step in range(12):
        frame = room(0)
        frame[30:60, 10 * step : 10 * step + 30] = 200.0
        frames.append(frame)
    assert begins(frames) == [0]
