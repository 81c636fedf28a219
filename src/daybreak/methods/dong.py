"""Inversion and haze removal: a dark picture, turned to its negative, looks like a hazy one.

Source: Dong, Wang, Pang, Li, Wen, Meng, Lu, "Fast Efficient Algorithm for Enhancement of Low Lighting Video",
ICME 2011; methods.md B.6.
"""

from __future__ import annotations

import cv2
import numpy as np

from daybreak.methods.base import Card, Method, Settings, setting
from daybreak.stopping import look
from daybreak.types import Array, Pixels, Plane

_RIM = 10  # px; the picture is continued by its last pixels before anything else
_BRIGHTEST = 0.002  # share of the pixels among which the atmosphere is looked for
_LEAST_AIR = 1e-3  # an all-white picture has no haze at all; keeps 0 / 0 out
_LEAST_TRANSMISSION = 1e-7


class DongSettings(Settings):
    """Settings of Dong's method."""

    omega: float = setting(
        0.8,
        "Share of the haze of the inverted picture that is removed; more is brighter.",
        source="paper: 0.8",
        ge=0.0,
        le=1.0,
    )
    window: int = setting(
        7,
        "Side of the square in which the darkest value is sought; more gives wider halos and fewer specks. "
        "An even side counts as the next odd one.",
        source="assumed: 7 as in the public code behind published tables",
        unit="px",
        ge=1,
        le=2 * _RIM + 1,
    )


def atmosphere(inverted: Pixels, dark: Plane) -> Array:
    """Colour of the haze: the pixel of largest mean among the 0.2 % whose dark channel is largest.

    Args:
        inverted: H×W×3 float32 in [0, 1].
        dark: its dark channel, H×W float32. Pixels equal to the last of the 0.2 % count too, so the outcome
            does not depend on their order.

    Returns:
        3 float32 in [1e-3, 1].
    """
    count = max(1, int(_BRIGHTEST * dark.size))
    limit = np.partition(dark.ravel(), dark.size - count)[dark.size - count]
    candidates = inverted[dark >= limit]
    brightest = candidates[candidates.sum(axis=1).argmax()]
    return np.asarray(np.maximum(brightest, np.float32(_LEAST_AIR)))


def transmission(minima: Pixels, air: Array, omega: float) -> Plane:
    """t = 1 - ω min_c(m_c / A_c), then 2t² where t < 0.5, which brightens the darkest regions further.

    Args:
        minima: local minima m_c of the inverted picture, H×W×3 float32 in [0, 1].
        air: 3 float32, A.
        omega: share of the haze that is removed.

    Returns:
        H×W float32 in (0, 1].
    """
    least: Plane = (minima / air).min(axis=2)
    least *= np.float32(-omega)
    least += 1
    np.maximum(least, np.float32(_LEAST_TRANSMISSION), out=least)
    low = least < 0.5
    least[low] = 2 * least[low] ** 2
    return least


def dong(pixels: Pixels, settings: DongSettings) -> Pixels:
    """Invert, remove haze, invert.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        settings: see `DongSettings`.

    Returns:
        H×W×3 float32 in [0, 1].

    Raises:
        Stopped: between two steps, where that was asked for (`daybreak.stopping`).
    """
    go_on = look()
    padded = cv2.copyMakeBorder(pixels, _RIM, _RIM, _RIM, _RIM, cv2.BORDER_REPLICATE)
    inverted = np.subtract(1, padded, dtype=np.float32)
    del padded
    side = settings.window | 1
    minima = np.asarray(cv2.erode(inverted, np.ones((side, side), np.uint8)), dtype=np.float32)
    go_on()
    air = atmosphere(inverted, minima.min(axis=2))
    go_on()
    clear = transmission(minima, air, settings.omega)[_RIM:-_RIM, _RIM:-_RIM, None]
    del minima
    go_on()
    out = inverted[_RIM:-_RIM, _RIM:-_RIM] - air
    out /= clear
    out += air
    np.subtract(1, out, out=out)
    return np.clip(out, 0, 1, out=out)


METHOD = Method(
    card=Card(
        name="dong",
        summary="Invert, remove the haze, invert: quick and bright, with dark outlines at strong edges.",
        paper="Dong, Wang, Pang, Li, Wen, Meng, Lu: Fast Efficient Algorithm for Enhancement of Low Lighting "
        "Video. ICME 2011",
        kind="classical",
        settings=DongSettings,
        context="global",
        memory_per_pixel=58.0,
        notes="Follows the public code behind published tables: 7×7 windows, a rim of 10 pixels, the colour "
        "of the haze from the 0.2 % of largest dark channel. Ours: that colour is at least 1e-3, which an "
        "all-white picture needs; ties among the 0.2 % all count.",
    ),
    run=dong,
)
