"""Enhancement by a camera response model: each pixel is given the exposure that its illumination lacks.

Source: Ying, Li, Ren, Wang, Wang, "A New Low-Light Image Enhancement Algorithm Using Camera Response Model",
ICCV Workshops 2017; Ren, Ying, Li, Li, "LECARM", TCSVT 2019 (the four response models); methods.md B.10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import cv2
import numpy as np

from daybreak.image.illumination import illumination
from daybreak.image.strips import Band, map_rows
from daybreak.methods.base import Card, Method, Settings, setting
from daybreak.types import Array, Pixels, Plane

_ROWS = 32  # of a band
_DARKEST = 1e-30  # stands for black, which has no logarithm
_BETA_GAMMA = (-0.3293, 1.1258)
_PREFERRED = (4.3536, 0.1447)
_AFFINE = (-0.1797, 0.3988)
_BETA = 0.48


class CrmSettings(Settings):
    """Settings of the camera response method."""

    response: Literal["beta-gamma", "sigmoid", "affine", "beta"] = setting(
        "beta-gamma",
        "How the camera turns exposure into pixel values: beta-gamma, sigmoid (also called preferred), "
        "affine (gamma) or beta; affine lifts black to gray.",
        source="paper: beta-gamma is the published method, the others are LECARM's alternatives",
    )
    ratio: float = setting(
        7.0,
        "The most exposure that any pixel is given, as a factor; more brightens the darkest parts further.",
        source="paper: 7",
        ge=1.0,
        le=64.0,
    )
    smoothness: float = setting(
        0.5,
        "λ of the illumination map; more gives larger areas the same exposure.",
        source="paper: 0.5",
        gt=0.0,
        le=100.0,
    )
    exact: float = setting(
        1.0,
        "Pictures up to this size get the map as published; larger ones get it from reduced copies, which is "
        "far quicker.",
        source="assumed: up to here the exact map takes under a second",
        unit="MP",
        ge=0.0,
        le=1000.0,
    )


Response: TypeAlias = Callable[[Array, Plane, Array], None]
"""(colours, exposure, spare): replaces h×w×3 colours by what the camera would give at h×w times the exposure;
`spare`, h×w×3, is overwritten."""


def beta_gamma(colours: Array, exposure: Plane, spare: Array) -> None:
    """g(I, k) = I^K · exp(b (1 - K)) with K = k^a."""
    a, b = _BETA_GAMMA
    power = _power(exposure, a)
    np.maximum(colours, np.float32(_DARKEST), out=colours)
    _log(colours)
    colours *= _spread(power, spare)
    np.subtract(1, power, out=power)
    power *= np.float32(b)
    colours += _spread(power, spare)
    _exp(colours)


def sigmoid(colours: Array, exposure: Plane, spare: Array) -> None:
    """g(I, k) = I · k^(ac) / (I^(1/c) · (k^a - 1) + 1)^c."""
    a, c = _PREFERRED
    inner = _power(colours, 1 / c)
    inner *= _spread(_power(exposure, a) - np.float32(1), spare)
    inner += 1
    colours *= _power(inner, -c)
    colours *= _spread(_power(exposure, a * c), spare)


def affine(colours: Array, exposure: Plane, spare: Array) -> None:
    """g(I, k) = I · k^γ + α (1 - k^γ)."""
    alpha, gamma = _AFFINE
    gain = _power(exposure, gamma)
    colours *= _spread(gain, spare)
    np.subtract(1, gain, out=gain)
    gain *= np.float32(alpha)
    colours += _spread(gain, spare)


def beta(colours: Array, exposure: Plane, spare: Array) -> None:
    """g(I, k) = I · k^c."""
    colours *= _spread(_power(exposure, _BETA), spare)


RESPONSES: dict[str, Response] = {
    "beta-gamma": beta_gamma,
    "sigmoid": sigmoid,
    "affine": affine,
    "beta": beta,
}


def _power(base: Array, exponent: float) -> Array:
    """base ** exponent for base ≥ 0, in a new array: several times the speed of `np.power`."""
    out = np.maximum(base, np.float32(_DARKEST))
    _log(out)
    out *= np.float32(exponent)
    _exp(out)
    return out


def _log(a: Array) -> None:
    """Natural logarithm in place; as a plain matrix, since OpenCV stumbles over axes of size 1."""
    flat = a.reshape(1, -1)
    cv2.log(flat, flat)


def _exp(a: Array) -> None:
    """Exponential in place."""
    flat = a.reshape(1, -1)
    cv2.exp(flat, flat)


def _spread(plane: Plane, spare: Array) -> Array:
    """The plane in each of three channels, written to `spare`."""
    np.asarray(cv2.cvtColor(plane, cv2.COLOR_GRAY2RGB, spare))
    return spare


def expose(pixels: Pixels, light: Plane, ratio: float, response: Response) -> Pixels:
    """Give each pixel the exposure min(1 / light, ratio) by a camera's response.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        light: the illumination, H×W float32.
        ratio: the most exposure, ≥ 1.
        response: one of `RESPONSES`.

    Returns:
        H×W×3 float32 in [0, 1].
    """
    height, width = light.shape
    out = np.empty_like(pixels)

    def work(bands: Sequence[Band]) -> None:
        exposures = np.empty((_ROWS, width), np.float32)
        spares = np.empty((_ROWS, width, 3), np.float32)
        for top, bottom in bands:
            colours, exposure, spare = out[top:bottom], exposures[: bottom - top], spares[: bottom - top]
            np.clip(light[top:bottom], np.float32(1 / ratio), np.float32(1), out=exposure)
            np.divide(np.float32(1), exposure, out=exposure)
            np.copyto(colours, pixels[top:bottom])
            response(colours, exposure, spare)
            np.clip(colours, 0, 1, out=colours)

    map_rows(work, height, _ROWS)
    return out


def crm(pixels: Pixels, settings: CrmSettings) -> Pixels:
    """Estimate the illumination and expose each pixel by its inverse.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        settings: see `CrmSettings`.

    Returns:
        H×W×3 float32 in [0, 1].
    """
    light = illumination(pixels, settings.smoothness, settings.exact * 1e6)
    return expose(pixels, light, settings.ratio, RESPONSES[settings.response])


METHOD = Method(
    card=Card(
        name="crm",
        summary="Camera response model: every pixel gets the exposure that its illumination lacks; natural.",
        paper="Ying, Li, Ren, Wang, Wang: A New Low-Light Image Enhancement Algorithm Using Camera Response "
        "Model. ICCV Workshops, 2017",
        kind="classical",
        settings=CrmSettings,
        context="global",
        notes="Also known as LECARM. The smoothing system is solved to 1e-6, the public code stops at 0.1.",
    ),
    run=crm,
)
