"""Denoising of one plane by the similarity of patches."""

from __future__ import annotations

import cv2
import numpy as np

from daybreak.errors import DaybreakError
from daybreak.types import Plane

_LEVELS = 65535.0
_STRENGTH = (
    0.8  # of the filter over the noise's deviation: leaves least of white noise without blurring a step
)
_PATCH, _SEARCH = 7, 21  # px, sides of the squares that are compared and looked through

REACH = _PATCH // 2 + _SEARCH // 2
"""Pixels around a place that `non_local_means` looks at."""


def non_local_means(plane: Plane, sigma: float) -> Plane:
    """Non-local means (Buades, Coll, Morel, CVPR 2005) by OpenCV, in 16 bits.

    Args:
        plane: H×W float32 in [0, 1].
        sigma: standard deviation of the noise, on the scale of the plane.

    Returns:
        H×W float32 in [0, 1].
    """
    levels = np.rint(plane * np.float32(_LEVELS)).astype(np.uint16)
    strength = [float(_STRENGTH * sigma * _LEVELS)]
    out = cv2.fastNlMeansDenoising(levels, strength, None, _PATCH, _SEARCH, cv2.NORM_L1)
    return np.asarray(out / np.float32(_LEVELS), dtype=np.float32).reshape(plane.shape)


def bm3d(plane: Plane, sigma: float) -> Plane:
    """BM3D (Dabov, Foi, Katkovnik, Egiazarian, TIP 2007) by its authors' package, which the user installs.

    Args, Returns: as `non_local_means`.

    Raises:
        DaybreakError: the package is not there.
    """
    try:
        from bm3d import bm3d as run
    except ImportError:
        raise DaybreakError(
            "BM3D is not installed: it is for non-commercial use only, so daybreak does not bring it",
            hint="Type: pip install bm3d, or use nlm instead",
        ) from None
    clean = np.clip(run(plane.astype(np.float64), sigma), 0, 1)
    return np.asarray(clean, dtype=np.float32).reshape(plane.shape)
