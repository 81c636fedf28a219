"""Laws of the fusion method."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.color import rgb2hsv

from daybreak.methods import get_method
from daybreak.methods.mf import brightened, fuse, fusion_weights, illumination

RNG = np.random.default_rng(0)
PICTURE = (RNG.random((70, 90, 3)) * 0.3).astype(np.float32)
LIGHT = illumination(PICTURE.max(axis=2), PICTURE.max(), 15, 7, 1e-3)
INPUTS = [LIGHT, brightened(LIGHT, LIGHT.mean()), np.sqrt(LIGHT)]


def test_weights_sum_to_1():
    weights = fusion_weights(INPUTS)
    assert np.allclose(sum(weights), 1, atol=1e-6)
    assert min(weight.min() for weight in weights) >= 0


def test_weights_favour_the_middle():
    dim, middle, glaring = fusion_weights([np.full((1, 1), level, np.float32) for level in (0.05, 0.5, 1.0)])
    assert middle > glaring > dim


def test_the_papers_hue_factor_cancels():
    hsv = rgb2hsv(PICTURE)
    factor = 1 + np.cos(2 * 2 * np.pi * hsv[..., 0] + np.radians(250)) * hsv[..., 1]
    full = [np.exp(-((k - 0.5) ** 2) / (2 * 0.25**2)) * k * factor for k in INPUTS]
    for weight, expected in zip(fusion_weights(INPUTS), full, strict=True):
        assert np.allclose(weight, expected / sum(full), atol=1e-5)


@pytest.mark.parametrize("halvings", [0, 1, 5])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (5, 3), (33, 47), (128, 256)], ids=str)
def test_fusing_equal_planes_gives_the_plane(shape, halvings):
    plane = RNG.random(shape).astype(np.float32)
    share = RNG.random(shape).astype(np.float32)
    assert np.allclose(fuse([plane, plane], [share, 1 - share], halvings), plane, atol=2e-5)


def test_fusing_with_one_plane_weighted_gives_that_plane():
    one, other = RNG.random((2, 40, 50)).astype(np.float32)
    ones = np.ones_like(one)
    assert np.allclose(fuse([one, other], [ones, 0 * ones], 3), one, atol=2e-5)


def test_coarse_scales_that_are_known_are_not_fused_again():
    planes = list(RNG.random((3, 64, 48)).astype(np.float32))
    weights = fusion_weights(planes)
    halved = [[cv2.pyrDown(cv2.pyrDown(plane)) for plane in some] for some in (planes, weights)]
    known = fuse(*halved, 2)
    assert np.array_equal(fuse(planes, weights, 2, known), fuse(planes, weights, 4))


def test_illumination_covers_the_brightness():
    assert (PICTURE.max(axis=2) <= LIGHT).all()
    assert illumination(np.zeros((9, 9), np.float32), 0.0, 15, 7, 1e-3).min() == pytest.approx(1e-3)


def test_the_bright_input_is_the_arctangent():
    light = np.full((4, 4), 0.2, np.float32)
    bright = brightened(light, 0.2)
    assert np.allclose(bright, 2 / np.pi * np.arctan((10 + 0.8 / 0.2) * 0.2), atol=1e-6)


def test_channels_keep_their_ratio():
    out = get_method("mf").enhance(PICTURE)
    unclipped = out.max(axis=2) < 1
    gain = out.max(axis=2) / PICTURE.max(axis=2)
    assert np.allclose(out[unclipped], (PICTURE * gain[..., None])[unclipped], atol=1e-5)
