"""Mean brightness error: how far the overall exposure is off, whatever the detail."""

from __future__ import annotations

import numpy as np

from daybreak.metrics.base import Metric
from daybreak.metrics.planes import GRAY, both, weighted
from daybreak.types import Array


def brightness(output: Array, reference: Array) -> float:
    """Absolute difference of the two pictures' mean gray, in grey levels (0 to 255).

    Args:
        output, reference: H×W×3 or H×W of one shape; uint8, uint16 or float in [0, 1].

    Raises:
        MetricError: no pictures, or of different shapes.
    """
    ours, truth = both(output, reference)
    return float(abs(np.mean(weighted(ours, GRAY)) - np.mean(weighted(truth, GRAY))))


METRIC = Metric(
    name="brightness",
    summary="Absolute error of the mean brightness (AMBE).",
    paper="Chen, Ramli, IEEE Transactions on Consumer Electronics 2003",
    better="lower",
    low=0.0,
    high=255.0,
    reference="truth",
    channels=("gray",),
    smallest=1,
    run=brightness,
    unit="grey levels",
)
