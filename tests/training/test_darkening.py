"""Darkening on the device equals the data set's generator."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from daybreak.data.synthetic import Darkening, synthesise
from daybreak.training.darkening import darken, exposed, flattened

HIGH = np.random.default_rng(0).integers(0, 256, (9, 11, 3)).astype(np.float32) / np.float32(255)


@given(alpha=st.floats(0, 2), gamma=st.floats(0.5, 2))
def test_without_noise_it_is_the_generator_to_one_level(alpha, gamma):
    drawn = Darkening(alpha, gamma)
    ours = darken(torch.from_numpy(HIGH), drawn, 0).numpy()
    assert np.abs(ours - synthesise(HIGH, drawn, np.random.default_rng(0))).max() <= 1.001 / 255


def test_noise_is_as_strong_as_drawn_and_its_seed_decides_it():
    grey, drawn = torch.full((200, 200, 3), 0.5), Darkening(0.0, 1.0, 8 / 255)
    noise = darken(grey, drawn, 1) - grey
    assert abs(float(noise.std()) * 255 - 8) < 0.1
    assert torch.equal(darken(grey, drawn, 1), darken(grey, drawn, 1))
    assert not torch.equal(darken(grey, drawn, 1), darken(grey, drawn, 2))


@given(stops=st.floats(-4, 4))
def test_exposure_is_a_gain_cut_to_eight_bits(stops):
    levels = exposed(torch.from_numpy(HIGH), stops).numpy() * 255
    assert np.abs(levels - np.rint(levels)).max() < 1e-3
    assert np.abs(levels - np.minimum(HIGH * 255 * 2.0**stops, 255)).max() <= 0.51


@given(level=st.floats(0, 1))
def test_a_flat_pair_is_gray_and_lit_as_the_pair_it_stands_for(level):
    bright = torch.from_numpy(HIGH)
    low, high = flattened(bright / 8, bright, level, 0)
    assert low.shape == high.shape == bright.shape
    assert float(high.max() - high.min()) == 0
    assert abs(float(low.mean()) - level) < 0.01
    assert high[0, 0, 0] >= level - 1e-6, "the pair is lit, and so is gray"


@given(seed=st.integers(0, 1000))
def test_a_flat_pair_at_the_level_of_its_dark_side_is_lit_as_its_reference_or_more(
    seed,
):
    bright = torch.from_numpy(HIGH)
    level, least = float((bright / 8).mean()), float(bright.mean())
    most = 8 * least / (1 + 7 * least)
    assert least - 1e-5 <= float(flattened(bright / 8, bright, level, seed)[1].mean()) <= most + 1e-5
