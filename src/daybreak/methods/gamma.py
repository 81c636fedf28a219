"""Gamma correction, fixed or automatic.

Source: the power-law point operation of any textbook; the automatic rule brings the mean of V = max(R, G, B)
to one half (methods.md B.3).
"""

from __future__ import annotations

import math
from typing import Literal

import cv2
import numpy as np

from daybreak.methods.base import Card, Method, Settings, setting
from daybreak.types import Pixels


class GammaSettings(Settings):
    """Settings of gamma correction."""

    mode: Literal["fixed", "auto"] = setting(
        "fixed",
        "fixed uses `gamma`; auto picks the exponent that brings the mean of max(R, G, B) to 0.5.",
        source="assumed: fixed 2.2 is the textbook baseline that published tables use",
    )
    gamma: float = setting(
        2.2,
        "Output = input^(1/gamma); more is brighter.",
        source="paper: the usual display gamma",
        ge=0.1,
        le=10.0,
    )


def automatic_exponent(pixels: Pixels) -> float:
    """Exponent 1/γ with mean(V)^(1/γ) = 0.5, held in [0.25, 1] so that nothing is darkened (B.3)."""
    mean = float(pixels.max(axis=2).mean())
    if mean >= 0.5:
        return 1.0
    if mean <= 0.0:
        return 0.25
    return min(max(math.log(0.5) / math.log(mean), 0.25), 1.0)


def gamma(pixels: Pixels, settings: GammaSettings) -> Pixels:
    """Raise every value to one exponent.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        settings: see `GammaSettings`.

    Returns:
        H×W×3 float32 in [0, 1].
    """
    exponent = automatic_exponent(pixels) if settings.mode == "auto" else 1.0 / settings.gamma
    return np.asarray(cv2.pow(pixels, exponent), dtype=np.float32).reshape(pixels.shape)


METHOD = Method(
    card=Card(
        name="gamma",
        summary="Gamma correction: one power for every pixel, fixed 2.2 or automatic.",
        paper="",
        kind="classical",
        settings=GammaSettings,
        context="global",
        memory_per_pixel=29.0,
        notes="mode=fixed is a point operation; mode=auto reads the mean of the whole picture.",
    ),
    run=gamma,
)
