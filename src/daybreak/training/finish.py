"""What a run that did all its steps leaves behind: the validation table and a sheet of samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from daybreak.errors import MetricError
from daybreak.files import write_whole
from daybreak.metrics.gt_mean import gt_mean
from daybreak.metrics.psnr import psnr
from daybreak.metrics.ssim import ssim
from daybreak.networks.base import Network
from daybreak.training.material import Material
from daybreak.training.pictures import Bytes, spread
from daybreak.training.report import Row
from daybreak.training.scoring import enhance
from daybreak.types import Array

SHEET = "samples.png"
WIDEST = 320
"""px, long side of a picture on the sheet."""


def validate(network: Network, pairs: Sequence[tuple[Bytes, Bytes]], checkpoint: str, step: int) -> Row:
    """Score a network on validation pairs, with and without GT-mean.

    Args:
        network: whose exported part is scored.
        pairs: low and high of H×W×3 uint8, one at least.
        checkpoint, step: for the row.
    """
    scores = []
    for low, high in pairs:
        output = enhance(network, low)
        scaled = np.rint(gt_mean(output, high) * 255).astype(np.uint8)
        scores.append([psnr(output, high), _ssim(output, high), psnr(scaled, high), _ssim(scaled, high)])
    means = np.mean(scores, axis=0)
    values = [None if np.isnan(mean) else float(mean) for mean in means]
    return Row(checkpoint, step, len(pairs), float(means[0]), values[1], float(means[2]), values[3])


def _ssim(output: Array, reference: Array) -> float:
    try:
        return ssim(output, reference)
    except MetricError:  # a picture smaller than the window
        return float("nan")


def draw_sheet(network: Network, material: Material, path: Path, rows: int = 8) -> None:
    """Write a PNG whose rows are input, output and, where there is one, reference.

    Args:
        network: makes the outputs.
        material: its validation pairs are shown; where there are none, what it learned from.
        path: of the PNG; what is there is replaced.
        rows: how many at most, spread evenly over all there are.

    Raises:
        UnwritablePicture: it cannot be written.
    """
    shown: list[tuple[Bytes, ...]] = [*spread(material.pairs, rows)]
    if not shown:
        shown = [(picture,) for picture in spread([*(material.lows or material.clean).values()], rows)]
    lines = [_line(low, enhance(network, low), *reference) for low, *reference in shown]
    width = max(line.shape[1] for line in lines)
    sheet = np.concatenate([np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0))) for line in lines])
    coded = cv2.imencode(".png", sheet[:, :, ::-1])[1]
    write_whole(path, coded.tobytes(), overwrite=True)


def _line(*pictures: Bytes) -> Bytes:
    """Pictures side by side, each as large as the first comes out."""
    height, width = pictures[0].shape[:2]
    factor = min(1.0, WIDEST / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    cells = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.asarray(np.concatenate(cells, axis=1), np.uint8)
