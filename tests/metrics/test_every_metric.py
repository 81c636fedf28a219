"""Laws that every registered metric keeps; a new metric is tested by being registered."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from daybreak import metrics
from daybreak.errors import MetricError, UnknownName

EVERY = pytest.mark.parametrize("metric", metrics.METRICS, ids=lambda m: m.name)
COMPARING = pytest.mark.parametrize(
    "metric", [m for m in metrics.METRICS if m.reference != "none"], ids=lambda m: m.name
)
MODELS = {
    "niqe-pristine": metrics.PristineModel("unit", np.zeros(36), np.eye(36)),
    # looks at blocks of 8×8 pixels
    "lpips-alex": metrics.LpipsModel(
        "blocks", lambda x: [torch.nn.functional.avg_pool2d(x, 8)], (torch.ones(3),)
    ),
}
MODELS["lpips-vgg"] = MODELS["lpips-alex"]


def picture(seed: int, shape: tuple[int, ...] = (200, 210, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def score(metric, output, reference=None, channel=""):
    return metric.score(output, reference, channel, MODELS.get(metric.asset))


@EVERY
def test_scores_are_finite_numbers_in_their_range(metric):
    for channel in metric.channels:
        value = score(metric, picture(0), picture(1), channel)
        assert isinstance(value, float)
        assert metric.low <= value <= metric.high
        assert np.isfinite(value)


@EVERY
def test_bit_depth_does_not_matter(metric):
    output, reference = picture(0), picture(1)
    expected = score(metric, output, reference)
    assert score(metric, output.astype(np.uint16) * 257, reference) == pytest.approx(expected, rel=1e-9)
    assert score(metric, output / 255, reference) == pytest.approx(expected, rel=1e-9)
    assert score(metric, np.float32(output / 255), reference) == pytest.approx(expected, rel=1e-5)


@EVERY
def test_gray_pictures_and_unchanged_inputs(metric):
    output, reference = picture(0, (192, 192)), picture(1, (192, 192))
    before = output.copy()
    assert np.isfinite(score(metric, output, reference))
    assert np.array_equal(output, before)


@COMPARING
def test_an_equal_picture_is_best(metric):
    truth = picture(0)
    best, worse = score(metric, truth, truth), score(metric, picture(1), truth)
    assert best > worse if metric.better == "higher" else best < worse


@EVERY
@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (np.zeros((200, 200, 4), np.uint8), "shape"),
        (np.zeros((0, 200, 3), np.uint8), "pixels"),
        (np.zeros((200, 200, 3), np.int64), "dtype"),
        (np.full((200, 200, 3), 1.5), "finite values"),
        (np.full((200, 200, 3), np.nan), "finite values"),
        ("night.jpg", "shape"),
    ],
    ids=["rgba", "empty", "int64", "above 1", "nan", "text"],
)
def test_what_is_no_picture_is_refused(metric, bad, told):
    with pytest.raises(MetricError, match=told):
        score(metric, bad, picture(0, (200, 200, 3)))


@COMPARING
def test_missing_and_differing_references_are_refused(metric):
    with pytest.raises(MetricError, match="without a reference"):
        score(metric, picture(0))
    with pytest.raises(MetricError, match="two pictures of one shape"):
        score(metric, picture(0), picture(1, (200, 200, 3)))
    with pytest.raises(MetricError, match="the channel 'b'"):
        score(metric, picture(0), picture(1), "b")


def test_a_metric_without_its_parameters_says_so():
    with pytest.raises(MetricError, match="the asset 'niqe-pristine'"):
        metrics.get_metric("niqe").score(picture(0))


def test_pcqi_keeps_the_published_order_of_its_arguments():
    dark, bright = picture(0) // 4, picture(0)
    by_card = metrics.get_metric("pcqi").score(bright, dark)
    assert by_card == metrics.pcqi(dark, bright) != metrics.pcqi(bright, dark)


def test_registry():
    assert metrics.list_metrics("*q*") == ["pcqi", "niqe"]
    with pytest.raises(UnknownName, match="Did you mean psnr"):
        metrics.get_metric("pnsr")


def test_importing_needs_no_heavy_library():
    heavy = ("torch", "scipy", "onnxruntime", "pyvips")
    check = f"import daybreak.metrics, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
