"""Flicker of a clip: how much its brightness changes from frame to frame, beside what its input does.

Source: our own definition, after the mean-brightness difference of adjacent frames that video enhancement is
usually judged by (Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018, speak of its
short-term error); here no motion is compensated, so it says something of static scenes only, and the input's
own change is the floor that it is measured against. It scores clips, not pictures, so it does not stand in
the list of metrics.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from daybreak.errors import MetricError
from daybreak.image.cells import cell_means, grid_of
from daybreak.image.depth import to_float
from daybreak.types import Array, Pixels

_BLACK = np.float32(2.0 / 255.0)  # added to both sides of a gain: black cells have none


@dataclass(frozen=True)
class Flicker:
    """What the frames of a clip do.

    Attributes:
        frames: how many were compared, at least 2.
        before, after: mean absolute change of the mean brightness from one frame to the next, in grey levels
            (0 to 255), of the input and of the output.
        local_before, local_after: the same of each cell of the grid, then averaged over the cells.
        gain: mean brightness of the output over that of the input.
        gain_change: mean absolute change of ln(gain of a cell) from one frame to the next.
    """

    frames: int
    before: float
    after: float
    local_before: float
    local_after: float
    gain: float
    gain_change: float

    @property
    def ratio(self) -> float:
        """The output's change over the input's, scaled by the gain; 1 adds nothing."""
        return _over(self.after, self.gain * self.before)

    @property
    def local_ratio(self) -> float:
        """The same by cells."""
        return _over(self.local_after, self.gain * self.local_before)


class FlickerMeter:
    """Takes a clip frame by frame.

    >>> meter = FlickerMeter()
    >>> for level in (10, 12, 10):
    ...     frame = np.full((16, 16, 3), level, np.uint8)
    ...     meter.add(frame, 2 * frame)
    >>> round(meter.result().before, 3), round(meter.result().ratio, 3)
    (2.0, 1.0)
    """

    def __init__(self) -> None:
        self._before: list[Pixels] = []
        self._after: list[Pixels] = []

    def add(self, before: Array, after: Array) -> None:
        """Add the next frame of the input and of the output.

        Args:
            before: H×W×3 uint8, uint16 or float in [0, 1].
            after: the same, of this or another size.

        Raises:
            MetricError: no pictures, or a size that changes.
        """
        for picture in (before, after):
            if picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
                raise MetricError(f"a frame of shape {picture.shape}", "H×W×3 with at least one pixel")
        grid = grid_of(before.shape)
        if self._before and self._before[0].shape[:2] != grid:
            raise MetricError("frames of different sizes", "one size for the whole clip")
        self._before.append(_means(before, grid))
        self._after.append(_means(after, grid))

    def result(self) -> Flicker:
        """What the frames so far say.

        Raises:
            MetricError: fewer than two.
        """
        if len(self._before) < 2:
            raise MetricError(f"the flicker of {len(self._before)} frames", "two frames or more")
        before, after = np.stack(self._before), np.stack(self._after)  # T×h×w×3
        return Flicker(
            frames=len(before),
            before=_change(before.mean(axis=(1, 2, 3))),
            after=_change(after.mean(axis=(1, 2, 3))),
            local_before=_change(before.mean(axis=3)),
            local_after=_change(after.mean(axis=3)),
            gain=_over(float(after.mean()), float(before.mean())),
            gain_change=_change(np.log((after + _BLACK) / (before + _BLACK))) / 255.0,
        )


def flicker(before: Iterable[Array], after: Iterable[Array]) -> Flicker:
    """Score a clip.

    Args:
        before: the frames of the input, as for `FlickerMeter.add`.
        after: as many of the output.

    Raises:
        MetricError: fewer than two frames, more of one than of the other, or no pictures.
    """
    meter = FlickerMeter()
    try:
        for first, second in zip(before, after, strict=True):
            meter.add(first, second)
    except ValueError as error:
        if isinstance(error, MetricError):
            raise
        raise MetricError(
            "clips of different lengths", "as many frames of the output as of the input"
        ) from None
    return meter.result()


def _means(picture: Array, grid: tuple[int, int]) -> Pixels:
    if picture.dtype.kind == "u":
        picture = to_float(picture, 255 if picture.dtype == np.uint8 else 65535)
    return cell_means(picture.astype(np.float32, copy=False), grid)


def _change(values: Array) -> float:
    """Mean absolute difference along the first axis, times 255."""
    return float(np.abs(np.diff(values.astype(np.float64), axis=0)).mean() * 255.0)


def _over(value: float, base: float) -> float:
    if base > 0.0:
        return value / base
    return 0.0 if value == 0.0 else float("inf")
