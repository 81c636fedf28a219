"""Fitting NIQE's pristine model: which blocks count, the arithmetic, and the published file's format."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.ndimage import correlate
from skimage import data

from daybreak import metrics
from daybreak.errors import MetricError, OutputExists
from daybreak.metrics.niqe import block_features, block_sharpness
from daybreak.metrics.niqe_fit import fit_pristine, save_pristine, sharp_features

DATA = Path(os.environ.get("DAYBREAK_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
PARAMETERS = DATA / "numeric" / "niqe_pris_params.npz"


def noise(height, width, amplitude, seed=0):
    rng = np.random.default_rng(seed)
    return np.clip(128 + amplitude * rng.normal(size=(height, width)), 0, 255).astype(np.uint8)


def test_sharpness_is_the_mean_local_deviation():
    plane = data.camera().astype(float)
    axis = np.exp(-((np.arange(7) - 3) ** 2) / (2 * (7 / 6) ** 2))
    window = np.outer(axis, axis) / axis.sum() ** 2
    whole = plane[:480, :480]
    mean = correlate(whole, window, mode="nearest")
    deviation = np.sqrt(np.abs(correlate(whole**2, window, mode="nearest") - mean**2))
    expected = [
        deviation[y : y + 96, x : x + 96].mean() for y in range(0, 480, 96) for x in range(0, 480, 96)
    ]
    assert block_sharpness(plane) == pytest.approx(expected, abs=1e-9)
    assert len(block_sharpness(plane)) == len(block_features(plane))


def test_only_blocks_over_three_quarters_of_the_sharpest_count():
    # amplitudes well inside 0 to 255; the deviation of noise grows with its amplitude
    blocks = [noise(96, 96, amplitude, seed) for seed, amplitude in enumerate((10, 20, 14.5, 15.5))]
    picture = np.hstack(blocks)
    sharpness = block_sharpness(picture.astype(float))
    assert list(sharpness > 0.75 * sharpness.max()) == [False, True, False, True]
    assert np.array_equal(sharp_features(picture), block_features(picture.astype(float))[[1, 3]])


def test_the_threshold_is_each_photographs_own():
    dull, sharp = noise(192, 192, 4), noise(192, 192, 30, 1)
    assert len(sharp_features(dull)) == len(sharp_features(sharp)) == 4
    assert len(sharp_features(np.hstack([dull, sharp]))) == 4


def test_the_model_is_mean_and_covariance_of_the_sharp_blocks():
    pictures = [
        data.astronaut(),
        data.coffee(),
        data.chelsea(),
        data.camera(),
        *(noise(384, 384, 9, s) for s in (1, 2)),
    ]
    model = fit_pristine(pictures, "mine")
    rows = np.vstack([sharp_features(picture) for picture in pictures])
    assert len(rows) > 36
    assert model.name == "mine"
    assert model.mean == pytest.approx(sum(rows) / len(rows))
    offsets = rows - sum(rows) / len(rows)
    assert model.covariance == pytest.approx(offsets.T @ offsets / (len(rows) - 1))


def test_sharp_pictures_of_the_same_kind_score_better_than_blurred_ones():
    photographs = [data.astronaut(), data.coffee(), data.rocket(), data.camera()]
    turned = [t for p in photographs for t in (p, p[::-1], p[:, ::-1], np.rot90(p))]  # for more blocks
    model = fit_pristine(turned, "mine")
    scores = [
        metrics.niqe(data.chelsea() if sigma == 0 else cv2.GaussianBlur(data.chelsea(), (0, 0), sigma), model)
        for sigma in (0, 1.5, 4)
    ]
    assert scores == sorted(scores)
    assert scores[2] > 2 * scores[0]  # 35 and 6.6 measured


@pytest.mark.parametrize(
    "pictures", [[], [np.zeros((960, 960, 3), np.uint8)], [noise(95, 2000, 9)], [noise(576, 576, 9)]]
)
def test_too_few_sharp_blocks_are_refused(pictures):
    count = 36 if pictures and pictures[0].shape == (576, 576) else 0
    with pytest.raises(MetricError, match=rf"{count} sharp blocks .* at least 37\. Give more"):
        fit_pristine(pictures, "x")


def test_the_file_is_in_the_published_form(tmp_path):
    model = fit_pristine([noise(672, 672, 9)], "noise")
    path = tmp_path / "noise.npz"
    save_pristine(model, path)
    again = metrics.load_pristine(path, "noise")
    assert again.name == "noise"
    assert np.array_equal(again.mean, model.mean)
    assert np.array_equal(again.covariance, model.covariance)
    with np.load(path) as stored:
        shapes = {key: (stored[key].shape, stored[key].dtype) for key in stored}
        window = stored["gaussian_window"]
    expected = {"mu_pris_param": (1, 36), "cov_pris_param": (36, 36), "gaussian_window": (7, 7)}
    assert shapes == {key: (shape, np.float64) for key, shape in expected.items()}
    assert window.sum() == pytest.approx(1)
    if PARAMETERS.is_file():
        with np.load(PARAMETERS) as published:
            assert {key: (published[key].shape, published[key].dtype) for key in published} == shapes
            assert window == pytest.approx(published["gaussian_window"], abs=1e-16)
    before = path.read_bytes()
    with pytest.raises(OutputExists):
        save_pristine(model, path)
    save_pristine(model, path, overwrite=True)
    assert path.read_bytes() == before, "the same model gives other bytes"


@pytest.mark.skipif(not (DATA / "clean").is_dir(), reason="the development data are not here")
def test_clean_photographs_give_a_model_close_to_the_published_one():
    """Kodak's features against the published means: what differs is the photographs, not the arithmetic."""
    from daybreak.image.read import read_photo

    folder = DATA / "clean" / "Kodak24"
    model = fit_pristine((read_photo(path).pixels for path in sorted(folder.iterdir())), "kodak")
    published = metrics.load_pristine(PARAMETERS)
    spread = np.sqrt(np.diag(published.covariance))
    assert np.abs((model.mean - published.mean) / spread).max() < 1.5  # 0.85 measured, of 150 blocks
