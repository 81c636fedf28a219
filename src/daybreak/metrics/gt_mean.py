"""GT-mean: a switch of the protocol, never a metric.

Some published tables scale each output to the mean brightness of its reference before they score it (LLFlow,
several diffusion papers, KinD through its ratio). On LOL it raises PSNR by 1.6 to 11 dB, so a score with it
is never put beside one without.
"""

from __future__ import annotations

import numpy as np

from daybreak.metrics.planes import GRAY_OPENCV, Levels, both, weighted
from daybreak.types import Array


def gt_mean(output: Array, reference: Array) -> Levels:
    """Scale the output to the reference's mean gray, by one factor for the whole picture.

    Args:
        output, reference: H×W×3 or H×W of one shape; uint8, uint16 or float in [0, 1].

    Returns:
        The output's shape, float64 in [0, 1], clipped and not rounded; the output itself where it is all
        black.

    Raises:
        MetricError: no pictures, or of different shapes.
    """
    ours, truth = both(output, reference)
    mean = float(weighted(ours, GRAY_OPENCV).mean())
    ratio = float(weighted(truth, GRAY_OPENCV).mean()) / mean if mean > 0.0 else 1.0
    # in this order equal pictures stay equal: v / 255 · 255 is v for every 8-bit level, v · (1/255) · 255 not
    return np.minimum(ours * ratio / 255.0, 1.0)
