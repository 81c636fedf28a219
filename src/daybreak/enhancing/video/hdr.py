"""HDR levels (PQ and HLG) as a plain picture shows them, and back with the highlights where they were.

A method takes 1 for white. In HDR, white is the middle of the scale: 203 cd/m², and what is brighter is light
itself, a lamp or the sun. So a method is given the picture up to that white, as sRGB levels. Its result is
put back on the scale, and a highlight is as many times brighter than white as it was before.

Sources: SMPTE ST 2084 (PQ), ITU-R BT.2100 (HLG, its system gamma of 1.2 for 1000 cd/m² taken per channel),
ITU-R BT.2408 (white at 203 cd/m², 0.75 of HLG's signal). Primaries stay as they are, as those of any film.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from daybreak.image.color import linear_to_srgb, srgb_to_linear
from daybreak.image.rows import Levels
from daybreak.types import Array

PQ, HLG = 16, 18
"""Transfer characteristics, as H.273 numbers them."""

_TOP = 65535
_WHITE, _PEAK = 203.0, 10_000.0  # cd/m²
_WHITE_HLG = 0.75


class _Scale(NamedTuple):
    """One of the two scales, at each of 65536 levels.

    Attributes:
        light: in units of white, rising.
        shown: the sRGB level that a method is given.
        back: the level of this scale for each sRGB level.
        white: the first level that is brighter than white.
        linear: light of each sRGB level.
    """

    light: Array
    shown: Array
    back: Array
    white: int
    linear: Array


def shown_levels(levels: Levels, transfer: int) -> Levels:
    """What a method is given: 16-bit HDR levels as sRGB levels, cut at white."""
    return Levels(_scale(transfer).shown[levels.whole], _TOP)


def put_back(made: Array, before: Array, transfer: int) -> Array:
    """A result on the scale that its frame had.

    Args:
        made: H×W×3 uint16, sRGB, the method's result.
        before: h×w×3 uint16, the frame's own levels; H and W are the same or a whole multiple.
        transfer: `PQ` or `HLG`.

    Returns:
        H×W×3 uint16.
    """
    scale = _scale(transfer)
    times = made.shape[0] // before.shape[0]
    if times > 1:
        before = before.repeat(times, axis=0).repeat(times, axis=1)
    out = scale.back[made]
    bright = before >= scale.white
    if bright.any():
        light = scale.linear[made[bright]] * scale.light[before[bright]]
        out[bright] = np.rint(np.interp(light, scale.light, np.arange(_TOP + 1))).astype(np.uint16)
    return np.asarray(out)


@cache
def _scale(transfer: int) -> _Scale:
    signal = np.arange(_TOP + 1, dtype=np.float64) / _TOP
    light = _pq_light(signal) if transfer == PQ else _hlg_light(signal)
    row = (1, -1)  # OpenCV's arithmetic is for pictures
    linear = srgb_to_linear(signal.astype(np.float32).reshape(row)).ravel().astype(np.float64)
    shown = np.rint(_TOP * linear_to_srgb(np.minimum(light, 1.0).astype(np.float32).reshape(row)).ravel())
    back = np.rint(np.interp(linear, light, np.arange(_TOP + 1)))
    white = int(np.searchsorted(light, 1.0, side="right"))
    return _Scale(light, shown.astype(np.uint16), back.astype(np.uint16), white, linear)


def _pq_light(signal: Array) -> Array:
    """ST 2084's EOTF, in units of white."""
    root = signal ** (32 / 2523)
    fraction = np.maximum(root - 3424 / 4096, 0.0) / (2413 / 128 - 2392 / 128 * root)
    return np.asarray(_PEAK / _WHITE * fraction ** (8192 / 1305))


def _hlg_light(signal: Array) -> Array:
    """BT.2100's inverse OETF and the system gamma, in units of white."""
    a = 0.17883277
    b, c = 1.0 - 4.0 * a, 0.5 - a * np.log(4.0 * a)

    def scene(value: Array) -> Array:
        return np.where(value <= 0.5, value**2 / 3.0, (np.exp((value - c) / a) + b) / 12.0)

    return np.asarray((scene(signal) / scene(np.asarray(_WHITE_HLG))) ** 1.2)
