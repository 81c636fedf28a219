"""Mean absolute error."""

from __future__ import annotations

import numpy as np

from daybreak.metrics.base import Metric
from daybreak.metrics.planes import both
from daybreak.types import Array


def mae(output: Array, reference: Array) -> float:
    """Mean absolute difference over all pixels and channels, in grey levels (0 to 255).

    Args:
        output, reference: H×W×3 or H×W of one shape; uint8, uint16 or float in [0, 1].

    Raises:
        MetricError: no pictures, or of different shapes.
    """
    ours, truth = both(output, reference)
    return float(np.mean(np.abs(ours - truth)))


METRIC = Metric(
    name="mae",
    summary="Mean absolute error over all pixels and channels.",
    paper="",
    better="lower",
    low=0.0,
    high=255.0,
    reference="truth",
    channels=("rgb",),
    smallest=1,
    run=mae,
    unit="grey levels",
)
