"""Fusion of the picture with one synthetic longer exposure of itself.

Source: Ying, Li, Gao, "A Bio-Inspired Multi-Exposure Fusion Framework for Low-light Image Enhancement",
arXiv:1711.00591, 2017; Ying, Li, Ren, Wang, Wang, CAIP 2017 (the same public code); methods.md B.10.
"""

from __future__ import annotations

import numpy as np

from daybreak.image.camera import BETA_GAMMA, power
from daybreak.image.illumination import CELL, HALO, Light, illumination
from daybreak.image.resize import Shrinking, resize_bicubic
from daybreak.image.rows import Bands, Rows
from daybreak.image.strips import band_rows, over_bands
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Card, Method, Prepared, Settings, setting
from daybreak.methods.reduced import exact_up_to, lit
from daybreak.types import Array, Pixels, Plane

_THUMBNAIL = (50, 50)  # in which the exposure is searched
_LIT = 0.5  # illumination from which a pixel has no say in the exposure
_OFFSET = 0.01  # taken off the exposed picture
_PRECISION = 1e-4  # of the exposure


class BimefSettings(Settings):
    """Settings of the exposure fusion."""

    mu: float = setting(
        0.5,
        "Weight of the input is illumination ** mu; more leaves more to the exposed picture and is brighter.",
        source="paper: 0.5",
        ge=0.0,
        le=2.0,
    )
    ratio: float = setting(
        7.0,
        "The most exposure that the search may choose, as a factor.",
        source="paper: 7",
        gt=1.0,
        le=64.0,
    )
    smoothness: float = setting(
        0.5,
        "λ of the illumination map; more gives larger areas the same weight.",
        source="paper: 0.5",
        gt=0.0,
        le=100.0,
    )
    exact_up_to: float = exact_up_to(1.0, "up to here the exact map takes under a second")


def entropy(brightness: Array) -> float:
    """Entropy in bits of the 256-level histogram of values in any shape, rounded and clipped to 8 bits."""
    levels = np.clip(np.rint(brightness * 255), 0, 255).astype(np.intp)
    share = np.bincount(levels.ravel(), minlength=256) / levels.size
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


def best_exposure(small: Pixels, dark: Plane, ratio: float) -> float | None:
    """The exposure in [1, ratio] that gives the dark part of the picture the most entropy.

    Args:
        small: the picture at a small size, h×w×3.
        dark: share of each of its pixels where the illumination is low, h×w.
        ratio: the most exposure, > 1.

    Returns:
        The factor, or None where nothing is dark.
    """
    from scipy.optimize import minimize_scalar

    chosen = dark > 0.5
    if not chosen.any():
        return None
    brightness = np.cbrt(np.maximum(small, 0).astype(np.float64).prod(axis=2)[chosen])
    a, b = BETA_GAMMA

    def loss(k: float) -> float:
        return -entropy(brightness ** (k**a) * np.exp(b * (1 - k**a)))

    found = minimize_scalar(loss, bounds=(1.0, ratio), method="bounded", options={"xatol": _PRECISION})
    return float(found.x)


def thumbnails(source: Bands, light: Light, room: int | None) -> tuple[Pixels, Plane]:
    """The picture at the size in which the exposure is searched, and where it is dark, from 0 to 1.

    Args:
        source: H×W×3 in [0, 1].
        light: the illumination.
        room: None for no limit; else the picture is looked at in bands.
    """
    height, width = source.shape[:2]
    if room is None:
        whole = source.band(0, height)[:]
        dark = (light.at(whole, 0, 0) < _LIT).astype(np.float32)
        return resize_bicubic(whole, _THUMBNAIL), resize_bicubic(dark, _THUMBNAIL)
    pixels, darks = Shrinking((height, width), _THUMBNAIL), Shrinking((height, width), _THUMBNAIL)

    def work(window: Rows, first: int, top: int, bottom: int) -> None:
        own = slice(top - first, bottom - first)
        band = window[:]
        pixels.add(band[own], top)
        darks.add((light.at(band, first, 0) < _LIT).astype(np.float32)[own, :, None], top)

    over_bands(source, band_rows(width, CELL), work, above=HALO, below=HALO)
    return pixels.done(), darks.done()[..., 0]


def fuse(dark: Pixels, light: Plane, exposure: float, mu: float) -> Pixels:
    """W I + (1 - W) (g(I, k) - 0.01), where W = light ** mu.

    Args:
        dark: I, H×W×3 float32 in [0, 1].
        light: H×W float32.
        exposure: k ≥ 1.
        mu: ≥ 0.

    Returns:
        H×W×3 float32 in [0, 1].
    """
    a, b = BETA_GAMMA
    exponent = exposure**a
    bright = power(dark, exponent)
    bright *= np.float32(np.exp(b * (1 - exponent)))
    bright -= np.float32(_OFFSET)
    bright += (dark - bright) * power(np.clip(light, 0, 1), mu)[..., None]
    return np.clip(bright, 0, 1, out=bright)


def prepare(source: Bands, settings: BimefSettings, room: int | None) -> Prepared:
    """Find the illumination and the exposure that shows most; each pixel is fused, unless nothing is dark.

    Args:
        source: H×W×3, sRGB in [0, 1].
        settings: see `BimefSettings`.
        room: bytes that may be taken; None for no limit.
    """
    light = illumination(source, settings.smoothness, settings.exact_up_to * 1e6, room)
    exposure = best_exposure(*thumbnails(source, light, room), settings.ratio)
    if exposure is None:
        return Prepared(lambda window, _top, _left: window)
    return lit(
        light, lambda window, top, left: fuse(window, light.at(window, top, left), exposure, settings.mu)
    )


METHOD = Method(
    card=Card(
        name="bimef",
        summary="Exposure fusion: the picture blended with one longer exposure of itself; careful, natural.",
        paper="Ying, Li, Gao: A Bio-Inspired Multi-Exposure Fusion Framework for Low-light Image "
        "Enhancement. arXiv:1711.00591, 2017",
        kind="classical",
        settings=BimefSettings,
        context="global",
        memory_per_pixel=27.0,
        notes="The smoothing system is solved to 1e-6, the public code stops at 0.1. Above exact_up_to the "
        "map comes from reduced copies; the result was then 43 dB or more from the exact one on darkened, "
        "noisy Kodak pictures of 1.6 and 6 MP (median 52).",
    ),
    run=by_bands(prepare),
    prepare=prepare,
)
