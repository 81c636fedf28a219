"""How far the two pictures of a pair are shifted against each other, however different their brightness.

Both are reduced to the strength of their edges on a logarithmic scale, divided by its local contrast. The
whole pictures are correlated first, coarsely; then overlapping blocks, each from where that put it, so that a
zoom, a turn or an object that was moved shows too. Along an edge that is the only one in its block nothing
can be said (the aperture problem), and that direction counts as no shift.

Source: our own. Normalised cross-correlation by the Fourier transform; the peak between the pixels is that of
a quadratic through its 3×3 neighbours, whose curvature also tells the directions that are certain.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from daybreak.types import Pixels, Plane

# Measured on LOL v1: with the right partner 499 of 500 pairs have two blocks or more above SURE, with a wrong
# one none of 100 has, and 1 of 100 passes ALIKE. The smaller the pictures, the better do two correlate by
# chance: as one over the root of their area (80 pairs of BSDS500 photographs at five sizes).
SHIFTED = 1.5  # pixels that were compared; rounds to 2
SURE = 0.5  # correlation from which the shift of a block of 100 px or more is believed
ALIKE = 0.25  # correlation of whole pictures of 400×600 px from which a coarse shift is believed
CERTAIN = 0.2  # least curvature of the peak, of the greatest, for a direction to count

LONGEST_SIDE = 800  # px; larger pictures are compared at this size
SHORTEST_SIDE = 32
BLOCK = 200  # px, at most; half the shorter side of a small picture
FINE, COARSE = 2.0, 4.0  # px, blur before the edges are taken


@dataclass(frozen=True)
class Alignment:
    """How two pictures lie on each other.

    Attributes:
        dx, dy: by how many pixels the first lies to the right of the second, and below it: the median of the
            blocks, or of the whole where no two blocks are sure.
        farthest: length of the second largest shift of a block, in pixels: what a loss of alignment in some
            part comes to, however small it is in the middle.
        likeness: correlation of the edges of the whole pictures, at most 1.
        blocks: how many blocks the above rests on; fewer than 2 means the whole pictures.
        limit: pixels from which `farthest` is called shifted.
        told: whether there was enough in common to tell anything.
    """

    dx: float
    dy: float
    farthest: float
    likeness: float
    blocks: int
    limit: float
    told: bool

    @property
    def shifted(self) -> bool:
        """Whether the pair is misaligned by 2 pixels or more (of the size at which it was compared)."""
        return self.told and self.farthest >= self.limit


def align(first: Pixels, second: Pixels) -> Alignment | None:
    """Compare two pictures of one size.

    Args:
        first, second: H×W×3 float32 in [0, 1], sRGB-encoded.

    Returns:
        How they lie on each other, in pixels of the pictures as given; None for a side under 32 px.
    """
    height, width = first.shape[:2]
    if min(height, width) < SHORTEST_SIDE:
        return None
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    small = [_logarithm(picture, scale) for picture in (first, second)]
    if min(small[0].shape) < SHORTEST_SIDE:
        return None
    coarse = _correlate(*(_edges(picture, COARSE) for picture in small))
    fine = [_edges(picture, FINE) for picture in small]
    shifts = _block_shifts(fine[0], fine[1], round(coarse.dx), round(coarse.dy))
    if len(shifts) >= 2:
        dx, dy = np.median(shifts, axis=0)
        farthest = float(np.sort(np.hypot(*shifts.T))[-2])
    else:
        dx, dy = coarse.dx, coarse.dy
        farthest = float(np.hypot(dx, dy))
    by_chance = (400 * 600 / small[0].size) ** 0.5
    return Alignment(
        round(float(dx) / scale, 2),
        round(float(dy) / scale, 2),
        round(farthest / scale, 2),
        round(coarse.height, 3),
        len(shifts),
        SHIFTED / scale,
        told=len(shifts) >= 2 or coarse.height >= ALIKE * max(1.0, by_chance),
    )


def _logarithm(pixels: Pixels, scale: float) -> Plane:
    """Logarithm of the gray values, reduced; 0.02 keeps the noise of the blackest parts down."""
    height, width = pixels.shape[:2]
    gray = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32).reshape(height, width)
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        gray = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(np.log(gray + np.float32(0.02)), np.float32)


def _edges(logarithm: Plane, blur: float) -> Plane:
    """Strength of the edges over its root mean square around, at least 0.05 so that flat stays flat."""
    smooth = cv2.GaussianBlur(logarithm, (0, 0), blur)
    strength = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    contrast = np.sqrt(cv2.GaussianBlur(strength * strength, (0, 0), 6 * blur))
    return np.asarray(strength / (contrast + 0.05), np.float32)


@dataclass(frozen=True)
class _Peak:
    dx: float
    dy: float
    height: float


def _correlate(first: Plane, second: Plane) -> _Peak:
    """Where a picture best lies on another one of its size, and how well; uncertain directions are 0."""
    height, width = first.shape
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1]).astype(np.float32)
    here, there = (first - first.mean()) * window, (second - second.mean()) * window
    norm = float(np.linalg.norm(here) * np.linalg.norm(there))
    if norm < 1e-6:
        return _Peak(0.0, 0.0, 0.0)
    table = np.fft.irfft2(np.fft.rfft2(here) * np.conj(np.fft.rfft2(there)), s=(height, width)) / norm
    y, x = (int(i) for i in np.unravel_index(int(table.argmax()), table.shape))
    around = table[np.ix_([(y - 1) % height, y, (y + 1) % height], [(x - 1) % width, x, (x + 1) % width])]
    whole = np.array([x - width if x > width // 2 else x, y - height if y > height // 2 else y], np.float64)
    dx, dy = _refine(whole, around)
    return _Peak(float(dx), float(dy), float(around[1, 1]))


def _refine(whole: NDArray[np.float64], around: NDArray[np.floating]) -> NDArray[np.float64]:
    """The peak of a quadratic through 3×3 values, without its component in a direction that is uncertain."""
    slope = np.array([around[1, 2] - around[1, 0], around[2, 1] - around[0, 1]]) / 2
    xx = around[1, 0] - 2 * around[1, 1] + around[1, 2]
    yy = around[0, 1] - 2 * around[1, 1] + around[2, 1]
    xy = (around[2, 2] + around[0, 0] - around[0, 2] - around[2, 0]) / 4
    curvature, axes = np.linalg.eigh(-np.array([[xx, xy], [xy, yy]]))  # ascending
    if curvature[1] <= 0:
        return np.zeros(2)
    between = axes @ ((axes.T @ slope) / np.maximum(curvature, 1e-3 * curvature[1]))
    shift = whole + np.clip(between, -1.0, 1.0)
    if curvature[0] < CERTAIN * curvature[1]:
        shift = axes[:, 1] * (axes[:, 1] @ shift)
    return np.asarray(shift, np.float64)


def _block_shifts(first: Plane, second: Plane, dx: int, dy: int) -> NDArray[np.float64]:
    """N×2, (x, y) shift of each block that is sure, when the second is looked at from (dx, dy) on."""
    height, width = first.shape
    side = min(BLOCK, min(height, width) // 2)
    sure = SURE * max(1.0, (100 / side) ** 0.5)
    found = []
    for y in np.linspace(0, height - side, round(1.5 * height / side)).astype(int):
        for x in np.linspace(0, width - side, round(1.5 * width / side)).astype(int):
            there_y = min(max(y - dy, 0), height - side)
            there_x = min(max(x - dx, 0), width - side)
            block = first[y : y + side, x : x + side]
            peak = _correlate(block, second[there_y : there_y + side, there_x : there_x + side])
            if peak.height >= sure:
                found.append((peak.dx + x - there_x, peak.dy + y - there_y))
    return np.array(found, np.float64).reshape(-1, 2)
