"""Natural image quality evaluator: how far a picture's local statistics are from those of sharp photographs.

Source: Mittal, Soundararajan, Bovik, "Making a Completely Blind Image Quality Analyzer", IEEE SPL 2013, and
its published listing. Everything is float64 and the half-size picture is made as MATLAB makes it: float32
filters move the score by up to 0.002, another resize by more. The pristine model of MATLAB's own `niqe` is
another one, whose values differ by up to a factor of two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from daybreak import assets
from daybreak.errors import MetricError
from daybreak.image.resize import resize_bicubic
from daybreak.metrics.base import Metric
from daybreak.metrics.planes import Levels, channels, levels
from daybreak.types import Array

BLOCK = 96  # px at full size; half of it at half size
SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))
FEATURES = 36


@dataclass(frozen=True)
class PristineModel:
    """The statistics of undistorted photographs.

    Attributes:
        name: stands beside each score, for scores of different models are not comparable.
        mean: 36.
        covariance: 36×36.
    """

    name: str
    mean: Levels
    covariance: Levels


def load_pristine(path: Path, name: str = "published") -> PristineModel:
    """Read a model from an .npz with `mu_pris_param` (1×36) and `cov_pris_param` (36×36).

    Raises:
        MetricError: the file is missing or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            mean = np.asarray(stored["mu_pris_param"], np.float64).reshape(FEATURES)
            covariance = np.asarray(stored["cov_pris_param"], np.float64).reshape(FEATURES, FEATURES)
    except (OSError, KeyError, ValueError, TypeError, AttributeError, BadZipFile) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "they hold something else"
        raise MetricError(
            f"the NIQE parameters {path} cannot be used ({why})",
            "an .npz with mu_pris_param and cov_pris_param",
        ) from None
    return PristineModel(name, mean, covariance)


def load_published() -> PristineModel:
    """The published model, from the cache of assets.

    Raises:
        MissingAsset: it was not fetched; the hint is the line to type.
        AssetError: the file is damaged.
    """
    return load_pristine(assets.require("niqe-pristine"))


def niqe(output: Array, model: PristineModel, channel: Literal["gray", "y"] = "gray") -> float:
    """Distance of a picture's statistics from the model's; lower is better, about 2 to 10.

    Args:
        output: H×W×3 or H×W of at least two whole blocks of 96×96; uint8, uint16 or float in [0, 1].
        model: from `load_pristine`.
        channel: "gray" (MATLAB's rgb2gray, as in the authors' release) or "y" (as in several toolboxes).

    Raises:
        MetricError: no picture, or fewer than two blocks that have any texture.
    """
    features = block_features(channels(levels(output), channel)[0])
    whole = features[~np.isnan(features).any(axis=1)]
    if len(whole) < 2:
        height, width = output.shape[:2]
        raise MetricError(
            f"a picture of {width}×{height} pixels with {len(whole)} textured block(s) of {BLOCK}×{BLOCK}",
            "at least two, for their covariance",
        )
    offset = model.mean - np.nanmean(features, axis=0)
    spread = (model.covariance + np.cov(whole, rowvar=False)) / 2
    return float(math.sqrt(offset @ np.linalg.pinv(spread) @ offset))


