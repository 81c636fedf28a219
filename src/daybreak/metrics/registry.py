"""The explicit list of every metric, and the look-ups over it."""

from __future__ import annotations

from daybreak.listing import index, look_up, matching
from daybreak.metrics.base import Metric
from daybreak.metrics.brightness import METRIC as BRIGHTNESS
from daybreak.metrics.ciede2000 import METRIC as CIEDE2000
from daybreak.metrics.loe import METRIC as LOE
from daybreak.metrics.lpips import METRICS as LPIPS
from daybreak.metrics.mae import METRIC as MAE
from daybreak.metrics.niqe import METRIC as NIQE
from daybreak.metrics.pcqi import METRIC as PCQI
from daybreak.metrics.psnr import METRIC as PSNR
from daybreak.metrics.ssim import METRIC as SSIM

METRICS: tuple[Metric, ...] = (PSNR, SSIM, MAE, BRIGHTNESS, CIEDE2000, LOE, PCQI, NIQE, *LPIPS)


_BY_NAME = index("metric", METRICS, lambda metric: metric.name)


def get_metric(name: str) -> Metric:
    """The metric of that name.

    Raises:
        UnknownName: there is none; the error carries the nearest names.
    """
    return look_up("metric", name, _BY_NAME)


def list_metrics(pattern: str = "*") -> list[str]:
    """Names of the metrics that match a shell pattern, in the registry's order.

    >>> list_metrics("p*")
    ['psnr', 'pcqi']
    """
    return matching(pattern, _BY_NAME)
