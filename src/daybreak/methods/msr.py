"""Multi-scale Retinex.

Source: Jobson, Rahman, Woodell, "A Multiscale Retinex for Bridging the Gap Between Color Images and the Human
Observation of Scenes", IEEE TIP 6(7), 1997; methods.md B.4: MSR = Σ ⅓ (log X - log(G_σ ∗ X)), X = 255·I + 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from daybreak.image.filters import gaussian_blur
from daybreak.methods.base import Card, Method, Settings, setting
from daybreak.stopping import look
from daybreak.types import Pixels, Plane

RETINEX_NOTES = (
    "The paper's surround is exp(-r²/c²); as in public code c is taken as the Gaussian's standard deviation. "
    "Instead of the paper's fixed gain and offset each channel is stretched between two percentiles; a "
    "channel that shows no detail at all (its Retinex is flat) stays as it came. Sigmas are in pixels of the "
    "picture given, whatever its size. From sigma 32 on, the surround is computed on a reduced plane: within "
    "1e-3 of its range from the Gaussian truncated at 3 sigma (2.5e-4 on photographs); the enhanced picture "
    "stays within 1e-3 of the one with exact surrounds."
)
_FLAT = 1e-3  # a range of log ratios under this is rounding, not detail (one level of 255 at white is 4e-3)


class MsrSettings(Settings):
    """Settings of the multi-scale Retinex."""

    sigma_small: float = setting(
        15.0,
        "Width of the smallest surround; brings out fine detail in shadows.",
        source="paper: 15",
        unit="px",
        ge=1,
        le=500,
    )
    sigma_middle: float = setting(
        80.0,
        "Width of the middle surround.",
        source="paper: 80",
        unit="px",
        ge=1,
        le=500,
    )
    sigma_large: float = setting(
        250.0,
        "Width of the largest surround; keeps the rendering of tones over the whole picture.",
        source="paper: 250",
        unit="px",
        ge=1,
        le=500,
    )
    clip: float = setting(
        1.0,
        "Share of the pixels clipped at each end of each channel; more brings more contrast.",
        source="assumed: 1 % as in public code, in place of the paper's fixed gain and offset",
        unit="%",
        ge=0,
        le=20,
    )


def shifted(plane: Plane) -> Plane:
    """255·v + 1, so that its logarithm is at least 0: H×W float32 in [1, 256]."""
    return np.asarray(plane * np.float32(255) + np.float32(1), dtype=np.float32)


def retinex(plane: Plane, sigmas: Sequence[float]) -> Plane:
    """Mean over the surrounds of log X - log(G_σ ∗ X).

    Args:
        plane: X, H×W float32 in [1, 256].
        sigmas: widths of the surrounds in px.

    Returns:
        H×W float32, about 0; 0 where the plane is flat.
    """
    out, go_on = np.zeros_like(plane), look()
    for sigma in sigmas:
        go_on()
        out -= cv2.log(gaussian_blur(plane, sigma)).reshape(plane.shape)
    out /= len(sigmas)
    out += cv2.log(plane).reshape(plane.shape)
    return out


def balance(detail: Plane, plane: Plane, percent: float) -> Plane:
    """Stretch Retinex values between two percentiles to [0, 1], or give back the plane where they are flat.

    Args:
        detail: H×W float32, log ratios.
        plane: the channel that they came from, H×W float32 in [0, 1].
        percent: clipped at each end, in %.

    Returns:
        H×W float32 in [0, 1].
    """
    low, high = np.percentile(detail, [percent, 100 - percent])
    if high - low < _FLAT:
        return plane
    out = (detail - np.float32(low)) / np.float32(high - low)
    return np.clip(out, 0, 1, out=out)


def msr(pixels: Pixels, settings: MsrSettings) -> Pixels:
    """Divide each channel by its surround at three scales, in logarithms.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        settings: see `MsrSettings`.

    Returns:
        H×W×3 float32 in [0, 1].
    """
    sigmas = (settings.sigma_small, settings.sigma_middle, settings.sigma_large)
    out = np.empty_like(pixels)
    for channel in range(3):
        plane = pixels[..., channel]
        out[..., channel] = balance(retinex(shifted(plane), sigmas), plane, settings.clip)
    return out


METHOD = Method(
    card=Card(
        name="msr",
        summary="Multi-scale Retinex: every region set off against its surroundings; colours turn grayish.",
        paper="Jobson, Rahman, Woodell: A Multiscale Retinex for Bridging the Gap Between Color Images and "
        "the Human Observation of Scenes. IEEE TIP, 1997",
        kind="classical",
        settings=MsrSettings,
        context="global",
        memory_per_pixel=57.0,
        notes=RETINEX_NOTES,
    ),
    run=msr,
)