def block_features(plane: Levels) -> Levels:
    """The 36 features of each whole 96×96 block, N×36; NaN where a block has no texture.

    Args:
        plane: H×W in 0 to 255; rounded, and what is beyond the last whole block is left away.
    """
    height, width = (side // BLOCK * BLOCK for side in plane.shape)
    if not height or not width:
        return np.zeros((0, FEATURES))
    # halves to the even neighbour: the published NumPy figures round so
    whole = np.rint(plane[:height, :width])
    half = resize_bicubic(whole, 0.5)
    return np.hstack([_features(whole, BLOCK), _features(half, BLOCK // 2)])


def block_sharpness(plane: Levels) -> Levels:
    """Mean local standard deviation of each block, N, in grey levels; the blocks of `block_features`."""
    height, width = (side // BLOCK * BLOCK for side in plane.shape)
    _, deviation = _moments(np.rint(plane[:height, :width]))
    return np.asarray(_blocks(deviation, BLOCK).mean(axis=(1, 2)))


def _features(plane: Levels, block: int) -> Levels:
    """18 features of each block: of the contrast-normalised values and of their products with neighbours."""
    mean, deviation = _moments(plane)
    blocks = _blocks((plane - mean) / (deviation + 1.0), block)
    shape, left, right = asymmetric_fit(blocks)
    found = [shape, (left + right) / 2]
    for shift in SHIFTS:
        shape, left, right = asymmetric_fit(blocks * np.roll(blocks, shift, axis=(1, 2)))
        mean_of_fit = (right - left) * _gamma_ratio(shape)
        found += [shape, mean_of_fit, left, right]
    return np.stack(found, axis=1)


def _moments(plane: Levels) -> tuple[Levels, Levels]:
    """Mean and standard deviation around each pixel."""
    mean = _means(plane)
    return mean, np.sqrt(np.abs(_means(plane * plane) - mean * mean))


def _blocks(plane: Levels, side: int) -> Levels:
    """N×side×side, row by row, of a plane of whole blocks."""
    rows, columns = (length // side for length in plane.shape)
    return plane.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)


def _means(plane: Levels) -> Levels:
    """Mean under a 7×7 Gaussian window of σ = 7/6, replicated border.

    Not separated into rows and columns: in flat areas the features are those of the rounding errors, and
    only one pass over the window rounds as the published listing does (astronaut in y: 3.10, not 3.07).
    """
    return np.asarray(cv2.filter2D(plane, cv2.CV_64F, window(), borderType=cv2.BORDER_REPLICATE))


def window() -> Levels:
    """The 7×7 Gaussian of σ = 7/6 that the statistics are taken under; sums to 1."""
    line = np.asarray(cv2.getGaussianKernel(7, 7 / 6, cv2.CV_64F), np.float64)
    return line @ line.T


def asymmetric_fit(blocks: Levels) -> tuple[Levels, Levels, Levels]:
    """Fit an asymmetric generalised Gaussian to each block by moments.

    Args:
        blocks: N×b×b.

    Returns:
        Shape α and the left and right scales β, each N; NaN where a block has no negative or no positive
        value.
    """
    flat = blocks.reshape(len(blocks), -1)
    squares = flat * flat
    with np.errstate(divide="ignore", invalid="ignore"):  # 0/0 is the NaN that marks a flat block
        left = np.sqrt((squares * (flat < 0)).sum(axis=1) / (flat < 0).sum(axis=1))
        right = np.sqrt((squares * (flat > 0)).sum(axis=1) / (flat > 0).sum(axis=1))
        ratio = left / right
        moments = np.abs(flat).mean(axis=1) ** 2 / squares.mean(axis=1)
        moments = moments * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    grid, table, scale, _ = _tables()
    usable = np.isfinite(moments)
    after = np.clip(np.searchsorted(table, np.where(usable, moments, 0.0)), 1, len(table) - 1)
    nearest = after - (np.abs(table[after - 1] - moments) <= np.abs(table[after] - moments))
    shape = np.where(usable, grid[nearest], np.nan)
    stretch = np.where(usable, scale[nearest], np.nan)
    return shape, left * stretch, right * stretch


def _gamma_ratio(shape: Levels) -> Levels:
    """Γ(2/α) / Γ(1/α) for shapes on the grid."""
    grid, _, _, ratio = _tables()
    usable = np.isfinite(shape)
    index = np.rint((np.where(usable, shape, grid[0]) - grid[0]) * 1000).astype(np.intp)
    return np.where(usable, ratio[index], np.nan)


@cache
def _tables() -> tuple[NDArray[np.float64], ...]:
    """Over the grid of shapes 0.2, 0.201 … 10: the shapes, ρ (rising), √(Γ(1/α)/Γ(3/α)) and Γ(2/α)/Γ(1/α)."""
    grid = 0.2 + np.arange(9801) / 1000
    one, two, three = (np.array([math.gamma(k / shape) for shape in grid]) for k in (1, 2, 3))
    return grid, two**2 / (one * three), np.sqrt(one / three), two / one


METRIC = Metric(
    name="niqe",
    summary="Natural image quality evaluator: no reference needed.",
    paper="Mittal, Soundararajan, Bovik, IEEE Signal Processing Letters 2013",
    better="lower",
    low=0.0,
    high=math.inf,
    reference="none",
    channels=("gray", "y"),
    smallest=BLOCK,
    run=niqe,
    asset="niqe-pristine",
    load=load_published,
)
