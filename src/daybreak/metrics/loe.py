"""Lightness order error: how many pairs of pixels changed which of the two is the brighter.

Source: Wang, Zheng, Hu, Li, "Naturalness Preserved Enhancement Algorithm for Non-Uniform Illumination
Images", IEEE TIP 2013, sampled as in the evaluation of BIMEF (Ying et al. 2017): a grid of 100×100 pixels of
L = max(R, G, B). Scores of the original sampling (short side 50) are on another scale.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daybreak.metrics.base import Metric
from daybreak.metrics.planes import Levels, both, whole_levels
from daybreak.types import Array

GRID = 100


def loe(output: Array, reference: Array) -> float:
    """Mean number of the 10,000 samples whose order towards a sample changed.

    Args:
        output, reference: H×W×3 or H×W of one shape, taken at 8 bits; the reference is the dark input, as
            published (some tables take the well-lit picture: say so).

    Returns:
        0 to 10,000; 0 where the order of lightness is kept.

    Raises:
        MetricError: no pictures, or of different shapes.
    """
    ours, truth = (_samples(picture) for picture in both(output, reference))
    # (L(x) ≥ L(y)) xor (L'(x) ≥ L'(y)), counted over y, depends only on the two levels of x: with the numbers
    # of samples at or below one, the other and both levels it is n + n' - 2 n_both.
    counts = np.zeros((256, 256), np.int64)
    np.add.at(counts, (truth, ours), 1)
    below = counts.cumsum(axis=0).cumsum(axis=1)
    changed = below[:, -1:] + below[-1:, :] - 2 * below
    return float((changed * counts).sum() / counts.sum())


def _samples(picture: Levels) -> NDArray[np.uint8]:
    lightness = picture if picture.ndim == 2 else picture.max(axis=2)
    rows, columns = (
        (np.floor(np.linspace(1, side, GRID) + 0.5) - 1).astype(np.intp) for side in lightness.shape
    )
    return whole_levels(lightness[np.ix_(rows, columns)]).ravel()


METRIC = Metric(
    name="loe",
    summary="Lightness order error against the dark input, on a 100×100 grid.",
    paper="Wang, Zheng, Hu, Li, IEEE TIP 2013",
    better="lower",
    low=0.0,
    high=10_000.0,
    reference="input",
    channels=("rgb",),
    smallest=1,
    run=loe,
)
