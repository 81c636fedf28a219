"""Patch-based contrast quality index.

Source: Wang, Ma, Yeganeh, Wang, Lin, "A Patch-Structure Representation Method for Quality Assessment of
Contrast Changed Images", IEEE Signal Processing Letters 2015; constants as in the authors' listing.
"""

from __future__ import annotations

import math

import numpy as np

from daybreak.metrics.base import Metric
from daybreak.metrics.planes import both, gray, valid_means
from daybreak.types import Array

C = 3.0
L = 256.0
WINDOW = 11


def pcqi(reference: Array, output: Array) -> float:
    """Mean over the patches of contrast change × structure × mean intensity. The reference comes first.

    Args:
        reference, output: H×W×3 or H×W of one shape, at least 11 pixels on each side; colour is scored in
            gray (MATLAB's rgb2gray).

    Returns:
        1 for equal pictures; above 1 where the output has more contrast. Not symmetric.

    Raises:
        MetricError: no pictures, of different shapes, or smaller than the window.
    """
    ours, truth = (gray(picture) for picture in both(output, reference, WINDOW))
    mean1, mean2 = valid_means(truth), valid_means(ours)
    variance1 = np.maximum(valid_means(truth * truth) - mean1 * mean1, 0.0)
    variance2 = np.maximum(valid_means(ours * ours) - mean2 * mean2, 0.0)
    covariance = valid_means(truth * ours) - mean1 * mean2
    contrast = (4 / math.pi) * np.arctan((covariance + C) / (variance1 + C))
    structure = (covariance + C) / (np.sqrt(variance1) * np.sqrt(variance2) + C)
    intensity = np.exp(-np.abs(mean1 - mean2) / L)
    return float(np.mean(contrast * structure * intensity))


METRIC = Metric(
    name="pcqi",
    summary="Patch-based contrast quality index, in gray.",
    paper="Wang, Ma, Yeganeh, Wang, Lin, IEEE Signal Processing Letters 2015",
    better="higher",
    low=-2.0,
    high=2.0,
    reference="truth",
    channels=("gray",),
    smallest=WINDOW,
    run=pcqi,
)
