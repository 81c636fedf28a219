"""Peak signal-to-noise ratio."""

from __future__ import annotations

import math

import numpy as np

from daybreak.metrics.base import Metric
from daybreak.metrics.planes import Channel, both, channels
from daybreak.types import Array


def psnr(output: Array, reference: Array, channel: Channel = "rgb") -> float:
    """10 log10(255² / MSE), the error taken over all pixels and channels together.

    Args:
        output, reference: H×W×3 or H×W of one shape; uint8, uint16 or float in [0, 1].
        channel: "rgb" (all three), "gray" or "y" (BT.601 studio luma; the peak stays 255).

    Returns:
        dB; infinity for equal pictures.

    Raises:
        MetricError: no pictures, or of different shapes.
    """
    ours, truth = both(output, reference)
    squares = [
        np.mean(np.square(a - b))
        for a, b in zip(channels(ours, channel), channels(truth, channel), strict=True)
    ]
    error = float(np.mean(squares))
    return math.inf if error == 0.0 else 10.0 * math.log10(255.0**2 / error)


METRIC = Metric(
    name="psnr",
    summary="Peak signal-to-noise ratio over all pixels and channels.",
    paper="",
    better="higher",
    low=0.0,
    high=math.inf,
    reference="truth",
    channels=("rgb", "gray", "y"),
    smallest=1,
    run=psnr,
    unit="dB",
)
