"""Scores of a network for its card: PSNR and SSIM, with and without GT-mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from daybreak.metrics.gt_mean import gt_mean
from daybreak.metrics.psnr import psnr
from daybreak.metrics.ssim import ssim
from daybreak.training.pictures import Bytes
from daybreak.types import Pixels
from daybreak.weights.card import Score

Pair: TypeAlias = tuple[Bytes, Bytes]
"""Dark picture and reference, H×W×3 uint8."""

PROTOCOL = "RGB, 8 bit after clipping and rounding, no crop, mean over images, "


@dataclass(frozen=True)
class Measured:
    """Means over some pairs; see `PROTOCOL`.

    Attributes:
        images: how many pairs.
        psnr, ssim: in dB, and in [−1, 1].
        psnr_gt_mean, ssim_gt_mean: with each output scaled to its reference's mean first.
    """

    images: int
    psnr: float
    ssim: float
    psnr_gt_mean: float
    ssim_gt_mean: float


def measure(run: Callable[[Pixels], Pixels], pairs: Sequence[Pair]) -> Measured:
    """Score what turns H×W×3 float32 in [0, 1] into the same.

    Raises:
        ValueError: no pairs.
    """
    if not pairs:
        raise ValueError("there are no pairs to score on")
    rows = []
    for low, high in pairs:
        made = np.rint(run(low.astype(np.float32) / np.float32(255)) * 255.0).astype(np.uint8)
        scaled = gt_mean(made, high)
        rows.append((psnr(made, high), ssim(made, high), psnr(scaled, high), ssim(scaled, high)))
    return Measured(len(pairs), *(float(value) for value in np.mean(rows, axis=0)))


def score_lines(dataset: str, measured: Measured) -> list[Score]:
    """The two lines of a card."""
    kinds = (
        ("no GT-mean", measured.psnr, measured.ssim),
        ("with GT-mean", measured.psnr_gt_mean, measured.ssim_gt_mean),
    )
    return [
        Score(
            dataset=dataset,
            images=measured.images,
            protocol=PROTOCOL + kind,
            psnr=round(decibels, 3),
            ssim=round(likeness, 4),
        )
        for kind, decibels, likeness in kinds
    ]
