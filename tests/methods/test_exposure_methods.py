"""Laws of BIMEF and CRM, which expose the picture anew by its illumination."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.image.camera import RESPONSES, beta_gamma
from daybreak.image.rows import Floats
from daybreak.image.upsample import Kept
from daybreak.methods import get_method
from daybreak.methods.bimef import best_exposure as searched
from daybreak.methods.bimef import entropy, fuse, thumbnails
from daybreak.methods.crm import expose

CRM, BIMEF = get_method("crm"), get_method("bimef")


def best_exposure(pixels: np.ndarray, light: np.ndarray, ratio: float) -> float | None:
    """The exposure of a picture with a certain illumination."""
    return searched(*thumbnails(Floats(pixels), Kept(light), None), ratio)


def colours(height: int = 30, width: int = 40, top: float = 1.0) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, top, (height, width, 3)).astype(np.float32)


@pytest.mark.parametrize("method", [CRM, BIMEF], ids=["crm", "bimef"])
@pytest.mark.parametrize("limit", [0, 1])
@given(level=st.floats(0, 1), tint=st.floats(0, 1))
@settings(deadline=None, max_examples=15)
def test_a_constant_stays_constant(method, limit, level, tint):
    pixels = np.full((20, 33, 3), level, np.float32)
    pixels[..., 1] *= np.float32(tint)
    out = method.enhance(pixels, exact_up_to=limit)
    assert np.ptp(out, axis=(0, 1)).max() < 1e-4


@pytest.mark.parametrize("name", RESPONSES)
def test_crm_leaves_what_is_fully_lit(name):
    pixels = colours()
    lit = np.ones(pixels.shape[:2], np.float32)
    assert np.abs(expose(pixels.copy(), lit, 7.0, RESPONSES[name]) - pixels).max() < 1e-5


def test_crm_exposes_by_the_inverse_of_the_light_up_to_the_ratio():
    pixels = colours(top=0.3)
    light = np.linspace(-0.1, 1.2, 40, dtype=np.float32) * np.ones((30, 1), np.float32)
    out = expose(pixels.copy(), light, 5.0, beta_gamma)
    expected = pixels.copy()
    exposure = np.minimum(1 / np.clip(light, 0.01, 1), 5).astype(np.float32)
    beta_gamma(expected, exposure, np.empty_like(pixels))
    assert np.abs(out - np.clip(expected, 0, 1)).max() < 1e-5


@pytest.mark.parametrize("name", RESPONSES)
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 70), (70, 1), (65, 20)])
def test_crm_takes_any_size_with_each_response(name, shape):
    out = CRM.enhance(colours(*shape), response=name, exact_up_to=0)
    assert out.shape == (*shape, 3)
    assert 0 <= out.min() <= out.max() <= 1


def test_crm_is_the_same_in_one_thread_and_in_many():
    import cv2

    pixels, before = colours(200, 150, 0.2), cv2.getNumThreads()
    try:
        outs = []
        for count in (1, 3):
            cv2.setNumThreads(count)
            outs.append(CRM.enhance(pixels, exact_up_to=0))
    finally:
        cv2.setNumThreads(before)
    assert np.array_equal(*outs)


def test_bimefs_exposed_picture_is_brighter_up_to_its_offset():
    pixels = colours()
    nothing = np.zeros(pixels.shape[:2], np.float32)
    assert (fuse(pixels, nothing, 3.0, 0.5) >= np.clip(pixels - 0.01001, 0, 1)).all()
    same = fuse(pixels, nothing, 1.0, 0.5)
    assert np.abs(same - np.clip(pixels - 0.01, 0, 1)).max() < 1e-5


def test_bimef_leaves_what_is_fully_lit():
    pixels = colours()
    assert np.abs(fuse(pixels, np.ones(pixels.shape[:2], np.float32), 5.0, 0.5) - pixels).max() < 1e-5
    bright = colours() * np.float32(0.2) + np.float32(0.8)
    assert np.array_equal(BIMEF.enhance(bright), bright)


def test_bimefs_exposure_is_in_range_and_grows_with_darkness():
    light = np.zeros((60, 60), np.float32)
    found = [best_exposure(colours(60, 60, top), light, 7.0) for top in (0.6, 0.25, 0.05)]
    assert 1 <= found[0] < found[1] < found[2] <= 7
    assert best_exposure(colours(60, 60, 0.05), light, 3.0) <= 3
    assert best_exposure(colours(), np.ones((30, 40), np.float32), 7.0) is None


def test_entropy():
    assert entropy(np.full(9, 0.5)) == 0
    assert entropy(np.arange(256) / 255) == pytest.approx(8)
    assert entropy(np.array([0.0, 1.7, -0.2, 1.0])) == pytest.approx(1)
