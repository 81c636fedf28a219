"""Multi-scale Retinex.

Source: Jobson, Rahman, Woodell, "A Multiscale Retinex for Bridging the Gap Between Color Images and the Human
Observation of Scenes", IEEE TIP 6(7), 1997; methods.md B.4: MSR = Σ ⅓ (log X - log(G_σ ∗ X)), X = 255·I + 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from daybreak.image.filters import Blur
from daybreak.image.rows import Bands
from daybreak.image.strips import Sum
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Card, Method, Prepared, Settings, setting
from daybreak.methods.derived import Derived
from daybreak.stopping import look
from daybreak.types import Array, Pixels, Plane

RETINEX_NOTES = (
    "The paper's surround is exp(-r²/c²); as in public code c is taken as the Gaussian's standard deviation. "
    "Instead of the paper's fixed gain and offset each channel is stretched between two percentiles; a "
    "channel that shows no detail at all (its Retinex is flat) stays as it came. Sigmas are in pixels of the "
    "picture given, whatever its size. From sigma 32 on, the surround is computed on a reduced plane: within "
    "1e-3 of its range from the Gaussian truncated at 3 sigma (2.5e-4 on photographs); the enhanced picture "
    "stays within 1e-3 of the one with exact surrounds."
)
_FLAT = 1e-3  # a range of log ratios under this is rounding, not detail (one level of 255 at white is 4e-3)
_RANGE = 6.0  # of log ratios, on both sides of 0: more than log 256
_BINS = 1 << 18  # in which they are counted, of 5e-5 each


class MsrSettings(Settings):
    """Settings of the multi-scale Retinex."""

    sigma_small: float = setting(
        15.0,
        "Width of the smallest surround; brings out fine detail in shadows.",
        source="paper: 15",
        unit="px",
        ge=1,
        le=500,
    )
    sigma_middle: float = setting(
        80.0,
        "Width of the middle surround.",
        source="paper: 80",
        unit="px",
        ge=1,
        le=500,
    )
    sigma_large: float = setting(
        250.0,
        "Width of the largest surround; keeps the rendering of tones over the whole picture.",
        source="paper: 250",
        unit="px",
        ge=1,
        le=500,
    )
    clip: float = setting(
        1.0,
        "Share of the pixels clipped at each end of each channel; more brings more contrast.",
        source="assumed: 1 % as in public code, in place of the paper's fixed gain and offset",
        unit="%",
        ge=0,
        le=20,
    )


def shifted(plane: Array) -> Array:
    """255·v + 1, so that its logarithm is at least 0: float32 in [1, 256], same shape."""
    return np.asarray(plane * np.float32(255) + np.float32(1), dtype=np.float32)


@dataclass(frozen=True)
class Detail:
    """Log ratios that are made of any window of a picture.

    Attributes:
        at: (window, top, left) -> h×w×3 float32.
        halo: pixels around a place that what is told of it depends on.
        kept: bytes of memory that it holds.
    """

    at: Callable[[Pixels, int, int], Pixels]
    halo: int
    kept: int


def retinex(source: Bands, sigmas: Sequence[float]) -> Detail:
    """Mean over the surrounds of log X - log(G_σ ∗ X), X = 255·I + 1.

    Args:
        source: I, H×W×3, in [0, 1].
        sigmas: widths of the surrounds in px.

    Returns:
        About 0; 0 where the picture is flat. Its windows are of X.
    """
    go_on = look()
    surrounds = []
    for sigma in sigmas:
        go_on()
        surrounds.append(Blur(source, sigma, shifted))

    def at(window: Pixels, top: int, left: int) -> Pixels:
        out = np.zeros_like(window)
        for surround in surrounds:
            go_on()
            out -= logarithm(surround.at(window, top, left))
        out /= len(surrounds)
        out += logarithm(window)
        return out

    kept = sum(surround.kept for surround in surrounds)
    return Detail(at, max(surround.halo for surround in surrounds), kept)


def of_shifted(detail: Detail) -> Detail:
    """The same of windows of I instead of X."""
    return replace(detail, at=lambda window, top, left: detail.at(shifted(window), top, left))


def logarithm(values: Array) -> Array:
    """By OpenCV, several times NumPy's speed: float32 of any shape."""
    return np.asarray(cv2.log(np.ascontiguousarray(values).reshape(values.shape[0], -1))).reshape(
        values.shape
    )


def balanced(
    source: Bands, detail: Detail, percent: float, room: int | None, most: float = _RANGE
) -> Prepared:
    """Stretch Retinex values between two percentiles to [0, 1]; a channel where they are flat stays as it is.

    Args:
        source: H×W×3, sRGB in [0, 1].
        detail: of windows of the source.
        percent: clipped at each end, in %.
        room: bytes that may be taken; None for no limit.
        most: the detail lies within ± this.
    """
    left = None if room is None else max(0, room - detail.kept)
    planes = Derived(source, detail.at, detail.halo, 3, left)
    if planes.whole is not None:
        ends = [_percentiles(planes.whole[..., channel], percent) for channel in range(3)]
    else:
        ends = _counted_percentiles(planes, percent, most)

    def run(window: Pixels, top: int, left: int) -> Pixels:
        found = planes.at(window, top, left)
        for channel, (low, high) in enumerate(ends):
            if high - low >= _FLAT:
                out = (found[..., channel] - np.float32(low)) / np.float32(high - low)
                window[..., channel] = np.clip(out, 0, 1, out=out)
        return window

    return Prepared(run, planes.halo, kept=planes.kept + detail.kept)


def _percentiles(plane: Plane, percent: float) -> tuple[float, float]:
    low, high = np.percentile(plane, [percent, 100 - percent])
    return float(low), float(high)


def _counted_percentiles(planes: Derived, percent: float, most: float) -> list[tuple[float, float]]:
    """The same of all channels, within a bin, from counts: the values need not be held."""
    found = Sum()

    def count(part: Pixels, _top: int, _left: int) -> None:
        places = ((part + np.float32(most)) * np.float32(_BINS / (2 * most))).astype(np.intp)
        found.add(np.stack([np.bincount(places[..., c].ravel(), minlength=_BINS) for c in range(3)]))

    planes.each(count)
    edges = np.linspace(-most, most, _BINS + 1)
    ends = []
    for channel in found.total:
        below = np.concatenate([[0], np.cumsum(channel)])
        wanted = np.array([percent, 100 - percent]) / 100 * (below[-1] - 1) + 0.5
        low, high = np.interp(wanted, below, edges)
        ends.append((float(low), float(high)))
    return ends


def prepare(source: Bands, settings: MsrSettings, room: int | None) -> Prepared:
    """Divide each channel by its surround at three scales, in logarithms.

    Args:
        source: H×W×3, sRGB in [0, 1].
        settings: see `MsrSettings`.
        room: bytes that may be taken; None for no limit.
    """
    detail = retinex(source, (settings.sigma_small, settings.sigma_middle, settings.sigma_large))
    return balanced(source, of_shifted(detail), settings.clip, room)


METHOD = Method(
    card=Card(
        name="msr",
        summary="Multi-scale Retinex: every region set off against its surroundings; colours turn grayish.",
        paper="Jobson, Rahman, Woodell: A Multiscale Retinex for Bridging the Gap Between Color Images and "
        "the Human Observation of Scenes. IEEE TIP, 1997",
        kind="classical",
        settings=MsrSettings,
        context="global",
        memory_per_pixel=27.0,
        notes=RETINEX_NOTES,
    ),
    run=by_bands(prepare),
    prepare=prepare,
)
