"""Metrics: one file each, pure functions on arrays; only LPIPS needs torch, and only when it is called.

>>> import numpy as np
>>> from daybreak import metrics
>>> gray = np.full((32, 32, 3), 100, np.uint8)
>>> round(metrics.psnr(gray + 1, gray), 2)
48.13
"""

from daybreak.metrics.base import Metric
from daybreak.metrics.brightness import brightness
from daybreak.metrics.ciede2000 import ciede2000
from daybreak.metrics.gt_mean import gt_mean
from daybreak.metrics.loe import loe
from daybreak.metrics.lpips import LpipsModel, load_lpips, lpips
from daybreak.metrics.mae import mae
from daybreak.metrics.niqe import PristineModel, load_pristine, load_published, niqe
from daybreak.metrics.niqe_fit import fit_pristine, save_pristine
from daybreak.metrics.pcqi import pcqi
from daybreak.metrics.psnr import psnr
from daybreak.metrics.registry import METRICS, get_metric, list_metrics
from daybreak.metrics.ssim import ssim

__all__ = [
    "METRICS",
    "LpipsModel",
    "Metric",
    "PristineModel",
    "brightness",
    "ciede2000",
    "fit_pristine",
    "get_metric",
    "gt_mean",
    "list_metrics",
    "load_lpips",
    "load_pristine",
    "load_published",
    "loe",
    "lpips",
    "mae",
    "niqe",
    "pcqi",
    "psnr",
    "save_pristine",
    "ssim",
]
