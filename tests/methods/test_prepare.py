"""Methods that look at the whole picture first: their parts, however cut, are what they make of the whole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.enhancing.amount import Amount
from daybreak.enhancing.parts import Part, Plan
from daybreak.enhancing.tiling import enhance_parts
from daybreak.errors import NotEnoughMemory
from daybreak.image.illumination import quick_map, small_map
from daybreak.image.rows import Floats, Levels
from daybreak.methods import every_method, get_method
from daybreak.methods.base import parse_settings

PREPARED = [method.card.name for method in every_method() if method.prepare is not None]
EXACT = ("gamma", "he", "clahe", "dong", "npe")
"""Methods whose results hang on no room at all."""
OTHER_SETTINGS = [
    ("gamma", {"mode": "auto"}),
    ("he", {"mode": "rgb"}),
    ("he", {"mode": "y"}),
    ("clahe", {"tiles": 5, "clip": 4.0}),
    ("ssr", {"sigma": 7.0}),
    ("dong", {"window": 21}),
    ("lime", {"denoise": "nlm"}),
    ("lime", {"solver": "exact"}),
    ("crm", {"meter": 0.48}),
]


def dark(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A dark picture with large things and noise in it, H×W×3 float32 in [0, 1]."""
    rng = np.random.default_rng(seed)
    big = cv2.resize(rng.random((5, 7, 3), np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    noisy = 0.3 * np.clip(big, 0, 1).reshape(height, width, 3) ** 2 + rng.normal(0, 0.004, (height, width, 3))
    return np.clip(noisy, 0, 1).astype(np.float32)


def parts(name: str, pixels: np.ndarray, side: int, room: int | None, **values) -> np.ndarray:
    """The result in tiles of what the method has prepared within a room."""
    method = get_method(name)
    prepared = method.prepare(Floats(pixels), parse_settings(method.card, values), room)
    part = Part(lambda window, *at: prepared.run(window.copy(), *at), prepared.halo, prepared.cell)
    return enhance_parts(pixels, Plan(part, Amount(1.0), -(-side // part.cell) * part.cell))


def decibels(one: np.ndarray, other: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((one.astype(np.float64) - other) ** 2) + 1e-12))


@pytest.mark.parametrize("name", PREPARED)
@settings(max_examples=8, deadline=None)
@given(height=st.integers(1, 70), width=st.integers(1, 70), side=st.integers(4, 60))
def test_parts_with_room_are_the_whole(name, height, width, side):
    pixels = dark(height, width)
    before = pixels.copy()
    np.testing.assert_allclose(parts(name, pixels, side, None), get_method(name).enhance(pixels), atol=1e-5)
    assert np.array_equal(pixels, before), "the picture was changed"


@pytest.mark.parametrize("name", EXACT)
@settings(max_examples=8, deadline=None)
@given(height=st.integers(2, 90), width=st.integers(2, 90), side=st.integers(4, 60))
def test_statistics_without_room_are_those_of_the_whole(name, height, width, side):
    pixels = dark(height, width)
    made = parts(name, pixels, side, 1)
    np.testing.assert_allclose(made, get_method(name).enhance(pixels), atol=1e-5)


@pytest.mark.parametrize("room", [7.0, 0.5], ids=lambda room: f"{room} bytes a pixel")
@pytest.mark.parametrize(("height", "width", "side"), [(333, 411, 64), (150, 1500, 200), (1101, 140, 512)])
def test_coarse_scales_are_those_of_the_whole_in_what_room_there_is(room, height, width, side):
    pixels = dark(height, width)
    made = parts("mf", pixels, side, int(room * height * width))
    np.testing.assert_allclose(made, get_method("mf").enhance(pixels), atol=1e-5)


def test_where_they_do_not_fit_it_is_told():
    method = get_method("mf")
    with pytest.raises(NotEnoughMemory, match="coarse scales"):
        method.prepare(Floats(dark(333, 411)), parse_settings(method.card, {}), 10_000)


@pytest.mark.parametrize("name", ["ssr", "msr", "msrcr"])
@settings(max_examples=4, deadline=None)
@given(height=st.integers(150, 200), width=st.integers(150, 200), side=st.integers(20, 120))
def test_percentiles_that_are_counted_are_near_those_of_sorted_values(name, height, width, side):
    pixels = dark(height, width)
    np.testing.assert_allclose(parts(name, pixels, side, 1), get_method(name).enhance(pixels), atol=2e-3)


@pytest.mark.parametrize(("name", "values"), OTHER_SETTINGS)
def test_other_settings_have_their_parts_too(name, values):
    pixels = dark(90, 130)
    whole = get_method(name).enhance(pixels, **values)
    np.testing.assert_allclose(parts(name, pixels, 40, None, **values), whole, atol=1e-5)


@pytest.mark.parametrize("name", ["crm", "bimef", "lime", "srie"])
def test_a_map_made_small_for_want_of_memory_is_near_and_the_same_wherever_it_is_cut(name):
    pixels = dark(333, 410)
    whole = get_method(name).enhance(pixels)
    made = parts(name, pixels, 410, 6 * 333 * 410)
    assert 38 < decibels(made, whole) < 110, "six bytes a pixel are not enough for the whole"
    for side in (36, 100):
        np.testing.assert_allclose(parts(name, pixels, side, 6 * 333 * 410), made, atol=2e-5)


@pytest.mark.parametrize(("height", "width"), [(1001, 777), (1000, 1100)])
def test_limes_map_that_is_halved_once_is_near_where_the_border_is_filled_up(height, width):
    pixels = dark(height, width)
    made = parts("lime", pixels, 600, int(79.9 * height * width))
    assert decibels(made, get_method("lime").enhance(pixels)) > 44


@settings(max_examples=10, deadline=None)
@given(height=st.integers(40, 150), width=st.integers(40, 150))
def test_the_small_map_that_is_not_halved_is_the_quick_one(height, width):
    pixels = dark(height, width)
    whole, banded = quick_map(pixels, 0.5), small_map(Floats(pixels), 0.5, None, 0)
    # the quick map keeps the plane, the small one tells it as lines in the picture
    assert decibels(whole.whole(), banded.at(pixels, 0, 0)) > 40


@pytest.mark.parametrize("name", PREPARED)
def test_levels_are_read_as_the_floats_that_they_mean(name):
    levels = (dark(60, 80) * 255).round().astype(np.uint8)
    method, source = get_method(name), Levels(levels, 255)
    prepared = method.prepare(source, parse_settings(method.card, {}), None)
    np.testing.assert_allclose(prepared.rows(source, 0, 60), method.enhance(source[:]), atol=1e-5)


def test_a_room_makes_a_note_where_something_was_reduced_alone():
    pixels = dark(300, 400)
    for name, told in (
        ("he", ""),
        ("msr", ""),
        ("srie", "lit by a map solved at 1/8 the size, for want of memory"),
    ):
        method = get_method(name)
        set_as = parse_settings(method.card, {})
        assert method.prepare(Floats(pixels), set_as, 4 * 300 * 400).reduced == told
        assert method.prepare(Floats(pixels), set_as, None).reduced == ""
