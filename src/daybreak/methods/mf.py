"""Fusion of three derived illuminations.

Source: Fu, Zeng, Huang, Liao, Ding, Paisley, "A fusion-based enhancing method for weakly illuminated images",
Signal Processing 129, 2016; methods.md B.8. The authors' code is compiled, so this follows the paper.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from daybreak.image.color import value
from daybreak.image.filters import guided_filter
from daybreak.image.tone import equalize_tiles
from daybreak.methods.base import Card, Method, Settings, setting
from daybreak.stopping import look
from daybreak.types import Pixels, Plane

_LEAST_LIGHT = 1e-3
_TILES, _CLIP = 8, 2.0  # of the equalised illumination


class MfSettings(Settings):
    """Settings of the fusion method."""

    diameter: int = setting(
        15,
        "Diameter of the disk that closes the brightness plane; more makes the illumination coarser. An even "
        "one counts as the next odd one.",
        source="assumed: remembered as the authors' number, not re-checked",
        unit="px",
        ge=1,
        le=63,
    )
    radius: int = setting(
        7,
        "Radius of the guided filter that fits the illumination to the edges.",
        source="assumed: half the disk",
        unit="px",
        ge=1,
        le=64,
    )
    eps: float = setting(
        1e-3,
        "Variance under which the guided filter smooths; more smooths stronger edges too.",
        source="assumed: edges under 3 % of the brightest value count as texture",
        gt=0,
        le=1.0,
    )


def illumination(plane: Plane, diameter: int, radius: int, eps: float) -> Plane:
    """Closed brightness, fitted to the edges of the brightness itself, and nowhere under it.

    Args:
        plane: V, H×W float32 in [0, 1].
        diameter: of the disk, px.
        radius: of the guided filter, px.
        eps: of the guided filter.

    Returns:
        H×W float32 in [1e-3, 1].
    """
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter))
    closed = np.asarray(cv2.morphologyEx(plane, cv2.MORPH_CLOSE, disk), dtype=np.float32)
    guide = plane / max(float(plane.max()), _LEAST_LIGHT)
    light = guided_filter(closed, guide, radius, eps)
    np.clip(light, _LEAST_LIGHT, 1, out=light)
    return np.maximum(light, plane, out=light)


def derived(light: Plane) -> list[Plane]:
    """The three illuminations that are fused: as it is, globally brightened, locally equalised.

    Args:
        light: H×W float32 in [1e-3, 1].

    Returns:
        Three planes, H×W float32 in [0, 1].
    """
    mean = float(light.mean(dtype=np.float64))
    steepness = 10 + (1 - mean) / mean
    bright = np.arctan(light * np.float32(steepness))
    bright *= np.float32(2 / math.pi)
    return [light, bright, equalize_tiles(light, _TILES, _CLIP)]


def fusion_weights(inputs: list[Plane]) -> list[Plane]:
    """Weight of each input: its brightness times its nearness to one half, normalised to the sum 1.

    The paper's weight has a third factor, the chromatic contrast 1 + cos(2H + 250°)·S. It is common to the
    inputs, so the normalisation takes it away, and it is not computed here.

    Args:
        inputs: H×W float32 planes in [0, 1], at every pixel one of them above 0.

    Returns:
        As many H×W float32 planes, in [0, 1].
    """
    weights = []
    for plane in inputs:
        weight = plane - np.float32(0.5)
        weight *= weight
        weight *= np.float32(-1 / (2 * 0.25**2))
        np.exp(weight, out=weight)
        weight *= plane
        weights.append(weight)
    total = weights[0] + weights[1] + weights[2]
    for weight in weights:
        weight /= total
    return weights


def fuse(inputs: list[Plane], weights: list[Plane]) -> Plane:
    """Blend planes scale by scale: Laplacian pyramids of the inputs, Gaussian pyramids of the weights.

    Args:
        inputs: H×W float32 planes.
        weights: as many, summing to 1 at every pixel.

    Returns:
        H×W float32; may leave the inputs' range a little.
    """
    scales = max(int(math.log2(min(inputs[0].shape))) - 2, 1)
    details: list[Plane] = []
    go_on = look()
    for _ in range(scales - 1):
        go_on()
        smaller = [_reduced(plane) for plane in inputs]
        bands = [plane - _enlarged(small, plane) for plane, small in zip(inputs, smaller, strict=True)]
        details.append(_weighted(bands, weights))
        inputs, weights = smaller, [_reduced(weight) for weight in weights]
    out = _weighted(inputs, weights)
    for detail in reversed(details):
        out = _enlarged(out, detail)
        out += detail
    return out


def _weighted(planes: list[Plane], weights: list[Plane]) -> Plane:
    out = np.zeros_like(planes[0])
    for plane, weight in zip(planes, weights, strict=True):
        out += weight * plane
    return out


def _reduced(plane: Plane) -> Plane:
    """Half the size, rounded up."""
    return np.asarray(cv2.pyrDown(plane), dtype=np.float32)


def _enlarged(plane: Plane, like: Plane) -> Plane:
    """Twice the size, to the shape of `like`."""
    return np.asarray(cv2.pyrUp(plane, dstsize=like.shape[::-1]), dtype=np.float32)


def mf(pixels: Pixels, settings: MfSettings) -> Pixels:
    """Divide by the illumination, multiply by the fused one.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        settings: see `MfSettings`.

    Returns:
        H×W×3 float32 in [0, 1].
    """
    light = illumination(value(pixels), settings.diameter | 1, settings.radius, settings.eps)
    inputs = derived(light)
    gain = fuse(inputs, fusion_weights(inputs))
    gain /= light
    out = pixels * gain[..., None]
    return np.clip(out, 0, 1, out=out)


METHOD = Method(
    card=Card(
        name="mf",
        summary="Multi-fusion: three versions of the illumination blended scale by scale; natural.",
        paper="Fu, Zeng, Huang, Liao, Ding, Paisley: A fusion-based enhancing method for weakly illuminated "
        "images. Signal Processing, 2016",
        kind="classical",
        settings=MfSettings,
        context="global",
        memory_per_pixel=65.0,
        notes="From the paper: the authors' compiled code is published at 18.79 dB on LOL, this has 16.5. "
        "Ours: the guided filter's numbers, 8×8 tiles with limit 2 for the equalised illumination, a pyramid "
        "of log2(shorter side) - 2 scales. The paper's hue factor in the weights cancels and is left out.",
    ),
    run=mf,
)
