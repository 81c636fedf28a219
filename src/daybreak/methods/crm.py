"""Enhancement by a camera response model: each pixel is given the exposure that its illumination lacks.

Source: Ying, Li, Ren, Wang, Wang, "A New Low-Light Image Enhancement Algorithm Using Camera Response Model",
ICCV Workshops 2017; Ren, Ying, Li, Li, "LECARM", TCSVT 2019 (the four response models); methods.md B.10.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from daybreak.image.camera import RESPONSES, Response
from daybreak.image.illumination import Light, illumination
from daybreak.image.rows import Bands, every
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Card, Method, Prepared, Settings, setting
from daybreak.methods.reduced import exact_up_to, lit
from daybreak.types import Pixels, Plane

_METER_RATIO = 16.0  # past four stops more exposure shows mostly noise
_SAMPLES = 20_000  # pixels the meter looks at


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
    meter: float = setting(
        0.0,
        "Mean of max(R, G, B) to reach: the ratio is then found for each picture, from 1 to 16, in place of "
        "`ratio`; 0 switches this off.",
        source="assumed: off, since the paper has one ratio for all; 0.48 is what `auto` asks for",
        ge=0.0,
        le=0.9,
    )
    smoothness: float = setting(
        0.5,
        "λ of the illumination map; more gives larger areas the same exposure.",
        source="paper: 0.5",
        gt=0.0,
        le=100.0,
    )
    exact_up_to: float = exact_up_to(1.0, "up to here the exact map takes under a second")


def expose(band: Pixels, light: Plane, ratio: float, response: Response) -> Pixels:
    """Give each pixel the exposure min(1 / light, ratio) by a camera's response.

    Args:
        band: h×w×3 (or ×1) float32 in [0, 1]; overwritten.
        light: the illumination, h×w float32.
        ratio: the most exposure, ≥ 1.
        response: one of `RESPONSES`.

    Returns:
        float32 in [0, 1]: the band's memory.
    """
    exposure = np.clip(light, np.float32(1 / ratio), np.float32(1))
    np.divide(np.float32(1), exposure, out=exposure)
    response(band, exposure, np.empty_like(band))
    return np.clip(band, 0, 1, out=band)


def prepare(source: Bands, settings: CrmSettings, room: int | None) -> Prepared:
    """Estimate the illumination of the whole picture; then each pixel is exposed by its inverse.

    Args:
        source: H×W×3, sRGB in [0, 1].
        settings: see `CrmSettings`.
        room: bytes that may be taken; None for no limit.
    """
    light = illumination(source, settings.smoothness, settings.exact_up_to * 1e6, room)
    response = RESPONSES[settings.response]
    ratio = metered_ratio(source, light, settings.meter, response) if settings.meter else settings.ratio
    return lit(light, lambda window, top, left: expose(window, light.at(window, top, left), ratio, response))


def metered_ratio(source: Bands, light: Light, target: float, response: Response) -> float:
    """The ratio in [1, 16] that brings the mean of max(R, G, B) nearest to the target.

    Args:
        source: H×W×3, sRGB in [0, 1]; some `_SAMPLES` of the pixels are looked at.
        light: the illumination.
        target: mean wanted, in (0, 1).
        response: one of `RESPONSES`.
    """
    step = max(1, int((math.prod(source.shape[:2]) / _SAMPLES) ** 0.5))
    few, few_light = every(source, step).max(axis=2, keepdims=True), light.samples(step)
    low, high = 0.0, math.log2(_METER_RATIO)
    for _ in range(12):  # to a thousandth of a stop
        middle = 0.5 * (low + high)
        mean = float(expose(few.copy(), few_light, 2.0**middle, response).mean())
        low, high = (middle, high) if mean < target else (low, middle)
    return float(2.0 ** (0.5 * (low + high)))


METHOD = Method(
    card=Card(
        name="crm",
        summary="Camera response model: every pixel gets the exposure that its illumination lacks; natural.",
        paper="Ying, Li, Ren, Wang, Wang: A New Low-Light Image Enhancement Algorithm Using Camera Response "
        "Model. ICCV Workshops, 2017",
        kind="classical",
        settings=CrmSettings,
        context="global",
        memory_per_pixel=27.0,
        notes="Also known as LECARM. The smoothing system is solved to 1e-6, the public code stops at 0.1. "
        "Above exact_up_to the map comes from reduced copies; the result was then 41 dB or more from the "
        "exact one on darkened, noisy Kodak pictures of 0.6 to 6 MP (median 50).",
    ),
    run=by_bands(prepare),
    prepare=prepare,
)
