"""Noise falls where nothing moves, and what moves leaves no trail."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.image.rows import Levels

pytest.importorskip("daybreak.enhancing.video", reason="the extra [video] is not installed")
from daybreak.enhancing.video.denoise import TemporalDenoiser

SIGMA = 5.0


def grainy(clean, seed):
    noise = np.random.default_rng(seed).normal(0.0, SIGMA, clean.shape)
    return np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("frames", [2.0, 4.0, 16.0])
def test_noise_falls_as_the_theory_says(frames):
    clean = np.full((48, 64, 3), 60.0)
    denoise = TemporalDenoiser(frames)
    for seed in range(60):
        made = denoise(Levels(grainy(clean, seed), 255))
    left = (made.whole - clean).std()
    theory = SIGMA / (2.0 * frames - 1.0) ** 0.5
    assert theory * 0.9 < left < 1.25 * theory + 0.1
    assert abs(made.whole.mean() - 60.0) < 0.2


def test_a_moving_edge_stays():
    denoise = TemporalDenoiser(8.0)
    for step in range(20):
        clean = np.full((48, 96, 3), 30.0)
        clean[:, 4 * step :] = 120.0
        made = denoise(Levels(grainy(clean, step), 255)).whole.astype(float)
    edge = 4 * 19
    trail = made[:, edge - 12 : edge - 3].mean()
    assert abs(trail - 30.0) < 3.0, "where the edge was"
    assert abs(made[:, edge + 3 : edge + 12].mean() - 120.0) < 3.0, "where it is"
    assert made[:, :20].std() < 0.6 * SIGMA, "far from it noise falls all the same"


def test_a_new_size_or_a_first_frame_begins_anew():
    denoise = TemporalDenoiser(4.0)
    for shape in ((8, 8, 3), (8, 12, 3), (1, 1, 3), (1, 1, 3)):
        frame = Levels(np.full(shape, 7, np.uint8), 255)
        assert np.array_equal(denoise(frame).whole, frame.whole)


def test_sixteen_bits_stay_sixteen():
    denoise = TemporalDenoiser(4.0)
    for seed in range(3):
        made = denoise(Levels(grainy(np.full((8, 8, 3), 60.0), seed).astype(np.uint16) * 257, 65535))
    assert (made.whole.dtype, made.peak) == (np.uint16, 65535)
