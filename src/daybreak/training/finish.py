"""What a run that did all its steps leaves behind: the validation table and a sheet of samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from daybreak.files import write_whole
from daybreak.networks.base import Network
from daybreak.training.material import Material
from daybreak.training.measuring import measure
from daybreak.training.pictures import Bytes, spread
from daybreak.training.report import Row
from daybreak.training.scoring import enhance

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
    found = measure(lambda low: enhance(network, low), pairs)
    return Row(checkpoint, step, found.images, found.psnr, found.ssim, found.psnr_gt_mean, found.ssim_gt_mean)


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
