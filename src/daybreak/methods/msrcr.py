"""Multi-scale Retinex with colour restoration.

Source: Jobson, Rahman, Woodell, "A Multiscale Retinex for Bridging the Gap Between Color Images and the Human
Observation of Scenes", IEEE TIP 6(7), 1997; methods.md B.4: MSRCR_c = C_c · MSR_c with
C_c = β (log(α X_c) - log Σ_c X_c). β scales all values alike and so vanishes in the stretch that follows.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from daybreak.methods.base import Card, Method, setting
from daybreak.methods.msr import RETINEX_NOTES, MsrSettings, balance, retinex, shifted
from daybreak.types import Pixels


class MsrcrSettings(MsrSettings):
    """Settings of the multi-scale Retinex with colour restoration: those of `msr` and one more."""

    alpha: float = setting(
        125.0,
        "Strength of the nonlinearity of the colour restoration; less, and channels differ more.",
        source="paper: 125",
        ge=1,
        le=1000,
    )


def msrcr(pixels: Pixels, settings: MsrcrSettings) -> Pixels:
    """Multi-scale Retinex of each channel, weighted by the channel's share of the colour.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        settings: see `MsrcrSettings`.

    Returns:
        H×W×3 float32 in [0, 1].
    """
    sigmas = (settings.sigma_small, settings.sigma_middle, settings.sigma_large)
    total = shifted(pixels[..., 0]) + shifted(pixels[..., 1]) + shifted(pixels[..., 2])
    log_total = cv2.log(total).reshape(total.shape)
    del total
    out = np.empty_like(pixels)
    for channel in range(3):
        plane = shifted(pixels[..., channel])
        detail = retinex(plane, sigmas)
        detail *= cv2.log(plane).reshape(plane.shape) - log_total + np.float32(math.log(settings.alpha))
        out[..., channel] = balance(detail, pixels[..., channel], settings.clip)
    return out


METHOD = Method(
    card=Card(
        name="msrcr",
        summary="Multi-scale Retinex with colour restoration: msr with some of the colour brought back.",
        paper="Jobson, Rahman, Woodell: A Multiscale Retinex for Bridging the Gap Between Color Images and "
        "the Human Observation of Scenes. IEEE TIP, 1997",
        kind="classical",
        settings=MsrcrSettings,
        context="global",
        memory_per_pixel=65.0,
        notes=RETINEX_NOTES,
    ),
    run=msrcr,
)
