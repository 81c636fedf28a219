"""Naturalness-preserved enhancement: lightness order is kept, over-enhancement avoided.

Source: Wang, Zheng, Hu, Li, "Naturalness Preserved Enhancement Algorithm for Non-Uniform Illumination
Images", IEEE TIP 22(9), 2013; methods.md B.7. The authors' code is compiled, so this follows the paper.
"""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np

from daybreak.image.color import value
from daybreak.image.rows import Bands, brightest
from daybreak.image.strips import Sum, band_rows, over_bands
from daybreak.image.tone import LEVELS, apply_curve, histogram
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Card, Method, Prepared, Settings, setting
from daybreak.methods.derived import Derived
from daybreak.stopping import look
from daybreak.types import Array, Pixels, Plane

_TILE = 256  # px; levels that a tile does not contain cost nothing there
_LEAST_WEIGHT = 0.05  # the least true weight is 1 co-occurrence / 15 levels; below is rounding


class NpeSettings(Settings):
    """Settings of naturalness-preserved enhancement."""

    window: int = setting(
        15,
        "Side of the window in which the illumination is taken from brighter pixels; more smooths it more. "
        "An even side counts as the next odd one.",
        source="paper: 15×15, as remembered",
        unit="px",
        ge=3,
        le=63,
    )


def co_occurrence(levels: Array, own: int | None = None) -> Array:
    """How often level l lies next to level k, over all 8 neighbours inside the picture.

    Args:
        levels: H×W uint8; of a band, one row more than its own, where there is one.
        own: rows of the band; None for all.

    Returns:
        256×256 float64 counts, symmetric; those of bands add up to those of the picture.
    """
    height, width = levels.shape
    counts = np.zeros((LEVELS, LEVELS))
    for down, right in (
        (0, 1),
        (1, 0),
        (1, 1),
        (1, -1),
    ):  # the other four are these, seen from the other side
        rows = height - down if down or own is None else own
        here = levels[:rows, max(-right, 0) : width - max(right, 0)]
        there = levels[down : down + rows, max(right, 0) : width + min(right, 0)]
        if here.size:
            counts += cv2.calcHist([here, there], [0, 1], None, [LEVELS, LEVELS], [0, LEVELS, 0, LEVELS])
    return counts + counts.T


def levels_of(plane: Plane) -> Array:
    """The nearest of 256 levels: H×W float32 in [0, 1] to uint8."""
    return np.asarray(cv2.convertScaleAbs(plane, alpha=LEVELS - 1)).reshape(plane.shape)


def neighbour_weights(counts: Array) -> Array:
    """Q(k, l): mean of the counts (k, l-w … l+w), w = max(k, l) // 32, for l >= k; 0 for darker neighbours l.

    Args:
        counts: 256×256, see `co_occurrence`.

    Returns:
        256×256 float32, upper triangle.
    """
    total = np.pad(np.cumsum(counts, axis=1), ((0, 0), (1, 0)))
    centre, neighbour = np.indices(counts.shape)
    reach = np.maximum(centre, neighbour) // 32
    first = np.maximum(neighbour - reach, 0)
    after = np.minimum(neighbour + reach + 1, LEVELS)
    mean = (total[centre, after] - total[centre, first]) / (after - first)
    return np.asarray(np.triu(mean), dtype=np.float32)


