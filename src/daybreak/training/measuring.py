"""Scores of a network, for the table at a run's end and for a weight's card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from daybreak.errors import MetricError
from daybreak.metrics.gt_mean import gt_mean
from daybreak.metrics.psnr import psnr
from daybreak.metrics.ssim import ssim
from daybreak.training.pictures import Bytes
from daybreak.types import Array
from daybreak.weights.card import Score

Pair: TypeAlias = tuple[Bytes, Bytes]
"""Dark picture and reference, H×W×3 uint8."""

PROTOCOL = "RGB, 8 bit after clipping and rounding, no crop, mean over images, "


@dataclass(frozen=True)
class Measured:
    """Means over some pairs; see `PROTOCOL`.

    Attributes:
        images: how many pairs.
        psnr, ssim: in dB, and in [−1, 1]; None where a picture is smaller than SSIM's window.
        psnr_gt_mean, ssim_gt_mean: with each output scaled to its reference's mean first.
    """

    images: int
    psnr: float
    ssim: float | None
    psnr_gt_mean: float
    ssim_gt_mean: float | None


def measure(run: Callable[[Bytes], Bytes], pairs: Sequence[Pair]) -> Measured:
    """Score what turns a dark picture, H×W×3 uint8, into a bright one.

    Raises:
        ValueError: no pairs.
    """
    if not pairs:
        raise ValueError("there are no pairs to score on")
    rows = []
    for low, high in pairs:
        made = run(low)
        scaled = gt_mean(made, high)
        rows.append((psnr(made, high), _ssim(made, high), psnr(scaled, high), _ssim(scaled, high)))
    bright, alike, bright_scaled, alike_scaled = map(float, np.mean(rows, axis=0))
    return Measured(len(pairs), bright, _known(alike), bright_scaled, _known(alike_scaled))


def _ssim(output: Array, reference: Array) -> float:
    try:
        return ssim(output, reference)
    except MetricError:  # a picture smaller than the window
        return float("nan")


def _known(mean: float) -> float | None:
    return None if np.isnan(mean) else mean


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
            ssim=None if likeness is None else round(likeness, 4),
        )
        for kind, decibels, likeness in kinds
    ]
