"""Fusion of the picture with one synthetic longer exposure of itself.

Source: Ying, Li, Gao, "A Bio-Inspired Multi-Exposure Fusion Framework for Low-light Image Enhancement",
arXiv:1711.00591, 2017; Ying, Li, Ren, Wang, Wang, CAIP 2017 (the same public code); methods.md B.10.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from daybreak.image.camera import BETA_GAMMA, power
from daybreak.image.illumination import illumination
from daybreak.image.resize import resize_bicubic
from daybreak.image.strips import Band, map_rows
from daybreak.image.upsample import Doubled
from daybreak.methods.base import Card, Method, Settings, setting
from daybreak.methods.reduced import exact_up_to
from daybreak.types import Array, Pixels, Plane

_THUMBNAIL = (50, 50)  # in which the exposure is searched
_LIT = 0.5  # illumination from which a pixel has no say in the exposure
_OFFSET = 0.01  # taken off the exposed picture
_PRECISION = 1e-4  # of the exposure
_ROWS = 32  # of a band


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


def best_exposure(pixels: Pixels, light: Plane, ratio: float) -> float | None:
    """The exposure in [1, ratio] that gives the dark part of the picture the most entropy.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        light: the illumination, H×W float32.
        ratio: the most exposure, > 1.

    Returns:
        The factor, or None where nothing is dark.
    """
    from scipy.optimize import minimize_scalar

    small = np.maximum(resize_bicubic(pixels, _THUMBNAIL), 0).astype(np.float64)
    dark = resize_bicubic((light < _LIT).astype(np.float32), _THUMBNAIL) > 0.5
    if not dark.any():
        return None
    brightness = np.cbrt(small.prod(axis=2)[dark])
    a, b = BETA_GAMMA

    def loss(k: float) -> float:
        return -entropy(brightness ** (k**a) * np.exp(b * (1 - k**a)))

    found = minimize_scalar(loss, bounds=(1.0, ratio), method="bounded", options={"xatol": _PRECISION})
    return float(found.x)


def fuse(pixels: Pixels, light: Plane, exposure: float, mu: float) -> Pixels:
    """W I + (1 - W) (g(I, k) - 0.01), where W = light ** mu.

    Args:
        pixels: I, H×W×3 float32 in [0, 1].
        light: H×W float32.
        exposure: k ≥ 1.
        mu: ≥ 0.

    Returns:
        H×W×3 float32 in [0, 1].
    """
    a, b = BETA_GAMMA
    exponent = exposure**a
    gain = np.float32(np.exp(b * (1 - exponent)))
    out = np.empty_like(pixels)

    def work(bands: Sequence[Band]) -> None:
        for top, bottom in bands:
            dark = pixels[top:bottom]
            bright = power(dark, exponent)
            bright *= gain
            bright -= np.float32(_OFFSET)
            bright += (dark - bright) * power(np.clip(light[top:bottom], 0, 1), mu)[..., None]
            np.clip(bright, 0, 1, out=out[top:bottom])

    map_rows(work, pixels.shape[0], _ROWS)
    return out


def bimef(pixels: Pixels, settings: BimefSettings) -> Pixels:
    """Find the illumination, the exposure that shows most, and fuse.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        settings: see `BimefSettings`.

    Returns:
        H×W×3 float32 in [0, 1]; the input where nothing is dark.
    """
    light = illumination(pixels, settings.smoothness, settings.exact_up_to * 1e6)
    light = light.whole() if isinstance(light, Doubled) else light
    exposure = best_exposure(pixels, light, settings.ratio)
    return pixels.copy() if exposure is None else fuse(pixels, light, exposure, settings.mu)


METHOD = Method(
    card=Card(
        name="bimef",
        summary="Exposure fusion: the picture blended with one longer exposure of itself; careful, natural.",
        paper="Ying, Li, Gao: A Bio-Inspired Multi-Exposure Fusion Framework for Low-light Image "
        "Enhancement. arXiv:1711.00591, 2017",
        kind="classical",
        settings=BimefSettings,
        context="global",
        memory_per_pixel=40.0,
        notes="The smoothing system is solved to 1e-6, the public code stops at 0.1. Above exact_up_to the "
        "map comes from reduced copies; the result was then 43 dB or more from the exact one on darkened, "
        "noisy Kodak pictures of 1.6 and 6 MP (median 52).",
    ),
    run=bimef,
)
