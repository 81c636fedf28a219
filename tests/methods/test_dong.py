"""Laws of Dong's method."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.image.rows import Floats
from daybreak.methods import dong as module
from daybreak.methods import get_method
from daybreak.methods.dong import Haziest, atmosphere, transmission

DONG = get_method("dong")


def test_white_stays_white_and_black_is_finite():
    white = np.ones((20, 30, 3), np.float32)
    assert np.array_equal(DONG.enhance(white), white)
    assert np.isfinite(DONG.enhance(np.zeros_like(white))).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 99), cuts=st.lists(st.integers(1, 49), max_size=4), shuffled=st.randoms())
def test_the_haziest_are_found_band_by_band_in_any_order(seed, cuts, shuffled):
    rng = np.random.default_rng(seed)
    inverted = (rng.integers(0, 6, (50, 40, 3)) / 5).astype(np.float32)  # many are equal
    dark = (rng.integers(0, 30, (50, 40)) / 29).astype(np.float32)
    limit = np.sort(dark.ravel())[-20]
    candidates = inverted[dark >= limit]
    expected = candidates[candidates.sum(axis=1).argmax()]
    found, edges = Haziest(20), sorted({0, 50, *cuts})
    bands = list(pairwise(edges))
    shuffled.shuffle(bands)
    for top, bottom in bands:
        found.add(inverted[top:bottom], dark[top:bottom], top * 40)
    assert np.array_equal(found.colour(), expected)


@pytest.mark.parametrize("side", [1, 7, 21])
def test_the_atmosphere_is_that_of_the_whole_picture(side, monkeypatch):
    picture = np.random.default_rng(0).random((70, 90, 3)).astype(np.float32)
    rim = np.pad(1 - picture, ((10, 10), (10, 10), (0, 0)), mode="edge")
    dark = cv2.erode(rim, np.ones((side, side), np.uint8)).min(axis=2)
    limit = np.sort(dark.ravel())[-int(0.002 * dark.size)]
    candidates = rim[dark >= limit]
    expected = candidates[candidates.sum(axis=1).argmax()]
    for rows in (5, 32, 100):
        monkeypatch.setattr(module, "band_rows", lambda _, rows=rows: rows)
        assert np.array_equal(atmosphere(Floats(picture), side), expected)


@settings(max_examples=50)
@given(minimum=st.floats(0, 1, width=32), omega=st.floats(0, 1))
def test_transmission_follows_its_formula(minimum, omega):
    minima = np.full((1, 1, 3), minimum, np.float32)
    plain = max(1 - omega * minimum, 1e-7)
    expected = 2 * plain**2 if plain < 0.5 else plain
    found = transmission(minima, np.ones(3, np.float32), omega)
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_no_haze_removed_leaves_the_picture():
    picture = np.random.default_rng(1).random((30, 40, 3)).astype(np.float32)
    assert np.allclose(DONG.enhance(picture, omega=0.0), picture, atol=1e-6)


def test_more_haze_removed_is_brighter():
    picture = np.random.default_rng(1).random((30, 40, 3)).astype(np.float32) * 0.2
    means = [DONG.enhance(picture, omega=omega).mean() for omega in (0.2, 0.5, 0.8)]
    assert means == sorted(means)
