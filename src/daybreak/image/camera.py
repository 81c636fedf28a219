"""Camera response models: what a camera would have given at k times the exposure, from what it gave.

Source: Ying, Li, Ren, Wang, Wang, ICCV Workshops 2017 (beta-gamma), and Ren, Ying, Li, Li, "LECARM: Low-Light
Image Enhancement Using the Camera Response Model", TCSVT 2019 (the others); numbers in methods.md B.10.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np

from daybreak.types import Array, Plane

BETA_GAMMA = (-0.3293, 1.1258)  # a, b
SIGMOID = (4.3536, 0.1447)  # a, c; the model's b drops out between two exposures
AFFINE = (-0.1797, 0.3988)  # α, γ
BETA = 0.48  # c

_DARKEST = np.float32(1e-30)  # stands for black, which has no logarithm
_ANY = np.float32(np.inf)  # NumPy clips at two bounds in a third of the time that one takes

Response: TypeAlias = Callable[[Array, Plane, Array], None]
"""(colours, exposure, spare): replaces h×w×3 (or ×1) float32 colours ≥ 0 by what the camera would give at the
exposure, h×w float32 ≥ 1; `spare`, of the colours' shape, is overwritten. Nothing is clipped. More colour in
gives more out, so the brightest channel stays the brightest."""


def beta_gamma(colours: Array, exposure: Plane, spare: Array) -> None:
    """g(I, k) = I^K · exp(b (1 - K)) with K = k^a."""
    a, b = BETA_GAMMA
    exponent = power(exposure, a)
    np.clip(colours, _DARKEST, _ANY, out=colours)
    _log(colours)
    colours *= _spread(exponent, spare)
    np.subtract(1, exponent, out=exponent)
    exponent *= np.float32(b)
    colours += _spread(exponent, spare)
    _exp(colours)


def sigmoid(colours: Array, exposure: Plane, spare: Array) -> None:
    """g(I, k) = I · k^(ac) / (I^(1/c) · (k^a - 1) + 1)^c."""
    a, c = SIGMOID
    inner = power(colours, 1 / c)
    inner *= _spread(power(exposure, a) - np.float32(1), spare)
    inner += 1
    colours *= power(inner, -c)
    colours *= _spread(power(exposure, a * c), spare)


def affine(colours: Array, exposure: Plane, spare: Array) -> None:
    """g(I, k) = I · k^γ + α (1 - k^γ)."""
    alpha, gamma = AFFINE
    gain = power(exposure, gamma)
    colours *= _spread(gain, spare)
    np.subtract(1, gain, out=gain)
    gain *= np.float32(alpha)
    colours += _spread(gain, spare)


def beta(colours: Array, exposure: Plane, spare: Array) -> None:
    """g(I, k) = I · k^c."""
    colours *= _spread(power(exposure, BETA), spare)


RESPONSES: dict[str, Response] = {
    "beta-gamma": beta_gamma,
    "sigmoid": sigmoid,
    "affine": affine,
    "beta": beta,
}


def power(base: Array, exponent: float) -> Array:
    """base ** exponent for float32 base ≥ 0, in a new array: several times the speed of `np.power`."""
    out = np.clip(base, _DARKEST, _ANY)
    _log(out)
    out *= np.float32(exponent)
    _exp(out)
    return out


def _log(a: Array) -> None:
    """Natural logarithm in place; as one row, since OpenCV stumbles over axes of size 1."""
    flat = a.reshape(1, -1)
    cv2.log(flat, flat)


def _exp(a: Array) -> None:
    """Exponential in place."""
    flat = a.reshape(1, -1)
    cv2.exp(flat, flat)


def _spread(plane: Plane, spare: Array) -> Array:
    """The plane in each of three channels, written to `spare`; as it is where there is one channel alone."""
    if spare.shape[-1] == 1:
        return plane.reshape(spare.shape)
    cv2.cvtColor(plane.reshape(1, -1), cv2.COLOR_GRAY2RGB, spare.reshape(1, -1, 3))
    return spare
