"""NIQE against its equations written out, published scores and its laws."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import correlate
from skimage import data

from daybreak import metrics
from daybreak.errors import MetricError
from daybreak.metrics.niqe import FEATURES, asymmetric_fit, block_features

DATA = Path(os.environ.get("DAYBREAK_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
PARAMETERS = DATA / "numeric" / "niqe_pris_params.npz"
needs_parameters = pytest.mark.skipif(
    not PARAMETERS.is_file(), reason="the published parameters are not here"
)


@pytest.fixture(scope="module")
def any_model():
    """A model of the right shape, for what does not depend on its numbers."""
    root = np.random.default_rng(0).normal(size=(FEATURES, FEATURES))
    return metrics.PristineModel("random", np.zeros(FEATURES), root @ root.T)


def fit_by_search(values: np.ndarray) -> tuple[float, float, float]:
    """The moment equations with a search over the whole grid of shapes."""
    left = math.sqrt(np.mean(values[values < 0] ** 2))
    right = math.sqrt(np.mean(values[values > 0] ** 2))
    ratio = left / right
    moment = np.mean(np.abs(values)) ** 2 / np.mean(values**2)
    moment *= (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    grid = [0.2 + k / 1000 for k in range(9801)]
    rho = [math.gamma(2 / g) ** 2 / (math.gamma(1 / g) * math.gamma(3 / g)) for g in grid]
    shape = grid[int(np.argmin([(r - moment) ** 2 for r in rho]))]
    stretch = math.sqrt(math.gamma(1 / shape) / math.gamma(3 / shape))
    return shape, left * stretch, right * stretch


def test_the_fit_equals_a_search_over_the_grid():
    rng = np.random.default_rng(3)
    blocks = np.stack([rng.normal(size=(24, 24)), rng.laplace(size=(24, 24)), rng.uniform(-1, 2, (24, 24))])
    found = np.array(asymmetric_fit(blocks)).T
    assert found == pytest.approx(np.array([fit_by_search(block.ravel()) for block in blocks]), rel=1e-12)


def test_the_fit_finds_the_shape_of_known_distributions():
    rng = np.random.default_rng(0)
    shape, left, right = asymmetric_fit(np.stack([rng.normal(size=(300, 300)), rng.laplace(size=(300, 300))]))
    # 90,000 samples: the shape of a Gaussian is 2, of a Laplacian 1, both within about 1 %
    assert shape == pytest.approx([2, 1], rel=0.03)
    assert left == pytest.approx(right, rel=0.03)


def test_a_flat_block_has_no_features():
    assert all(np.isnan(part).all() for part in asymmetric_fit(np.zeros((1, 8, 8))))


def test_features_equal_the_equations_at_full_size():
    plane = np.random.default_rng(1).integers(0, 256, (96, 192)).astype(float)
    axis = np.exp(-((np.arange(7) - 3) ** 2) / (2 * (7 / 6) ** 2))
    window = np.outer(axis, axis) / axis.sum() ** 2
    mean = correlate(plane, window, mode="nearest")
    deviation = np.sqrt(np.abs(correlate(plane**2, window, mode="nearest") - mean**2))
    block = ((plane - mean) / (deviation + 1))[:, 96:]
    shape, left, right = fit_by_search(block.ravel())
    expected = [shape, (left + right) / 2]
    for shift in ((0, 1), (1, 0), (1, 1), (1, -1)):
        moved = np.roll(np.roll(block, shift[0], axis=0), shift[1], axis=1)
        shape, left, right = fit_by_search((block * moved).ravel())
        expected += [shape, (right - left) * math.gamma(2 / shape) / math.gamma(1 / shape), left, right]
    assert block_features(plane)[1, :18] == pytest.approx(expected, abs=1e-9)


# Published to four decimals by an independent implementation that agrees with MATLAB to 0.001; 0.002 leaves
# room for the order of summation, which flat areas (rocket, moon, dark camera) turn into other features.
@needs_parameters
@pytest.mark.parametrize(
    ("name", "gray", "y"),
    [
        ("camera", 3.0962, None),
        ("moon", 9.1135, None),
        ("astronaut", 3.0666, 3.1005),
        ("coffee", 4.0585, 4.1153),
        ("chelsea", 2.5721, 2.6255),
        ("rocket", 7.0368, 6.9706),
    ],
)
def test_published_scores(name, gray, y):
    picture, model = getattr(data, name)(), metrics.load_pristine(PARAMETERS)
    assert metrics.niqe(picture, model) == pytest.approx(gray, abs=0.002)
    if y is not None:
        assert metrics.niqe(picture, model, "y") == pytest.approx(y, abs=0.002)


@needs_parameters
def test_published_score_of_a_darkened_picture(dark_camera):
    model = metrics.load_pristine(PARAMETERS)
    assert metrics.niqe(dark_camera, model) == pytest.approx(3.9904, abs=0.002)


def test_deterministic_and_blind_beyond_the_last_whole_block(any_model):
    picture = np.random.default_rng(0).integers(0, 256, (230, 210, 3), dtype=np.uint8)
    score = metrics.niqe(picture, any_model)
    assert score == metrics.niqe(picture, any_model)
    assert score == metrics.niqe(picture[:192, :192], any_model)
    assert score != metrics.niqe(picture[1:193, :192], any_model)


@pytest.mark.parametrize("shape", [(1, 1), (96, 96), (95, 960), (191, 191, 3)], ids=str)
def test_fewer_than_two_blocks_are_refused(shape, any_model):
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with pytest.raises(MetricError, match="at least two"):
        metrics.niqe(picture, any_model)


def test_a_black_picture_is_refused(any_model):
    with pytest.raises(MetricError, match="0 textured"):
        metrics.niqe(np.zeros((400, 600, 3), np.uint8), any_model)


def test_parameters_come_from_a_file_or_are_refused(tmp_path):
    path = tmp_path / "model.npz"
    with pytest.raises(MetricError, match=r"model\.npz cannot be used"):
        metrics.load_pristine(path)
    path.write_bytes(b"nothing")
    with pytest.raises(MetricError, match=r"model\.npz cannot be used"):
        metrics.load_pristine(path)
    np.savez(path, mu_pris_param=np.zeros((1, 35)), cov_pris_param=np.eye(36))
    with pytest.raises(MetricError, match=r"model\.npz cannot be used"):
        metrics.load_pristine(path)
    np.savez(path, mu_pris_param=np.zeros((1, 36)), cov_pris_param=np.eye(36))
    model = metrics.load_pristine(path, "mine")
    assert (model.name, model.mean.shape, model.covariance.shape) == ("mine", (36,), (36, 36))
