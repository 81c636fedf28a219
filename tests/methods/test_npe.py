"""Laws of NPE, and its quick bright-pass filter against the definition."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.image.tone import histogram
from daybreak.methods import get_method
from daybreak.methods.npe import bilog_curve, bright_pass, co_occurrence, neighbour_weights

NPE = get_method("npe")


def levels(height: int, width: int, top: int = 256) -> np.ndarray:
    rng = np.random.default_rng(height + width)
    ramp = np.linspace(0, top - 1, height * width).reshape(height, width)
    return np.clip(ramp + rng.normal(0, 6, ramp.shape), 0, 255).astype(np.uint8)


def slow_bright_pass(plane: np.ndarray, weights: np.ndarray, side: int) -> np.ndarray:
    rim = side // 2
    padded = np.pad(plane, rim, mode="edge").astype(int)
    out = plane.astype(float)
    for y, x in np.ndindex(plane.shape):
        window = padded[y : y + side, x : x + side]
        weight = np.where(window >= plane[y, x], weights[plane[y, x], window], 0)
        if weight.sum() > 0:
            out[y, x] = (weight * window).sum() / weight.sum()
    return out


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (23, 31), (20, 270)], ids=str)  # 270: two blocks
@pytest.mark.parametrize("side", [3, 15])
def test_bright_pass_is_its_definition(shape, side):
    plane = levels(*shape)
    weights = neighbour_weights(co_occurrence(plane))
    assert np.allclose(bright_pass(plane, weights, side), slow_bright_pass(plane, weights, side), atol=1e-3)


def test_co_occurrence_counts_each_of_8_neighbours():
    counts = co_occurrence(np.array([[1, 2], [3, 3]], np.uint8))
    assert counts.sum() == 4 * 3  # each of the four has three neighbours
    assert counts[3, 3] == 2
    assert counts[1, 2] == counts[2, 1] == 1
    assert counts[1, 3] == counts[3, 1] == 2


def test_neighbour_weights_smooth_bright_levels_and_drop_darker_ones():
    counts = np.zeros((256, 256))
    counts[10, 20] = 7  # below 32: not smoothed
    counts[100, 128] = 9  # reach 128 // 32 = 4 at l = 128
    weights = neighbour_weights(counts)
    assert weights[10, 20] == 7
    assert weights[10, 19] == weights[10, 21] == 0
    assert weights[100, 128] == pytest.approx(1)
    assert weights[100, 132] == pytest.approx(1)
    assert weights[100, 133] == 0
    assert not np.tril(weights, -1).any()


def test_illumination_is_nowhere_darker_than_the_picture():
    plane = levels(60, 80)
    light = bright_pass(plane, neighbour_weights(co_occurrence(plane)), 15)
    assert (light >= plane - 1e-3).all()
    assert (light <= 255 + 1e-3).all()


def test_the_curve_rises_and_brightens_a_dark_illumination():
    dark = levels(50, 50, top=60) / np.float32(255)
    curve = bilog_curve(histogram(dark))
    assert (np.diff(curve) >= 0).all()
    assert curve[-1] == pytest.approx(1)
    assert curve[30] > 30 / 255


@pytest.mark.parametrize("depth", [255, 65535])
def test_reflectance_never_exceeds_1(depth):
    """With R <= 1 the output is nowhere above the remapped illumination, whose largest value is 1."""
    rng = np.random.default_rng(0)
    picture = (np.round(rng.random((40, 50, 3)) * 0.3 * depth) / depth).astype(np.float32)
    out = NPE.enhance(picture)
    ratio = out.max(axis=2) / np.maximum(picture.max(axis=2), 1e-9)
    assert np.isfinite(ratio).all()
    assert out.max() <= 1
    # the three channels keep their ratio, so nothing was clipped
    assert np.allclose(out, picture * ratio[..., None], atol=1e-5)


def test_black_stays_black():
    black = np.zeros((9, 9, 3), np.float32)
    assert np.array_equal(NPE.enhance(black), black)
