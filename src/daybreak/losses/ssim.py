"""Structural similarity as a loss, with the window and constants of the metric.

Source: Wang, Bovik, Sheikh, Simoncelli, "Image Quality Assessment", IEEE TIP 2004; for its use as a loss
Zhao, Gallo, Frosio, Kautz, "Loss Functions for Image Restoration with Neural Networks", IEEE TCI 2017.
"""

from __future__ import annotations

import torch
from torch import Tensor

WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2


def _band(length: int, like: Tensor) -> Tensor:
    """(length − 10)×length: each row the window, one pixel further along."""
    rows = torch.arange(length - WINDOW + 1, device=like.device)[:, None]
    away = torch.arange(length, device=like.device) - rows - WINDOW // 2
    window = torch.exp(-away.float().square() / (2 * SIGMA**2)) * (away.abs() <= WINDOW // 2)
    return window / window.sum(1, keepdim=True)


def _means(planes: Tensor) -> Tensor:
    """Gaussian means over all windows that lie inside, by products of matrices.

    On a CPU a convolution of one channel takes some 20 times as long.
    """
    return _band(planes.shape[2], planes) @ planes @ _band(planes.shape[3], planes).T


def unlike(output: Tensor, reference: Tensor) -> Tensor:
    """1 − SSIM, the mean over pictures and channels, a scalar in [0, 2].

    Args:
        output, reference: B×C×H×W for [0, 1], clamped or not, sides of 11 pixels at least.
    """
    a, b = output.float(), reference.float()
    count = len(a)
    with torch.autocast(a.device.type, enabled=False):
        means = _means(torch.cat([a, b, a * a, b * b, a * b]))
    mean1, mean2, square1, square2, product = means.reshape(5, count, *means.shape[1:])
    variances = square1 - mean1 * mean1 + square2 - mean2 * mean2
    luminance = (2 * mean1 * mean2 + C1) / (mean1 * mean1 + mean2 * mean2 + C1)
    structure = (2 * (product - mean1 * mean2) + C2) / (variances + C2)
    alike: Tensor = (luminance * structure).mean()
    return 1.0 - alike
