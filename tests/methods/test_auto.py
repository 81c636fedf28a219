"""`auto`: what is dark is enhanced, what is well lit passes, and nothing jumps in between."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import daybreak
from daybreak.enhancing.enhancer import Enhancer
from daybreak.methods import auto, get_method

DATA = Path(os.environ.get("DAYBREAK_DATA", Path(__file__).parents[2] / "../shared/data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no pictures at {DATA} (set DAYBREAK_DATA)")


def pictures(folder: str):
    return sorted((DATA / folder).iterdir())


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None)
def test_a_brighter_picture_never_needs_more(one, two, highlights):
    low, high = sorted((one, two))
    assert auto.need(low, highlights) >= auto.need(high, highlights)
    assert 0 <= auto.need(one, highlights) <= 1


def test_there_is_no_jump():
    needs = [auto.need(level, 0.9) for level in np.linspace(0, 1, 2001)]
    assert np.abs(np.diff(needs)).max() < 0.02


def test_a_well_lit_picture_passes_unchanged_and_says_so():
    lit = np.random.default_rng(0).random((40, 60, 3)).astype(np.float32) ** 0.5
    outcome = Enhancer("auto").run(lit)
    assert outcome.unchanged
    assert outcome.rows is lit
    assert "well lit" in outcome.note


def test_an_exposure_asked_for_is_given_to_a_well_lit_picture_too():
    lit = np.full((20, 20, 3), 120, np.uint8)
    assert daybreak.enhance(lit, exposure=1.0).mean() > lit.mean() + 20


def test_the_method_and_the_enhancer_agree():
    dark = np.full((40, 60, 3), 0.2, np.float32)
    dark[:4] = 0.9
    assert 0 < auto.choose(dark, auto.AutoSettings()).strength < 1
    assert np.array_equal(auto.METHOD.enhance(dark), Enhancer("auto").run(dark).pixels)


def test_a_dark_picture_gets_a_network_and_the_record_names_it():
    outcome = Enhancer("auto").run(np.full((40, 60, 3), 0.05, np.float32))
    assert outcome.method == auto.BEST
    assert outcome.weights_sha256 == get_method(auto.BEST).card.weights_sha256


@needs_data
def test_no_clean_photograph_drops_under_35_db():
    for path in pictures("clean/Kodak24"):
        pixels = daybreak.load_image(path).pixels
        result = Enhancer("auto").run(pixels).pixels
        error = float(np.mean((np.rint(result * 255) - np.rint(pixels * 255)) ** 2))
        assert error == 0 or 10 * np.log10(255**2 / error) >= 35, path.name


@needs_data
@pytest.mark.parametrize("folder", ["LOL/our485/low", "LOL/eval15/low", "unpaired/LIME"])
def test_no_dark_picture_passes_through(folder):
    for path in pictures(folder):
        choice = auto.choose(daybreak.load_image(path).pixels, auto.AutoSettings())
        assert choice.strength > 0.05, path.name
