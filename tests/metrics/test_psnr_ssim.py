"""PSNR and SSIM against scikit-image, closed forms and published figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from daybreak import metrics
from daybreak.errors import MetricError

PAIRS = st.tuples(st.integers(11, 16), st.integers(11, 16)).flatmap(
    lambda side: st.tuples(*[hnp.arrays(np.uint8, (*side, 3))] * 2)
)


def as_dtype(picture: np.ndarray, dtype: str) -> np.ndarray:
    rng = np.random.default_rng(5)
    if dtype == "uint8":
        return picture
    if dtype == "uint16":  # low bytes too, so that nothing may cut to 8 bits
        return picture.astype(np.uint16) * 256 + rng.integers(0, 256, picture.shape, dtype=np.uint16)
    return np.clip(picture / 255 + rng.uniform(-0.001, 0.001, picture.shape), 0, 1).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_equal_to_scikit_image(dtype, astronaut, dark_astronaut):
    reference, output = as_dtype(astronaut, dtype), as_dtype(dark_astronaut, dtype)
    peak = {"uint8": 255, "uint16": 65535}.get(dtype, 1.0)
    # scikit-image works in float32 for float32 input: compare with the same numbers in float64
    wide = (reference.astype(np.float64), output.astype(np.float64))
    expected = peak_signal_noise_ratio(*wide, data_range=peak)
    assert metrics.psnr(output, reference) == pytest.approx(expected, abs=1e-6)
    expected = structural_similarity(
        *wide, data_range=peak, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert metrics.ssim(output, reference) == pytest.approx(expected, abs=1e-6)


def test_closed_forms():
    gray = np.full((16, 16), 100, np.uint8)
    assert metrics.psnr(gray, gray + 1) == pytest.approx(20 * math.log10(255), abs=1e-12)
    assert metrics.psnr(gray, gray) == math.inf
    ones = np.ones((16, 16), np.uint8)
    # constants: only the luminance factor is left, (2·1·2 + C1) / (1 + 4 + C1) with C1 = 6.5025
    assert metrics.ssim(ones, 2 * ones) == pytest.approx(0.9130623777, abs=1e-10)


# Published with five decimals (PSNR four): half of the last digit.
def test_published_figures(lcg_pair, camera, dark_camera, astronaut, dark_astronaut):
    first, second = lcg_pair
    assert (first.mean(), first.std()) == pytest.approx((127.6796, 33.7277), abs=5e-5)
    assert metrics.psnr(second, first) == pytest.approx(11.5856, abs=5e-5)
    assert metrics.ssim(second, first) == pytest.approx(0.70268, abs=5e-6)
    assert metrics.psnr(dark_camera, camera) == pytest.approx(13.7568, abs=5e-5)
    assert metrics.ssim(dark_camera, camera) == pytest.approx(0.65778, abs=5e-6)
    assert metrics.psnr(dark_astronaut, astronaut) == pytest.approx(7.6526, abs=5e-5)
    assert metrics.ssim(dark_astronaut, astronaut) == pytest.approx(0.40859, abs=5e-6)
    assert metrics.ssim(dark_astronaut, astronaut, "gray") == pytest.approx(0.40837, abs=5e-6)


def test_y_is_the_studio_luma_of_bt601():
    white, black = np.full((11, 11, 3), 255, np.uint8), np.zeros((11, 11, 3), np.uint8)
    # 235 against 16, over a peak of 255
    assert metrics.psnr(white, black, "y") == pytest.approx(20 * math.log10(255 / 219), abs=1e-9)
    green = black.copy()
    green[..., 1] = 255
    assert metrics.psnr(green, black, "y") == pytest.approx(20 * math.log10(255 / 128.553), abs=1e-9)
    gray = np.full((11, 11), 200, np.uint8)
    assert metrics.psnr(gray, gray // 2, "y") == pytest.approx(
        metrics.psnr(np.dstack([gray] * 3), np.dstack([gray] * 3) // 2, "y"), abs=1e-9
    )


@settings(max_examples=25)
@given(PAIRS)
def test_symmetric_and_in_range(pair):
    first, second = pair
    assert metrics.psnr(first, second) == metrics.psnr(second, first)
    assert metrics.ssim(first, second) == pytest.approx(metrics.ssim(second, first), abs=1e-12)
    assert abs(metrics.ssim(first, second)) <= 1 + 1e-12
    assert metrics.ssim(first, first) == pytest.approx(1, abs=1e-12)


@given(st.integers(0, 127))
def test_depth_does_not_matter(level):
    eight = np.full((11, 11, 3), level, np.uint8)
    sixteen, unit = eight.astype(np.uint16) * 257, eight / 255
    other = np.full_like(eight, 255)
    expected = metrics.psnr(eight, other)
    assert metrics.psnr(sixteen, other) == pytest.approx(expected, abs=1e-9)
    assert metrics.psnr(unit, other) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("side", [(10, 50), (50, 10), (1, 1)])
def test_ssim_refuses_pictures_smaller_than_its_window(side):
    with pytest.raises(MetricError, match="at least 11 on each side"):
        metrics.ssim(np.zeros(side, np.uint8), np.zeros(side, np.uint8))
