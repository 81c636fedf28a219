"""Structural similarity.

Source: Wang, Bovik, Sheikh, Simoncelli, "Image Quality Assessment: From Error Visibility to Structural
Similarity", IEEE TIP 2004: 11×11 Gaussian window of σ = 1.5, K1 = 0.01, K2 = 0.03, statistics of the
population, no reduction in size, and only windows that lie inside the picture.
"""

from __future__ import annotations

import numpy as np

from daybreak.metrics.base import Metric
from daybreak.metrics.planes import Channel, Levels, both, channels, valid_means
from daybreak.types import Array

C1 = (0.01 * 255.0) ** 2
C2 = (0.03 * 255.0) ** 2
WINDOW = 11


def ssim(output: Array, reference: Array, channel: Channel = "rgb") -> float:
    """Mean structural similarity.

    Args:
        output, reference: H×W×3 or H×W of one shape, at least 11 pixels on each side; uint8, uint16 or
            float in [0, 1].
        channel: "rgb" (mean over the three channels), "gray" or "y" (BT.601 studio luma).

    Returns:
        -1 to 1; 1 for equal pictures.

    Raises:
        MetricError: no pictures, of different shapes, or smaller than the window.
    """
    ours, truth = both(output, reference, WINDOW)
    planes = zip(channels(ours, channel), channels(truth, channel), strict=True)
    return float(np.mean([similarity_map(a, b).mean() for a, b in planes]))


def similarity_map(first: Levels, second: Levels) -> Levels:
    """SSIM around each pixel whose window lies inside, (H-10)×(W-10), of two H×W planes in 0 to 255."""
    mean1, mean2 = valid_means(first), valid_means(second)
    variances = valid_means(first * first) - mean1 * mean1 + valid_means(second * second) - mean2 * mean2
    covariance = valid_means(first * second) - mean1 * mean2
    luminance = (2 * mean1 * mean2 + C1) / (mean1 * mean1 + mean2 * mean2 + C1)
    return luminance * (2 * covariance + C2) / (variances + C2)


METRIC = Metric(
    name="ssim",
    summary="Structural similarity, mean over the colour channels.",
    paper="Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 2004",
    better="higher",
    low=-1.0,
    high=1.0,
    reference="truth",
    channels=("rgb", "gray", "y"),
    smallest=WINDOW,
    run=ssim,
)
