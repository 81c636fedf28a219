"""`he` and `clahe` against OpenCV's and scikit-image's pipelines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab
from skimage.data import astronaut

from daybreak.methods import get_method

DARK8 = np.round(255 * 0.4 * (astronaut()[::4, ::4] / 255) ** 2).astype(np.uint8)  # 128×128: 8 tiles of 16
DARK = DARK8 / np.float32(255)


def test_he_rgb_is_opencvs_per_channel():
    reference = np.dstack([cv2.equalizeHist(np.ascontiguousarray(DARK8[..., c])) for c in range(3)])
    ours = np.round(get_method("he").enhance(DARK, mode="rgb") * 255)
    assert np.abs(ours - reference).max() <= 1  # halves may round to either side
    assert (ours != reference).mean() < 1e-3


def test_he_v_is_opencvs_in_hsv():
    hsv = cv2.cvtColor(DARK, cv2.COLOR_RGB2HSV)
    hsv[..., 2] = cv2.equalizeHist(DARK8.max(axis=2)) / np.float32(255)
    reference = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    assert np.abs(get_method("he").enhance(DARK) - reference).max() <= 0.51 / 255  # equalizeHist rounds


def test_he_y_is_opencvs_in_ycbcr():
    ycc = cv2.cvtColor(DARK8, cv2.COLOR_RGB2YCrCb)
    ycc[..., 0] = cv2.equalizeHist(np.ascontiguousarray(ycc[..., 0]))
    reference = cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB) / 255
    # 8-bit Y, Cr and Cb are rounded three times on the way; one level of Y is up to 9 levels after equalising
    difference = np.abs(get_method("he").enhance(DARK, mode="y") - reference)
    assert difference.mean() < 1.5 / 255
    assert difference.max() < 10 / 255


@pytest.mark.parametrize("clip", [2.0, 4.0])
def test_clahe_is_opencvs_on_the_lightness_of_scikit_image(clip):
    dark = np.repeat(
        np.repeat(DARK, 4, axis=0), 4, axis=1
    )  # larger tiles: one pixel more in a bin matters less
    lab = rgb2lab(dark)
    lightness8 = np.round(lab[..., 0] * 2.55).astype(np.uint8)
    lab[..., 0] = cv2.createCLAHE(clip, (8, 8)).apply(lightness8) / 2.55
    difference = np.abs(get_method("clahe").enhance(dark, clip=clip) - lab2rgb(lab))
    # the reference rounds L to 8 bits before and after: half a level times the slope of the curve, twice over
    assert difference.mean() < 1 / 255
    assert np.percentile(difference, 99) < 3 / 255


def test_clahe_with_one_tile_and_no_limit_is_plain_equalisation_of_lightness():
    gray = np.repeat((DARK8[..., :1] // 4) / np.float32(255), 3, axis=2)
    out = get_method("clahe").enhance(gray, tiles=1, clip=40.0)
    levels = np.unique(gray[..., 0])
    rendered = [out[..., 0][gray[..., 0] == level] for level in levels]
    assert max(np.ptp(values) for values in rendered) < 1e-6  # one curve for the whole picture
    assert (np.diff([values[0] for values in rendered]) > 0).all()


def test_a_higher_limit_gives_more_contrast():
    spread = [get_method("clahe").enhance(DARK, clip=clip).std() for clip in (1.0, 2.0, 4.0)]
    assert spread == sorted(spread)
