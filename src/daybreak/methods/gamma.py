"""Gamma correction, fixed or automatic.

Source: the power-law point operation of any textbook; the automatic rule brings the mean of V = max(R, G, B)
to one half (methods.md B.3).
"""

from __future__ import annotations

import math
from typing import Literal

import cv2
import numpy as np

from daybreak.image.rows import Bands, Rows, brightest
from daybreak.image.strips import band_rows, over_bands
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Card, Method, Prepared, Settings, setting


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


def automatic_exponent(source: Bands) -> float:
    """Exponent 1/γ with mean(V)^(1/γ) = 0.5, held in [0.25, 1] so that nothing is darkened (B.3)."""
    height, width = source.shape[:2]
    sums = np.zeros(height)

    def add(band: Rows, _first: int, top: int, bottom: int) -> None:
        sums[top:bottom] = brightest(band).sum(axis=1, dtype=np.float64)

    over_bands(source, band_rows(width), add)
    mean = float(sums.sum()) / (height * width)
    if mean >= 0.5:
        return 1.0
    if mean <= 0.0:
        return 0.25
    return min(max(math.log(0.5) / math.log(mean), 0.25), 1.0)


def prepare(source: Bands, settings: GammaSettings, _: int | None) -> Prepared:
    """Find the exponent; every value is raised to it.

    Args:
        source: H×W×3, sRGB in [0, 1].
        settings: see `GammaSettings`.
    """
    exponent = automatic_exponent(source) if settings.mode == "auto" else 1.0 / settings.gamma
    return Prepared(
        lambda window, _top, _left: np.asarray(cv2.pow(window, exponent), np.float32).reshape(window.shape),
        point=True,
    )


METHOD = Method(
    card=Card(
        name="gamma",
        summary="Gamma correction: one power for every pixel, fixed 2.2 or automatic.",
        paper="",
        kind="classical",
        settings=GammaSettings,
        context="global",
        memory_per_pixel=9.0,
        notes="mode=fixed is a point operation; mode=auto reads the mean of the whole picture.",
    ),
    run=by_bands(prepare),
    prepare=prepare,
)
