"""Brightness planes of a picture and pictures with a new brightness.

The methods use three meanings of brightness: V of HSV, luma Y of BT.601, L of CIELAB. Each can be read and,
without a trip through 8 bits, replaced while the other two coordinates of its space stay.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from daybreak.stopping import look
from daybreak.types import Pixels, Plane

_BAND_PIXELS = 1 << 16

# Linear sRGB -> XYZ (IEC 61966-2-1), each row divided by its sum so that gray g becomes (g, g, g) exactly.
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_TO_XYZ = (_XYZ / _XYZ.sum(axis=1, keepdims=True)).T.astype(np.float32)
_FROM_XYZ = np.linalg.inv(_TO_XYZ.astype(np.float64)).astype(np.float32)
_KNEE = 6.0 / 29.0  # where CIELAB's cube root gives way to a line


def row_bands(plane: Plane) -> Iterator[slice]:
    """Slices of whole rows, 65,536 pixels or a row each, so that temporaries stay in the cache.

    Raises:
        Stopped: before any of them, where that was asked for (`daybreak.stopping`).
    """
    height, width = plane.shape
    step, go_on = max(1, _BAND_PIXELS // width), look()
    for top in range(0, height, step):
        go_on()
        yield slice(top, min(top + step, height))


def value(pixels: Pixels) -> Plane:
    """V of HSV, max(R, G, B): H×W float32 in [0, 1]."""
    return np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])


def with_value(pixels: Pixels, old: Plane, new: Plane) -> Pixels:
    """The picture with another V and its hue and saturation kept.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        old: its V, H×W float32.
        new: the V wanted, H×W float32 in [0, 1]; a black pixel, which has no hue, becomes this gray.

    Returns:
        H×W×3 float32 in [0, 1].
    """
    black = old <= 0
    ratio = new / np.where(black, np.float32(1), old)
    out = pixels * ratio[..., None]
    out[black] = new[black, None]
    return np.minimum(out, 1, out=out)


def luma(pixels: Pixels) -> Plane:
    """Y of full-range BT.601 YCbCr (.299, .587, .114): H×W float32 in [0, 1]."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.float32)


def with_luma(pixels: Pixels, old: Plane, new: Plane) -> Pixels:
    """The picture with another luma and its Cb and Cr kept, clipped to [0, 1]; arguments as `with_value`."""
    out = pixels + (new - old)[..., None]
    return np.clip(out, 0, 1, out=out)


def lightness(pixels: Pixels) -> Plane:
    """L of CIELAB (D65) divided by 100: H×W float32 in [0, 1]."""
    out = np.empty(pixels.shape[:2], np.float32)
    for rows in row_bands(out):
        luminance = srgb_to_linear(pixels[rows]) @ _TO_XYZ[:, 1]
        out[rows] = 1.16 * _cube_root(luminance) - 0.16
    return np.clip(out, 0, 1, out=out)


def with_lightness(pixels: Pixels, old: Plane, new: Plane) -> Pixels:
    """The picture with another CIELAB L and its a and b kept, clipped to [0, 1]; arguments as `with_value`.

    OpenCV's own float conversion is off by up to 4e-3 on the way there and back and tints gray, so this one
    computes: f(X), f(Y) and f(Z) all move by the same amount when L moves and a and b stay.
    """
    out = np.empty_like(pixels)
    for rows in row_bands(old):
        roots = _cube_root(srgb_to_linear(pixels[rows]) @ _TO_XYZ)
        roots += ((new[rows] - old[rows]) / np.float32(1.16))[..., None]
        linear = _cube(roots) @ _FROM_XYZ
        out[rows] = linear_to_srgb(np.clip(linear, 0, 1, out=linear))
    return out


def srgb_to_linear(encoded: NDArray[np.float32]) -> NDArray[np.float32]:
    """sRGB transfer function undone; any shape, [0, 1]."""
    return np.where(encoded <= 0.04045, encoded / np.float32(12.92), _power((encoded + 0.055) / 1.055, 2.4))


def linear_to_srgb(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """sRGB transfer function; any shape, [0, 1]; the outcome is clipped, 1 must not become 1 + 1e-7."""
    curve = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * _power(linear, 1 / 2.4) - 0.055)
    return np.clip(curve, 0, 1)


def _cube_root(ratio: NDArray[np.float32]) -> NDArray[np.float32]:
    """f of CIELAB; any shape, [0, 1] -> [4/29, 1]."""
    return np.where(ratio > _KNEE**3, _power(ratio, 1 / 3), ratio / np.float32(3 * _KNEE**2) + 4 / 29)


def _cube(root: NDArray[np.float32]) -> NDArray[np.float32]:
    """f of CIELAB undone; any shape."""
    return np.where(root > _KNEE, root * root * root, (root - 4 / 29) * np.float32(3 * _KNEE**2))


def _power(base: NDArray[np.float32], exponent: float) -> NDArray[np.float32]:
    """base ** exponent by OpenCV, several times NumPy's speed; it drops axes of size 1, hence the reshape."""
    return np.asarray(cv2.pow(base, exponent), dtype=np.float32).reshape(base.shape)
