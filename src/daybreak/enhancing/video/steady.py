"""No flicker: what a method decides for a frame is held steady over time, whatever the method.

Nothing is known of the method but what went in and what came out. On a coarse grid the gain of each cell
and channel, ln((out + b) / (in + b)), is what it decided there: exposure, colour, local contrast. Where a
cell's input stays as it is, its gain is held: it follows the average of the last moments only when that has
moved by more than a dead band, as the exposure of a camera does. Where a cell's input has changed, its gain
has to change too; there the frame's tone curve, the gain as a function of the input's level, is smoothed over
time in its place. The frame is then multiplied by exp(wanted − found), enlarged smoothly. A cut starts anew.

Source: our own; the dead band is that of any auto-exposure loop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from daybreak.enhancing.video.correction import BLACK, corrected
from daybreak.enhancing.video.cuts import CutDetector
from daybreak.image.cells import Grid, cell_means, grid_of
from daybreak.image.rows import Rows
from daybreak.types import Array, Pixels

SECONDS = 0.5  # over which gains are averaged
BAND = 0.05  # of ln(gain): a twentieth brighter or darker is not seen, unless it comes and goes
_BAND_OF_ALL = 0.02  # the same for the mean of a frame, which wavers less
_CALM, _LIVELY = 0.02, 0.10  # share of the cells that move: from the second on the mean is free to change
_STILL, _MOVED = 0.12, 0.30  # change of ln(input) of a cell: below it is as it was, above something else
_LEVELS = 17  # points of the tone curve, evenly spaced in ln(input + b)
_FINER = 4  # the enlarged map is checked on cells this many times smaller
_MOST = math.log(4.0)  # no frame is corrected by more than this


@dataclass(frozen=True)
class State:
    """What is remembered from frame to frame; h×w×3 float32 each, on the grid.

    Attributes:
        held: ln(gain) that the output is given.
        average: of ln(gain) as found, over the last moments.
        spread: how far ln(gain) lay from its average of late, at most: what wavers is followed later.
        usual: the input's mean, over the last moments.
        sums: 3×2×levels: of the tone curve over the last moments, weighted gains and weights.
        level: ln(gain) of the whole frame that the output is given, per channel.
        last, changes: what the `CutDetector` has; `changes` is a row of them.
    """

    held: Pixels
    average: Pixels
    spread: Pixels
    usual: Pixels
    sums: Array
    level: Array
    last: Pixels
    changes: Array


class Steady:
    """Holds a method steady over the frames of a clip, which come in order.

    Args:
        seconds: over which gains are averaged; more is calmer and slower to follow a change of light.
        state: to go on from; None starts anew.
    """

    def __init__(self, seconds: float = SECONDS, state: State | None = None) -> None:
        self.seconds = seconds
        self.state = state
        self._starts_shot = CutDetector() if state is None else CutDetector(state.last, state.changes)

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
        fine = cell_means(after, _finer(grid, after.shape))
        made = cell_means(fine, grid)
        begins = self._starts_shot(cells)
        changes = np.array(self._starts_shot.changes)
        gain = _gain(cells, made)
        if self.state is None or begins:
            level, sums = _gain(cells.mean(axis=(0, 1)), made.mean(axis=(0, 1))), _curve_sums(cells, gain)
            self.state = State(gain, gain, np.zeros_like(gain), cells, sums, level, cells, changes)
            return after
        share = 1.0 - math.exp(-max(seconds, 0.0) / self.seconds)
        self.state, wanted = _follow(self.state, cells, made, share, changes)
        factor = np.exp(np.clip(wanted - gain, -_MOST, _MOST))
        mean = (np.exp(wanted) * (cells + BLACK)).mean(axis=(0, 1)) - BLACK
        return corrected(after, fine, factor, mean)


def _follow(state: State, cells: Pixels, made: Pixels, share: float, changes: Array) -> tuple[State, Pixels]:
    """The state after one more frame of the same shot, and ln(gain) wanted for that frame."""
    gain = _gain(cells, made)
    moved = _moved(cells, state.usual)
    own = _curve_sums(cells, gain)
    sums = (1.0 - share) * state.sums + share * own
    by_level = gain + _at(_curve(sums), cells) - _at(_curve(own), cells)
    usual = state.usual + np.maximum(moved, np.float32(share)) * (cells - state.usual)
    off = np.abs(gain - state.average)
    spread = (1.0 - moved) * np.maximum(off, state.spread - np.float32(share) * (state.spread - off))
    average = state.average + np.float32(share) * (gain - state.average)
    lag = average - state.held
    follow = np.maximum(np.abs(lag) - spread - np.float32(BAND), 0.0)
    still = state.held + np.float32(share) * np.sign(lag) * follow
    calmer = _calmer(np.log((cells + BLACK) / (usual + BLACK)), gain - average, made + BLACK)
    held = still + moved * (by_level - still)
    average += moved * (by_level - average)
    wanted = held + (1.0 - moved) * calmer
    level, shift = _follow_all(state.level, cells, usual, wanted, float(moved.mean()), share)
    return State(held, average, spread, usual, sums, level, cells, changes), wanted + shift


def _follow_all(
    level: Array, cells: Pixels, usual: Pixels, wanted: Pixels, stir: float, share: float
) -> tuple[Array, Array]:
    """The same for the frame as a whole, where little moves in it.

    Each cell held by itself is not enough: noise that cancels in the mean of the input does not cancel in
    that of the output, where dark cells have more gain than bright ones.

    Args:
        level: ln(gain) of the whole frame that the output is given, per channel.
        cells, usual: the input now and of late.
        wanted: ln(gain) of each cell.
        stir: share of the cells that have moved.

    Returns:
        The level after this frame, and what to add to all of `wanted`, per channel.
    """
    now = (cells + BLACK).mean(axis=(0, 1))
    found = np.log((np.exp(wanted) * (cells + BLACK)).mean(axis=(0, 1)) / now)
    lag = found - level
    level = level + share * np.sign(lag) * np.maximum(np.abs(lag) - _BAND_OF_ALL, 0.0)
    free = _smooth(np.float32((stir - _CALM) / (_LIVELY - _CALM)))
    level = level + free * (found - level)
    calmer = _against(np.log(now / (usual + BLACK).mean(axis=(0, 1))), found - level)
    shift = level + (1.0 - free) * calmer - found
    return np.asarray(level, np.float32), np.asarray(shift, np.float32)


def _gain(cells: Pixels, made: Pixels) -> Pixels:
    return np.log((made + BLACK) / (cells + BLACK))


def _calmer(change: Pixels, answer: Pixels, weight: Pixels) -> Pixels:
    """What of a method's answer to a change of the input takes away from it, and no more than all of it.

    A dark cell that noise has made brighter gets less gain by most methods; that is not flicker. The part
    that all cells have in common and what is left of each are judged apart, so that a method's common
    wavering does not pass for an answer wherever it happens to go the right way.

    Args:
        change: of ln(input), h×w×3.
        answer: change of ln(gain), h×w×3.
        weight: share of each cell in the brightness of the result, h×w×3.
    """
    weight = weight / weight.sum(axis=(0, 1))

    def common(values: Array) -> Array:
        return np.asarray((weight * values).sum(axis=(0, 1)))

    change_of_all, answer_of_all = common(change), common(answer)
    own = _against(change - change_of_all, answer - answer_of_all)
    calmer: Pixels = own - common(own) + _against(change_of_all, answer_of_all)
    return calmer


def _against(change: Array, answer: Array) -> Array:
    """The answer, held between none and all of −change."""
    return np.clip(answer, np.minimum(-change, 0.0), np.maximum(-change, 0.0))


def _moved(cells: Pixels, usual: Pixels) -> Array:
    """0 where a cell shows what it did, 1 where it shows something else: h×w×1."""
    change = np.abs(np.log((cells + BLACK) / (usual + BLACK))).max(axis=2)
    change = cv2.dilate(change, np.ones((3, 3), np.uint8)).reshape(change.shape)  # a mover's surroundings too
    return _smooth((change - _STILL) / (_MOVED - _STILL))[..., np.newaxis]


def _smooth(x: Array | np.float32) -> Array:
    """A smooth step from 0 at 0 to 1 at 1."""
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x), dtype=np.float32)


def _place(cells: Pixels) -> Array:
    """Where on the tone curve an input level lies, from 0 to `_LEVELS` − 1; same shape."""
    white = math.log((1.0 + float(BLACK)) / float(BLACK))
    return np.asarray(np.log1p(cells / BLACK) * ((_LEVELS - 1) / white), dtype=np.float64)


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
    """ln(gain) at each point of the tone curve, 3×levels; those that no cell is near are interpolated."""
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


def _finer(grid: Grid, shape: tuple[int, ...]) -> Grid:
    return min(_FINER * grid[0], shape[0]), min(_FINER * grid[1], shape[1])
