"""No flicker: what a method decides for a frame is held steady over time, whatever the method.

Nothing is known of the method but what went in and what came out. On a coarse grid the gain of each cell
and channel, ln((out + b) / (in + b)), is what it decided there: exposure, colour, local contrast. Where a cell's
input stays as it is, its gain is held: it follows the average of the last moments only when that has moved by
more than a dead band, as the exposure of a camera does. Where a cell's input has changed, its gain has to
change too; there the frame's tone curve, the gain as a function of the input's level, is smoothed over time in
its place. The frame is then multiplied by exp(wanted − found), enlarged smoothly. A cut starts anew.

Source: our own; the dead band is that of any auto-exposure loop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from daybreak.enhancing.video.cuts import CutDetector
from daybreak.image.cells import cell_means, grid_of
from daybreak.image.rows import Levels, Rows
from daybreak.types import Array, Pixels

SECONDS = 0.5  # over which gains are averaged
BAND = 0.05  # of ln(gain): a twentieth brighter or darker is not seen, unless it comes and goes
_BLACK = np.float32(2.0 / 255.0)
_STILL, _MOVED = (
    0.12,
    0.30,
)  # change of ln(input) of a cell: below it is as it was, above it is something else
_LEVELS = 17  # points of the tone curve, evenly spaced in ln(input + b)
_MOST = math.log(4.0)  # no frame is corrected by more than this


@dataclass(frozen=True)
class State:
    """What is remembered from frame to frame; h×w×3 float32 each, on the grid.

    Attributes:
        held: ln(gain) that the output is given.
        average: of ln(gain) as found, over the last moments.
        usual: the input's mean, over the last moments.
        sums: 3×2×levels: of the tone curve over the last moments, weighted gains and weights.
    """

    held: Pixels
    average: Pixels
    usual: Pixels
    sums: Array


class Steady:
    """Holds a method steady over the frames of a clip, which come in order.

    Args:
        seconds: over which gains are averaged; more is calmer and slower to follow a change of light.
        state: to go on from; None starts anew.
    """

    def __init__(self, seconds: float = SECONDS, state: State | None = None) -> None:
        self.seconds = seconds
        self.state = state
        self._starts_shot = CutDetector()

    def __call__(self, before: Rows, after: Rows, seconds: float) -> Rows:
        """Correct one frame.

        Args:
            before: the input, H×W×3.
            after: what the method made of it, of this or a larger size.
            seconds: since the frame before.

        Returns:
            Of the kind of `after`, which may be reused for it.
        """
        grid = grid_of(before.shape)
        cells = cell_means(before, grid)
        made = cell_means(after, grid)
        gain = np.log((made + _BLACK) / (cells + _BLACK))
        begins = self._starts_shot(cells)
        state = self.state
        if state is None or state.held.shape != gain.shape or (begins and self._seen):
            self.state = State(gain, gain, cells, _curve_sums(cells, gain))
            self._seen = True
            return after
        self._seen = True
        share = 1.0 - math.exp(-max(seconds, 0.0) / self.seconds)
        self.state = _follow(state, cells, gain, share)
        return _multiply(after, np.exp(np.clip(self.state.held - gain, -_MOST, _MOST)))

    _seen = False  # the first frame begins a shot, unless a state was handed over


def _follow(state: State, cells: Pixels, gain: Pixels, share: float) -> State:
    """The state after one more frame of the same shot."""
    moved = _moved(cells, state.usual)
    own = _curve_sums(cells, gain)
    sums = (1.0 - share) * state.sums + share * own
    by_level = gain + _at(_curve(sums), cells) - _at(_curve(own), cells)
    average = state.average + np.float32(share) * (gain - state.average)
    off = average - state.held
    still = state.held + np.float32(share) * np.sign(off) * np.maximum(np.abs(off) - np.float32(BAND), 0)
    return replace(
        state,
        held=still + moved * (by_level - still),
        average=average + moved * (by_level - average),
        usual=state.usual + np.maximum(moved, np.float32(share)) * (cells - state.usual),
        sums=sums,
    )


def _moved(cells: Pixels, usual: Pixels) -> Array:
    """0 where a cell shows what it did, 1 where it shows something else: h×w×1."""
    change = np.abs(np.log((cells + _BLACK) / (usual + _BLACK))).max(axis=2)
    change = cv2.dilate(change, np.ones((3, 3), np.uint8)).reshape(change.shape)  # a mover's surroundings too
    x = np.clip((change - _STILL) / (_MOVED - _STILL), 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x), dtype=np.float32)[..., np.newaxis]


def _place(cells: Pixels) -> Array:
    """Where on the tone curve an input level lies, from 0 to `_LEVELS` − 1; same shape."""
    white = math.log((1.0 + float(_BLACK)) / float(_BLACK))
    return np.asarray(np.log1p(cells / _BLACK) * ((_LEVELS - 1) / white), dtype=np.float64)


def _curve_sums(cells: Pixels, gain: Pixels) -> Array:
    """Of one frame's tone curve: 3×2×levels, weighted gains and weights; each cell counts for two points."""
    place = _place(cells).reshape(-1, 3)
    low = np.minimum(place.astype(np.intp), _LEVELS - 2)
    upper = place - low
    found = gain.reshape(-1, 3).astype(np.float64)
    sums = np.empty((3, 2, _LEVELS))
    for channel in range(3):
        at, weight, value = low[:, channel], upper[:, channel], found[:, channel]
        for kind, factor in enumerate((value, np.ones_like(value))):
            sums[channel, kind] = np.bincount(at, (1.0 - weight) * factor, _LEVELS)
            sums[channel, kind] += np.bincount(at + 1, weight * factor, _LEVELS)
    return sums


def _curve(sums: Array) -> Array:
    """ln(gain) at each point of the tone curve, 3×levels; points that no cell is near take their neighbours'."""
    points = np.arange(_LEVELS)
    curve = np.empty((3, _LEVELS))
    for channel, (weighted, weights) in enumerate(sums):
        known = weights > 1e-9
        curve[channel] = np.interp(points, points[known], weighted[known] / weights[known])
    return curve


def _at(curve: Array, cells: Pixels) -> Pixels:
    """The tone curve at each cell's level: h×w×3."""
    place = _place(cells)
    points = np.arange(_LEVELS)
    read = [np.interp(place[..., channel], points, curve[channel]) for channel in range(3)]
    return np.stack(read, axis=2).astype(np.float32)


def _multiply(rows: Rows, factor: Pixels) -> Rows:
    """Multiply by a coarse map, enlarged bilinearly, and clip: of the kind of `rows`, in its memory."""
    height, width = rows.shape[:2]
    whole = cv2.resize(factor, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, 3)
    if isinstance(rows, Levels):
        depth = cv2.CV_8U if rows.whole.dtype == np.uint8 else cv2.CV_16U
        made = cv2.multiply(rows.whole, whole, dst=rows.whole, dtype=depth).reshape(height, width, 3)
        return Levels(made, rows.peak)
    return np.clip(np.multiply(rows, whole, out=whole), 0.0, 1.0, out=whole)
