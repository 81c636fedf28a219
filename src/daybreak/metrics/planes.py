"""What every metric does first: check the pictures, bring them to grey levels 0 to 255, take a channel.

A picture is H×W or H×W×3 (RGB, sRGB-encoded): uint8, uint16, or float in [0, 1]. Nothing is rounded here;
rounding to 8 bits is a matter of protocol and is done before a picture is scored.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from daybreak.errors import MetricError
from daybreak.types import Array

Levels: TypeAlias = NDArray[np.float64]
"""Float64 in [0, 255], whatever the bit depth of the picture."""

Channel: TypeAlias = Literal["rgb", "gray", "y"]

GRAY = (0.298936, 0.587043, 0.114021)  # MATLAB's rgb2gray
GRAY_OPENCV = (0.299, 0.587, 0.114)
STUDIO_Y = (65.481 / 255, 128.553 / 255, 24.966 / 255)  # BT.601, 16 to 235


def levels(picture: Array, smallest: int = 1) -> Levels:
    """Check a picture and bring it to float64 grey levels.

    Args:
        picture: H×W or H×W×3; uint8, uint16 or float in [0, 1].
        smallest: the least side that the metric can score, in pixels.

    Raises:
        MetricError: another shape or dtype, values that are not finite or out of range, or too small.
    """
    if not isinstance(picture, np.ndarray) or not (
        picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 3)
    ):
        shape = getattr(picture, "shape", type(picture).__name__)
        raise MetricError(f"a picture of shape {shape}", "an array of H×W or H×W×3")
    if min(picture.shape[:2]) < smallest or not picture.size:
        height, width = picture.shape[:2]
        raise MetricError(f"a picture of {width}×{height} pixels", f"at least {smallest} on each side")
    if picture.dtype == np.uint8:
        return picture.astype(np.float64)
    if picture.dtype == np.uint16:
        return picture / 257.0
    if not np.issubdtype(picture.dtype, np.floating):
        raise MetricError(f"a picture of dtype {picture.dtype}", "uint8, uint16 or float in [0, 1]")
    low, high = float(picture.min()), float(picture.max())  # NaN shows up in both
    if not (low >= 0.0 and high <= 1.0):
        raise MetricError(f"float pixels between {low:g} and {high:g}", "finite values in [0, 1]")
    return picture.astype(np.float64) * 255.0


def both(output: Array, reference: Array, smallest: int = 1) -> tuple[Levels, Levels]:
    """Two pictures as grey levels.

    Raises:
        MetricError: one is no picture, or their shapes differ.
    """
    ours, truth = levels(output, smallest), levels(reference, smallest)
    if ours.shape != truth.shape:
        raise MetricError(
            f"an output of shape {ours.shape} and a reference of {truth.shape}", "two pictures of one shape"
        )
    return ours, truth


def weighted(picture: Levels, weights: tuple[float, float, float]) -> Levels:
    """H×W: the weighted sum of the channels; a picture that is H×W already comes back as it is."""
    return picture if picture.ndim == 2 else picture @ np.array(weights)


def gray(picture: Levels) -> Levels:
    """H×W: gray in whole levels, as MATLAB's rgb2gray gives it for 8-bit pictures.

    The rounding is part of the published figures: without it SSIM moves by 0.001 and PCQI by 0.005 on dark
    pictures. A picture that is H×W already comes back as it is.
    """
    return picture if picture.ndim == 2 else np.rint(weighted(picture, GRAY))


def channels(picture: Levels, channel: Channel) -> list[Levels]:
    """The planes that a metric looks at: three for rgb, one for gray and y.

    A gray (H×W) picture has one plane, whose y is that of R = G = B.

    Raises:
        MetricError: an unknown channel.
    """
    if channel == "rgb":
        return [picture] if picture.ndim == 2 else [np.ascontiguousarray(picture[..., c]) for c in range(3)]
    if channel == "gray":
        return [gray(picture)]
    if channel == "y":
        scale = sum(STUDIO_Y)
        return [16.0 + (picture * scale if picture.ndim == 2 else weighted(picture, STUDIO_Y))]
    raise MetricError(f"the channel {channel!r}", "rgb, gray or y")


def whole_levels(picture: Levels) -> NDArray[np.uint8]:
    """Round to the nearest whole grey level, halves up as MATLAB does."""
    return np.floor(picture + 0.5).astype(np.uint8)


def valid_means(plane: Levels) -> Levels:
    """Mean under an 11×11 Gaussian window of σ = 1.5 wherever it lies inside: (H-10)×(W-10), float64.

    Args:
        plane: H×W, at least 11 on each side.
    """
    window = cv2.getGaussianKernel(11, 1.5, cv2.CV_64F)  # sums to 1
    blurred = cv2.sepFilter2D(plane, cv2.CV_64F, window, window)
    return np.asarray(blurred, np.float64)[5:-5, 5:-5]
