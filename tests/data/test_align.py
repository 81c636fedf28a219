from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.data.align import align
from daybreak.image.read import read_photo

DATA = Path(os.environ.get("DAYBREAK_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
needs_lol = pytest.mark.skipif(not (DATA / "LOL" / "our485").is_dir(), reason="LOL v1 is not here")


def room(seed=1, height=300, width=420):
    """A picture of sixty random boxes on a gentle slope of light."""
    rng = np.random.default_rng(seed)
    canvas = np.repeat(np.linspace(0.3, 0.5, width, dtype=np.float32)[None, :, None], height, axis=0)
    canvas = np.ascontiguousarray(np.repeat(canvas, 3, axis=2))
    for _ in range(60):
        x, y = (int(v) for v in (rng.integers(0, width - 20), rng.integers(0, height - 20)))
        w, h = (int(v) for v in rng.integers(8, 60, 2))
        cv2.rectangle(canvas, (x, y), (x + w, y + h), tuple(float(v) for v in rng.random(3)), -1)
    return canvas


def darkened(pixels, seed=0):
    """A twentieth of the light, with the noise and the levels of an 8-bit sensor."""
    noise = np.random.default_rng(seed).normal(0, 1.5 / 255, pixels.shape)
    dark = np.clip(pixels.astype(np.float64) ** 1.5 * 0.08 + noise, 0, 1)
    return (np.rint(dark * 255) / 255).astype(np.float32)


def moved(pixels, dx, dy):
    matrix = np.float32([[1, 0, dx], [0, 1, dy]])
    size = pixels.shape[1::-1]
    return cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT).clip(
        0, 1
    )


@settings(max_examples=12, deadline=None)
@given(dx=st.floats(-40, 40), dy=st.floats(-40, 40), seed=st.integers(0, 5))
def test_a_shift_is_measured_whatever_the_brightness(dx, dy, seed):
    scene = room(seed)
    found = align(darkened(moved(scene, dx, dy)), scene)
    assert found.blocks >= 2
    # noise of 1.5 levels on a mean of 8: a third of a pixel
    assert found.dx == pytest.approx(dx, abs=0.35)
    assert found.dy == pytest.approx(dy, abs=0.35)
    if np.hypot(dx, dy) > 2.2:
        assert found.shifted
    if np.hypot(dx, dy) < 0.8:
        assert not found.shifted


def test_a_zoom_shows_at_the_sides_though_the_middle_fits():
    scene = room(2)
    zoom = cv2.getRotationMatrix2D((210, 150), 0, 1.03)
    zoomed = cv2.warpAffine(scene, zoom, (420, 300), borderMode=cv2.BORDER_REFLECT)
    found = align(darkened(zoomed), scene)
    assert found.shifted
    # 3 % of half a diagonal of 258 px is 7.7 px; blocks average over theirs
    assert 3 < found.farthest < 7.7
    assert np.hypot(found.dx, found.dy) < found.farthest / 2


def test_nothing_is_claimed_along_a_lone_edge():
    scene = np.full((300, 420, 3), 0.3, np.float32)
    scene[:, 200:] = 0.7
    found = align(darkened(scene, 1), scene)
    assert abs(found.dy) < 0.1
    assert not found.shifted


@pytest.mark.parametrize("seeds", [(1, 2), (3, 4), (5, 6)])
def test_two_scenes_have_too_little_in_common(seeds):
    first, second = map(room, seeds)
    assert not align(darkened(first), second).told


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (31, 500), (5000, 1), (1, 5000), (40, 6000)], ids=str)
def test_what_is_too_small_is_not_measured(shape):
    flat = np.full((*shape, 3), 0.5, np.float32)
    assert align(flat, flat) is None


def test_flat_pictures_are_not_told():
    flat = np.full((64, 64, 3), 0.5, np.float32)
    found = align(flat, flat * np.float32(0.1))
    assert not found.told
    assert not found.shifted


def test_a_large_picture_is_measured_small_and_told_in_its_own_pixels():
    scene = cv2.resize(room(3), (1600, 1143), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    found = align(moved(scene, 12, -8), scene)
    assert found.limit == pytest.approx(3.0)
    assert found.dx == pytest.approx(12, abs=0.6)
    assert found.dy == pytest.approx(-8, abs=0.6)


@needs_lol
def test_the_misaligned_pairs_of_lol_are_found_and_eval15_fits():
    def of(part, stem):
        sides = (next((DATA / "LOL" / part / side).glob(f"{stem}.*")) for side in ("low", "high"))
        return align(*(read_photo(path).pixels for path in sides))

    far = of("our485", "648")
    assert far.shifted
    assert 50 < far.farthest < 58  # known: about 54
    for stem in ("515", "570", "649", "700", "701"):  # known: about 2
        found = of("our485", stem)
        assert found.shifted, stem
        assert round(found.farthest) == 2, stem
    for path in (DATA / "LOL" / "eval15" / "low").iterdir():
        found = of("eval15", path.stem)
        assert found.told, path.stem
        assert not found.shifted, path.stem
        assert np.hypot(found.dx, found.dy) < 1, path.stem
