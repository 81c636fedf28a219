"""The explicit list of every metric, and the look-ups over it."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from daybreak.errors import RegistryError, UnknownName
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


def index(metrics: Iterable[Metric]) -> dict[str, Metric]:
    """Name -> metric, in the order given.

    Raises:
        RegistryError: a name stands twice.
    """
    table: dict[str, Metric] = {}
    for metric in metrics:
        if metric.name in table:
            raise RegistryError(f"two metrics are named {metric.name!r}", "one name, one metric")
        table[metric.name] = metric
    return table


_BY_NAME = index(METRICS)


def get_metric(name: str) -> Metric:
    """The metric of that name.

    Raises:
        UnknownName: there is none; the error carries the nearest names.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownName("metric", name, _BY_NAME) from None


def list_metrics(pattern: str = "*") -> list[str]:
    """Names of the metrics that match a shell pattern, in the registry's order.

    >>> list_metrics("p*")
    ['psnr', 'pcqi']
    """
    return [name for name in _BY_NAME if fnmatchcase(name, pattern)]
