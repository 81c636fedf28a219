"""Inversion and haze removal: a dark picture, turned to its negative, looks like a hazy one.

Source: Dong, Wang, Pang, Li, Wen, Meng, Lu, "Fast Efficient Algorithm for Enhancement of Low Lighting Video",
ICME 2011; methods.md B.6.
"""

from __future__ import annotations

from threading import Lock

import cv2
import numpy as np

from daybreak.image.rows import Bands, Rows
from daybreak.image.strips import band_rows, over_bands
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Card, Method, Prepared, Settings, setting
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


class Haziest:
    """The largest dark channels of a picture so far, and for each value of them its brightest pixel.

    Args:
        count: how many pixels are wanted; those equal to the last of them count too.
    """

    def __init__(self, count: int) -> None:
        self._count, self._lock = count, Lock()
        self._values = np.empty(0, np.float32)  # of dark channels, falling
        self._held = np.empty(0, np.intp)  # pixels of each
        self._places = np.empty(0, np.intp)  # of the brightest pixel of each
        self._colours = np.empty((0, 3), np.float32)

    def add(self, inverted: Pixels, dark: Plane, place: int) -> None:
        """Look at a band; bands may come in any order.

        Args:
            inverted: h×W×3 float32.
            dark: its dark channel, h×W float32.
            place: in reading order, of its first pixel.
        """
        values = dark.ravel()
        least = values.min()
        if len(values) > self._count:
            least = np.partition(values, len(values) - self._count)[len(values) - self._count]
        with self._lock:
            if self._held.sum() >= self._count:
                least = max(least, self._values[-1])
            chosen = np.flatnonzero(values >= least)
            values = np.concatenate([self._values, values[chosen]])
            held = np.concatenate([self._held, np.ones(len(chosen), np.intp)])
            places = np.concatenate([self._places, chosen + place])
            colours = np.concatenate([self._colours, inverted.reshape(-1, 3)[chosen]])
            order = np.lexsort((places, -colours.sum(axis=1), -values))
            falling, first = np.unique(-values[order], return_index=True)
            held = np.add.reduceat(held[order], first)
            needed = slice(int(np.searchsorted(np.cumsum(held), self._count)) + 1)
            brightest = order[first][needed]
            self._values, self._held = -falling[needed], held[needed]
            self._places, self._colours = places[brightest], colours[brightest]

    def colour(self) -> Array:
        """The brightest pixel of them all, of several the first in reading order: 3 float32."""
        found: Array = self._colours[np.lexsort((self._places, -self._colours.sum(axis=1)))[0]]
        return found


def atmosphere(source: Bands, side: int) -> Array:
    """Colour of the haze: the pixel of largest mean among the 0.2 % whose dark channel is largest.

    Args:
        source: H×W×3, in [0, 1]; looked at inverted, and continued by `_RIM` of its last pixels.
        side: of the square of the dark channel, odd, px.

    Returns:
        3 float32 in [1e-3, 1]. Pixels equal to the last of the 0.2 % count too, so the outcome does not
        depend on their order.
    """
    height, width = source.shape[:2]
    found = Haziest(max(1, int(_BRIGHTEST * (height + 2 * _RIM) * (width + 2 * _RIM))))

    def work(window: Rows, first: int, top: int, bottom: int) -> None:
        over = _RIM if top == 0 else 0
        under = _RIM if bottom == height else 0
        after = first + window.shape[0]
        rims = ((_RIM if first == 0 else 0, _RIM if after == height else 0), (_RIM, _RIM), (0, 0))
        inverted = np.pad(_inverted(window[:]), rims, mode="edge")
        start = top - over - (first - rims[0][0])
        own = slice(start, start + over + bottom - top + under)
        dark = local_minima(inverted, side).min(axis=2)[own]
        found.add(inverted[own], dark, (top + _RIM - over) * (width + 2 * _RIM))

    over_bands(source, band_rows(width), work, above=side // 2, below=side // 2)
    return np.maximum(found.colour(), np.float32(_LEAST_AIR))


def _inverted(pixels: Pixels) -> Pixels:
    return np.subtract(1, pixels, dtype=np.float32)


def local_minima(inverted: Pixels, side: int) -> Pixels:
    """The least of each channel in a square around each pixel: H×W×3 float32."""
    return np.asarray(cv2.erode(inverted, np.ones((side, side), np.uint8)), np.float32).reshape(
        inverted.shape
    )


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


def prepare(source: Bands, settings: DongSettings, _: int | None) -> Prepared:
    """Find the colour of the haze; then invert, remove it, invert.

    Args:
        source: H×W×3, sRGB in [0, 1].
        settings: see `DongSettings`.
    """
    side = settings.window | 1
    air = atmosphere(source, side)

    def run(window: Pixels, _top: int, _left: int) -> Pixels:
        inverted = _inverted(window)
        clear = transmission(local_minima(inverted, side), air, settings.omega)[..., None]
        inverted -= air
        inverted /= clear
        inverted += air
        np.subtract(1, inverted, out=inverted)
        return np.clip(inverted, 0, 1, out=inverted)

    return Prepared(run, halo=side // 2)


METHOD = Method(
    card=Card(
        name="dong",
        summary="Invert, remove the haze, invert: quick and bright, with dark outlines at strong edges.",
        paper="Dong, Wang, Pang, Li, Wen, Meng, Lu: Fast Efficient Algorithm for Enhancement of Low Lighting "
        "Video. ICME 2011",
        kind="classical",
        settings=DongSettings,
        context="global",
        memory_per_pixel=10.0,
        notes="Follows the public code behind published tables: 7×7 windows, a rim of 10 pixels, the colour "
        "of the haze from the 0.2 % of largest dark channel. Ours: that colour is at least 1e-3, which an "
        "all-white picture needs; ties among the 0.2 % all count.",
    ),
    run=by_bands(prepare),
    prepare=prepare,
)