def bright_pass(levels: Array, weights: Array, side: int) -> Plane:
    """Illumination: mean of the equal or brighter levels in a window, weighted by Q of centre and neighbour.

    For one centre level the weights depend on the neighbour's level alone, so a look-up table and a box sum
    give the answer at all pixels of that level; exact, and without a loop over the window.

    Args:
        levels: H×W uint8, continued at the border by its last pixel.
        weights: 256×256, see `neighbour_weights`.
        side: of the window in px, odd.

    Returns:
        H×W float32 in [0, 255]; the level itself where no neighbour has weight.
    """
    rim = side // 2
    padded = cv2.copyMakeBorder(levels, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    out = levels.astype(np.float32)
    height, width = levels.shape
    brightness = np.arange(LEVELS, dtype=np.float32)
    go_on = look()
    for top, left in product(range(0, height, _TILE), range(0, width, _TILE)):
        go_on()
        core = levels[top : top + _TILE, left : left + _TILE]
        around = padded[top : top + core.shape[0] + 2 * rim, left : left + core.shape[1] + 2 * rim]
        target = out[top : top + _TILE, left : left + _TILE]
        for level in np.unique(core):
            at = core == level
            weight = _window_sum(around, weights[level], side)[at]
            total = _window_sum(around, weights[level] * brightness, side)[at]
            heavy = weight > _LEAST_WEIGHT
            target[at] = np.divide(total, weight, out=np.full_like(total, level), where=heavy)
    return out


def _window_sum(levels: Array, table: Array, side: int) -> Plane:
    """Sum of table[level] over the window around each pixel that has a whole one: (h-side+1)×(w-side+1)."""
    rim = side // 2
    sums = cv2.boxFilter(cv2.LUT(levels, table), -1, (side, side), normalize=False)
    return np.asarray(sums, dtype=np.float32)[rim : levels.shape[0] - rim, rim : levels.shape[1] - rim]


def bilog_curve(counts: Array) -> Array:
    """Tone curve that gives the illumination the histogram shape of log(i + 1).

    Args:
        counts: the illumination's histogram, 256 float64.

    Returns:
        256 float32, rising, in [0, 1]; the identity for an all-black picture.
    """
    logs = np.log1p(np.arange(LEVELS))
    have, want = np.cumsum(counts * logs), np.cumsum(logs)
    if have[-1] == 0:
        return np.linspace(0, 1, LEVELS, dtype=np.float32)
    levels = np.interp(have / have[-1], want / want[-1], np.arange(LEVELS))
    return np.asarray(levels / (LEVELS - 1), dtype=np.float32)


def prepare(source: Bands, settings: NpeSettings, room: int | None) -> Prepared:
    """Split into reflectance and illumination, remap the illumination, multiply.

    Args:
        source: H×W×3, sRGB in [0, 1].
        settings: see `NpeSettings`.
        room: bytes that may be taken; None for no limit. What the illumination needs of it is kept, or the
            illumination is made twice.
    """
    side, found = settings.window | 1, Sum()
    over_bands(
        source,
        band_rows(source.shape[1]),
        lambda band, _, top, bottom: found.add(co_occurrence(levels_of(brightest(band)), bottom - top)),
        below=1,
    )
    weights = neighbour_weights(found.total)

    def illumination(window: Pixels, _top: int, _left: int) -> Array:
        plane = value(window)
        light = bright_pass(levels_of(plane), weights, side)
        light /= LEVELS - 1
        # 8-bit levels may lie half a level under a finer V; reflectance must not exceed 1.
        return np.clip(light, plane, 1, out=light)[..., None]

    light, counts = Derived(source, illumination, side // 2, 1, room), Sum()
    light.each(lambda part, _top, _left: counts.add(histogram(np.ascontiguousarray(part[..., 0]))))
    curve = bilog_curve(counts.total)

    def run(window: Pixels, top: int, left: int) -> Pixels:
        under = light.at(window, top, left)[..., 0]
        gain = apply_curve(under, curve)
        gain /= np.maximum(under, np.finfo(np.float32).tiny)
        window *= gain[..., None]
        return np.clip(window, 0, 1, out=window)

    return Prepared(run, light.halo, kept=light.kept)


METHOD = Method(
    card=Card(
        name="npe",
        summary="Naturalness-preserved: bright-pass illumination, lightness order kept.",
        paper="Wang, Zheng, Hu, Li: Naturalness Preserved Enhancement Algorithm for Non-Uniform Illumination "
        "Images. IEEE TIP, 2013",
        kind="classical",
        settings=NpeSettings,
        context="global",
        memory_per_pixel=12.0,
        cost="about 20 s at 12 megapixels; more where a region holds many grey levels, and twice that where "
        "memory is short",
        notes="From the paper: the authors' compiled code is published at 16.97 dB on LOL, this has 15.5. "
        "Co-occurrence counts neighbours inside the picture only; the smoothing reach is max(k, l) // 32 "
        "levels. A picture of one single level other than black comes out white, as its histogram must.",
    ),
    run=by_bands(prepare),
    prepare=prepare,
)
