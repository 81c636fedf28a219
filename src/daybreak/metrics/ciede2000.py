"""Colour difference CIEDE2000.

Source: CIE 142-2001; Sharma, Wu, Dalal, "The CIEDE2000 Color-Difference Formula: Implementation Notes,
Supplementary Test Data, and Mathematical Observations", Color Research and Application 2005, eq. 2 to 22.
"""

from __future__ import annotations

import math

import numpy as np

from daybreak.metrics.base import Metric
from daybreak.metrics.planes import Levels, both
from daybreak.types import Array

# IEC 61966-2-1 primaries; white is D65 of the 2° observer, the sum of the rows
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def ciede2000(output: Array, reference: Array) -> float:
    """Mean CIEDE2000 difference over the pixels, kL = kC = kH = 1.

    Args:
        output, reference: H×W×3 or H×W of one shape, sRGB; uint8, uint16 or float in [0, 1].

    Returns:
        0 for equal pictures; 1 is about the least difference that an eye sees, 100 black against white.

    Raises:
        MetricError: no pictures, or of different shapes.
    """
    ours, truth = both(output, reference)
    return float(difference(to_lab(ours), to_lab(truth)).mean())


def to_lab(picture: Levels) -> Levels:
    """H×W×3 or H×W grey levels of sRGB to CIELAB under D65, H×W×3."""
    encoded = (picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)) / 255.0
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    ratio = linear @ (TO_XYZ / TO_XYZ.sum(axis=1, keepdims=True)).T
    knee = 6 / 29
    f = np.where(ratio > knee**3, np.cbrt(ratio), ratio / (3 * knee**2) + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def difference(first: Levels, second: Levels) -> Levels:
    """CIEDE2000 between two arrays of CIELAB colours, …×3 each, giving the shape …"""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(first, -1, 0), np.moveaxis(second, -1, 0)
    grey = 1.5 - 0.5 * _saturation((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2)  # 1 + G, eq. 4
    chroma1, chroma2 = np.hypot(grey * a1, b1), np.hypot(grey * a2, b2)
    hue1, hue2 = _degrees(b1, grey * a1), _degrees(b2, grey * a2)
    coloured = (chroma1 > 0) & (chroma2 > 0)

    turn, apart = hue2 - hue1, np.abs(hue2 - hue1) > 180
    turn = np.where(coloured, turn - 360 * np.sign(turn) * apart, 0.0)  # eq. 10
    hue = np.where(coloured, ((hue1 + hue2) / 2 + 180 * apart) % 360, hue1 + hue2)  # eq. 14
    chroma, lightness = (chroma1 + chroma2) / 2, (l1 + l2) / 2
    delta_hue = 2 * np.sqrt(chroma1 * chroma2) * np.sin(np.radians(turn) / 2)  # eq. 11

    off = (lightness - 50) ** 2
    by_lightness = (l2 - l1) / (1 + 0.015 * off / np.sqrt(20 + off))
    by_chroma = (chroma2 - chroma1) / (1 + 0.045 * chroma)
    by_hue = delta_hue / (1 + 0.015 * chroma * _hue_weight(hue))
    rotation = (
        -np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2)))) * 2 * _saturation(chroma)
    )  # eq. 19
    squared = by_lightness**2 + by_chroma**2 + by_hue**2 + rotation * by_chroma * by_hue
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))


def _saturation(chroma: Levels) -> Levels:
    seventh = chroma**7
    return np.sqrt(seventh / (seventh + 25.0**7))


def _degrees(y: Levels, x: Levels) -> Levels:
    return np.degrees(np.arctan2(y, x)) % 360


def _hue_weight(hue: Levels) -> Levels:
    """T of eq. 15; hue in degrees."""
    terms = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    waves = [weight * np.cos(np.radians(times * hue + shift)) for weight, times, shift in terms]
    return np.asarray(1 + sum(waves))


METRIC = Metric(
    name="ciede2000",
    summary="Mean CIEDE2000 colour difference.",
    paper="Sharma, Wu, Dalal, Color Research and Application 2005",
    better="lower",
    low=0.0,
    high=math.inf,
    reference="truth",
    channels=("rgb",),
    smallest=1,
    run=ciede2000,
)
