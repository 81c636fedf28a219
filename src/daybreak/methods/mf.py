"""Fusion of three derived illuminations.

Source: Fu, Zeng, Huang, Liao, Ding, Paisley, "A fusion-based enhancing method for weakly illuminated images",
Signal Processing 129, 2016; methods.md B.8. The authors' code is compiled, so this follows the paper.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from daybreak.errors import NotEnoughMemory
from daybreak.image.color import value
from daybreak.image.filters import guided_filter
from daybreak.image.rows import Bands, brightest
from daybreak.image.strips import band_rows, over_bands
from daybreak.image.tone import TileCurves
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Card, Method, Prepared, Settings, setting
from daybreak.methods.derived import Derived, Tile, over_tiles
from daybreak.types import Array, Pixels, Plane

_LEAST_LIGHT = 1e-3
_TILES, _CLIP = 8, 2.0  # of the equalised illumination
_FINE = (3, 4)  # scales that may be left to windows
_DOWN, _UP = 2, 2  # cells around a place on which its coarse scales depend, down the pyramids and up again
_FUSING = 60  # bytes for each pixel of the planes that are fused


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


def illumination(plane: Plane, peak: float, diameter: int, radius: int, eps: float) -> Plane:
    """Closed brightness, fitted to the edges of the brightness itself, and nowhere under it.

    Args:
        plane: V, H×W float32 in [0, 1].
        peak: the largest V of the whole picture.
        diameter: of the disk, px, odd.
        radius: of the guided filter, px.
        eps: of the guided filter.

    Returns:
        H×W float32 in [1e-3, 1].
    """
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter))
    closed = np.asarray(cv2.morphologyEx(plane, cv2.MORPH_CLOSE, disk), dtype=np.float32)
    guide = plane / np.float32(max(peak, _LEAST_LIGHT))
    light = guided_filter(closed, guide, radius, eps)
    np.clip(light, _LEAST_LIGHT, 1, out=light)
    return np.maximum(light, plane, out=light)


def brightened(light: Plane, mean: float) -> Plane:
    """The illumination brightened by an arctangent, the steeper the darker the whole is.

    Args:
        light: h×w float32 in [1e-3, 1].
        mean: of the light of the whole picture.

    Returns:
        h×w float32 in [0, 1].
    """
    bright = np.arctan(light * np.float32(10 + (1 - mean) / mean))
    bright *= np.float32(2 / math.pi)
    return np.asarray(bright, np.float32)


def fusion_weights(inputs: list[Plane]) -> list[Plane]:
    """Weight of each input: its brightness times its nearness to one half, normalised to the sum 1.

    The paper's weight has a third factor, the chromatic contrast 1 + cos(2H + 250°)·S. It is common to the
    inputs, so the normalisation takes it away, and it is not computed here.

    Args:
        inputs: h×w float32 planes in [0, 1], at every pixel one of them above 0.

    Returns:
        As many h×w float32 planes, in [0, 1].
    """
    weights = []
    for plane in inputs:
        weight = plane - np.float32(0.5)
        weight *= weight
        weight *= np.float32(-1 / (2 * 0.25**2))
        np.exp(weight, out=weight)
        weight *= plane
        weights.append(weight)
    total = sum(weights[1:], weights[0])
    for weight in weights:
        weight /= total
    return weights


def fuse(inputs: list[Plane], weights: list[Plane], halvings: int, rest: Plane | None = None) -> Plane:
    """Blend planes scale by scale: Laplacian pyramids of the inputs, Gaussian pyramids of the weights.

    Args:
        inputs: h×w float32 planes.
        weights: as many, summing to 1 at every pixel.
        halvings: scales of details.
        rest: what the scales under these come to; None for the inputs that were halved so often, blended.

    Returns:
        h×w float32; may leave the inputs' range a little.
    """
    if halvings == 0:
        return blended(inputs, weights) if rest is None else rest
    smaller = [_reduced(plane) for plane in inputs]
    out = blended(
        [plane - _enlarged(small, plane) for plane, small in zip(inputs, smaller, strict=True)], weights
    )
    out += _enlarged(fuse(smaller, [_reduced(weight) for weight in weights], halvings - 1, rest), out)
    return out


def blended(planes: list[Plane], weights: list[Plane]) -> Plane:
    """The sum of weight times plane."""
    out = planes[0] * weights[0]
    for plane, weight in zip(planes[1:], weights[1:], strict=True):
        out += weight * plane
    return out


def _reduced(plane: Plane) -> Plane:
    """Half the size, rounded up."""
    return np.asarray(cv2.pyrDown(plane), dtype=np.float32)


def _enlarged(plane: Plane, like: Plane) -> Plane:
    """Twice the size, to the shape of `like`."""
    return np.asarray(cv2.pyrUp(plane, dstsize=like.shape[::-1]), dtype=np.float32)


def prepare(source: Bands, settings: MfSettings, room: int | None) -> Prepared:
    """Divide by the illumination, multiply by the fused one.

    The coarse scales are fused for the whole picture, the fine ones in each window.

    Args:
        source: H×W×3, sRGB in [0, 1].
        settings: see `MfSettings`.
        room: bytes that may be taken; None for no limit. The illumination is kept, or made three times.

    Raises:
        NotEnoughMemory: the coarse scales do not fit.
    """
    height, width = source.shape[:2]
    diameter, radius, eps = settings.diameter | 1, settings.radius, settings.eps
    peaks: list[float] = []
    over_bands(source, band_rows(width), lambda band, *_: peaks.append(float(brightest(band).max())))

    def illuminated(window: Pixels, _top: int, _left: int) -> Array:
        return illumination(value(window), max(peaks), diameter, radius, eps)[..., None]

    light = Derived(source, illuminated, diameter - 1 + 2 * radius, 1, room)
    left = None if room is None else room - light.kept
    curves = TileCurves(source.shape, _TILES, _CLIP)
    sums: list[float] = []

    def count(part: Array, top: int, left: int) -> None:
        curves.count(part[..., 0], top, left)
        sums.append(float(part.sum(dtype=np.float64)))

    light.each(count)
    mean = math.fsum(sums) / (height * width)

    def fused_from(window: Pixels, top: int, left: int) -> list[Plane]:
        plane = np.ascontiguousarray(light.at(window, top, left)[..., 0])
        return [plane, brightened(plane, mean), curves.read(plane, top, left)]

    scales = max(int(math.log2(min(height, width))) - 2, 1)
    fine = _fine_scales(height * width, scales - 1, left)
    cell = 1 << fine
    around = -(-light.halo // cell) * cell
    small = np.empty((6, -(-height // cell), -(-width // cell)), np.float32)
    left = None if left is None else left - small.nbytes

    def shrink(tile: Tile) -> None:
        inputs = fused_from(tile.window, tile.above, tile.before)
        whole, part = (tuple(_halved(side, cell) for side in sides) for sides in (tile.place, tile.inside))
        for into, plane in zip(small, inputs + fusion_weights(inputs), strict=True):
            for _ in range(fine):
                plane = _reduced(plane)
            into[whole] = plane[part]

    over_tiles(source, around + _DOWN * cell, shrink, left, cell)
    coarse = fuse(list(small[:3]), list(small[3:]), scales - 1 - fine)

    def run(window: Pixels, top: int, left: int) -> Pixels:
        inputs = fused_from(window, top, left)
        rows, columns = (slice(at, at + side) for at, side in zip((top, left), window.shape[:2], strict=True))
        rest = coarse[_halved(rows, cell), _halved(columns, cell)]
        gain = fuse(inputs, fusion_weights(inputs), fine, rest) / inputs[0]
        window *= gain[..., None]
        return np.clip(window, 0, 1, out=window)

    return Prepared(run, around + (_DOWN + _UP) * cell, cell, light.kept + coarse.nbytes)


def _fine_scales(pixels: int, most: int, room: int | None) -> int:
    """How many scales, of so many, are left to windows: as few as let the others be fused within the room.

    Raises:
        NotEnoughMemory: more would take windows that are mostly halo.
    """
    if room is None:
        return min(_FINE[0], most)
    for count in (min(scales, most) for scales in _FINE):
        needs = pixels * _FUSING // 4**count
        if needs <= room:
            return count
    raise NotEnoughMemory(f"mf's coarse scales take {needs / 1e6:,.0f} MB", f"at most {room / 1e6:,.0f} MB")


def _halved(side: slice, cell: int) -> slice:
    """Rows or columns, from a multiple of the cell on, in a plane that was halved to cells."""
    return slice(side.start // cell, -(-side.stop // cell))


METHOD = Method(
    card=Card(
        name="mf",
        summary="Multi-fusion: three versions of the illumination blended scale by scale; natural.",
        paper="Fu, Zeng, Huang, Liao, Ding, Paisley: A fusion-based enhancing method for weakly illuminated "
        "images. Signal Processing, 2016",
        kind="classical",
        settings=MfSettings,
        context="global",
        memory_per_pixel=32.0,
        notes="From the paper: the authors' compiled code is published at 18.79 dB on LOL, this has 16.5. "
        "Ours: the guided filter's numbers, 8×8 tiles with limit 2 for the equalised illumination, a pyramid "
        "of log2(shorter side) - 2 scales. The paper's hue factor in the weights cancels and is left out.",
    ),
    run=by_bands(prepare),
    prepare=prepare,
)
