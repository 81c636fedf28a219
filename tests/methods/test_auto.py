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
from daybreak.enhancing.evidence import check_repeatable
from daybreak.errors import BadSetting
from daybreak.image.rows import Levels
from daybreak.methods import auto, get_method
from daybreak.methods.base import FILM

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


@pytest.mark.parametrize(
    ("size", "name"),
    [(1, auto.BEST), (auto.FEW, auto.BEST), (auto.FEW + 1, auto.QUICK), (FILM, auto.QUICK)],
)
def test_a_large_picture_or_a_film_gets_the_quick_weight(size, name):
    reduced = np.full((40, 60, 3), 0.05, np.float32)
    assert Enhancer("auto").decide(reduced, size).method.card.name == name
    assert Enhancer("auto").picked(size).card.name == name
    assert Enhancer("auto", max_memory="1GB").decide(reduced, size).method.card.name == auto.QUICK


def test_the_size_of_a_picture_is_its_own_where_nobody_says():
    high, wide = 1000, int(auto.FEW) // 1000
    small = Levels(np.full((high, wide, 3), 9, np.uint8), 255)
    large = Levels(np.full((high, wide + 1, 3), 9, np.uint8), 255)
    assert Enhancer("auto").decide(small).method.card.name == auto.BEST
    assert Enhancer("auto").decide(large).method.card.name == auto.QUICK


def test_what_hangs_on_memory_is_no_evidence():
    with pytest.raises(BadSetting, match="without that limit, or of a method by name"):
        check_repeatable(Enhancer("auto", max_memory="1GB"), "png")
    check_repeatable(Enhancer("daybreak", max_memory="1GB"), "png")
    check_repeatable(Enhancer("auto"), "png")


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
