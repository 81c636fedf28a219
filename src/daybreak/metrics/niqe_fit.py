"""A pristine model for NIQE from sharp photographs of one's own, free of anybody else's terms.

Source: Mittal, Soundararajan, Bovik, IEEE SPL 2013: the features of the blocks whose sharpness is over 0.75
of that of the sharpest block in the same photograph, their mean and their covariance. Scores of two models
are not comparable; the model's name stands beside each score.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from daybreak.errors import MetricError
from daybreak.files import write_whole
from daybreak.metrics.niqe import BLOCK, FEATURES, PristineModel, block_features, block_sharpness, window
from daybreak.metrics.planes import Levels, channels, levels
from daybreak.types import Array

SHARP = 0.75


def sharp_features(picture: Array) -> Levels:
    """The features of a photograph's sharp blocks of 96×96, N×36; N is 0 for one smaller than a block.

    Args:
        picture: H×W×3 or H×W; uint8, uint16 or float in [0, 1].

    Raises:
        MetricError: no picture.
    """
    plane = channels(levels(picture), "gray")[0]
    features = block_features(plane)
    if not len(features):
        return features
    sharpness = block_sharpness(plane)
    chosen: Levels = features[(sharpness > SHARP * sharpness.max()) & ~np.isnan(features).any(axis=1)]
    return chosen


def fit_pristine(pictures: Iterable[Array], name: str) -> PristineModel:
    """Fit a model to undistorted photographs; a hundred of them, of many subjects, make a good one.

    Args:
        pictures: each H×W×3 or H×W; uint8, uint16 or float in [0, 1]. One at a time is held.
        name: of the model.

    Raises:
        MetricError: no picture among them, or no more sharp blocks than features, which would leave the
            covariance without an inverse.
    """
    rows = np.vstack([np.zeros((0, FEATURES)), *map(sharp_features, pictures)])
    if len(rows) <= FEATURES:
        raise MetricError(
            f"photographs with {len(rows)} sharp blocks of {BLOCK}×{BLOCK} pixels",
            f"at least {FEATURES + 1}",
            "Give more or larger ones",
        )
    return PristineModel(name, rows.mean(axis=0), np.cov(rows, rowvar=False))


def save_pristine(model: PristineModel, path: Path, *, overwrite: bool = False) -> None:
    """Write a model as `load_pristine` reads it: an .npz with the names and shapes of the published one.

    Raises:
        OutputExists: there is a file and `overwrite` is False.
        UnwritablePicture: no such folder, no permission, no space.
    """
    file = io.BytesIO()
    np.savez(
        file,
        mu_pris_param=model.mean.reshape(1, FEATURES),
        cov_pris_param=model.covariance,
        gaussian_window=window(),
    )
    write_whole(path, file.getvalue(), overwrite=overwrite)
