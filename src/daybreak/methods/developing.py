"""`Gates`, the local part of daybreak's own smaller networks, as arithmetic: NumPy and OpenCV for a graph.

`layers.local` says what is computed and why; it is done here as it is exported, to rounding, with the
exposure that `daybreak.methods.glance` found. It holds next to no multiply-adds: what it takes is a few dozen
passes over the picture, and a graph makes each of them through main memory. Here they are made strip by
strip, from the picture's own numbers, and no runtime has to be loaded first: half the time, and a tenth of a
second less at the start.

The picture is looked at once, in bands, for what the gates are decided by, at an eighth of its size. The
gates are found for all of it; what is left is local, so parts agree whatever they are. Where daybreak was
installed with its compiled part (`daybreak.native`), that makes both passes over the picture, to rounding the
same, in a quarter of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import cv2
import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from daybreak.image.depth import to_levels
from daybreak.image.rows import Bands, Levels, Rows
from daybreak.image.strips import Band, map_rows, over_bands
from daybreak.methods.base import Prepared
from daybreak.methods.glance import Exposure, Parameters, layer_of, lift, weighted
from daybreak.native import MAPS, Window, compiled
from daybreak.types import Array, Pixels, Plane

FURTHEST, KEPT, COLOR, RICHEST = 3.0, 0.3, 0.5, 2.0  # as in daybreak.layers.local, which needs torch

_FINE, _FLAT, _MIDDLE, _WIDE, _TONE = 0, 2, 3, 5, 7  # planes of the maps; two of each but of flat and tone
_CELL = 8  # px: the gates are found at an eighth of the size
_GRID = 16  # px: what the graph's sides are multiples of
_REACH = 2  # cells that two convolutions see beyond their own
_STRIP = 3 << 13  # px of a strip of 8 rows: were they fewer, threads would mostly wait for the interpreter
_BAND = 1 << 20  # px of a band that is looked at, of 64 to 256 rows
_CELLS = 1 << 15  # of a band whose gates are found, of 8 to 64 rows
_PRODUCT = 1 << 18  # multiply-adds: a larger product would wake the threads of the linear algebra library
_ONE = np.float32(1.0)
_THIRD = np.float32(1.0 / 3.0)
_GRAY = np.full((1, 3), _THIRD)


def gated(parameters: Parameters, source: Bands, exposure: Exposure) -> Prepared:
    """`Gates`: looks at the picture once, finds all gates, and leaves what they do to its parts.

    Args:
        parameters: of the weight.
        source: the picture, read from top to bottom.
        exposure: what was decided on its small copy.
    """
    maps = _find_gates(parameters, seen(source), exposure)
    light = compiled()
    if light:
        run, levels = partial(_compiled, maps, source.shape), partial(_compiled_levels, maps)
    else:
        develop = partial(_develop, maps, source.shape)
        run, levels = partial(_interleaved, develop), partial(_levels, develop)
    return Prepared(run, _GRID, _GRID, kept=maps.nbytes, light=light, levels=levels)


def seen(source: Bands) -> Array:
    """What the gates are decided by: 4×h×w, means of 8×8 pixels of each colour, and how rough they are."""
    height, width = source.shape[:2]
    tall, wide = (-(-side // _GRID) * _GRID for side in (height, width))
    out = np.empty((4, tall // _CELL, wide // _CELL), np.float32)
    by_library = compiled()

    def work(window: Rows, first: int, top: int, bottom: int) -> None:
        if by_library:
            values, peak = (window.whole, window.peak) if isinstance(window, Levels) else (window, 1.0)
            end = tall if bottom == height else bottom
            Window(values, peak, (first, 0), source.shape).seen(top, end, out)
            return
        colors, gray = _looked_at(window, first, source.shape)
        own = len(gray) if bottom == height else bottom - first
        cells = slice((top - first) // _CELL, own // _CELL)
        into = slice(top // _CELL, (first + own) // _CELL)
        out[:3, into] = colors[cells].transpose(2, 0, 1)
        calm = _Rises(_bordered(_wider(_means(gray, 4), 4)), 4)
        gray -= calm.rows(0, len(gray), np.empty_like(gray))
        out[3, into] = _means(np.abs(gray, out=gray), _CELL)[cells]

    over_bands(source, min(max(_BAND // (width * _GRID), 4), 16) * _GRID, work, _GRID, _CELL)
    return out


def _looked_at(window: Rows, first: int, shape: tuple[int, ...]) -> tuple[Array, Plane]:
    """Means of 8×8 pixels, h×w×3, and the mean of the colours, of a window that goes on to the grid.

    Args:
        window: all columns of some rows.
        first: its first row, a multiple of 16.
        shape: of the picture.
    """
    pixels = _on_grid(window[:], (first, 0), shape, _CELL)
    return _means(pixels, _CELL), np.asarray(cv2.transform(pixels, _GRAY))


def _on_grid(window: Pixels, at: tuple[int, int], shape: tuple[int, ...], cell: int) -> Pixels:
    """A window that goes on, mirrored: to a multiple of 16 px where the picture ends, of a cell elsewhere.

    Args:
        window: h×w×3.
        at: its first row and column, multiples of the cell.
        shape: of the picture.
        cell: 8 or 16.
    """
    below, right = (
        -(first + side) % (_GRID if first + side == whole else cell)
        for first, side, whole in zip(at, window.shape, shape, strict=False)
    )
    if not below and not right:
        return window
    return np.asarray(cv2.copyMakeBorder(window, 0, below, 0, right, cv2.BORDER_REFLECT_101))


def _means(picture: Array, side: int) -> Array:
    """Means of side×side pixels of h×w or h×w×3, sides multiples of `side`.

    The rows by NumPy and then the columns by OpenCV takes two thirds of what both at once do.
    """
    height, width = (length // side for length in picture.shape[:2])
    total = np.add.reduce(picture.reshape(height, side, *picture.shape[1:]), axis=1)
    total *= np.float32(1.0 / side)
    return np.asarray(cv2.resize(total, (width, height), interpolation=cv2.INTER_AREA))


def _bordered(planes: Array) -> Array:
    """…×h×w with the first and the last row once more."""
    return np.concatenate([planes[..., :1, :], planes, planes[..., -1:, :]], axis=-2)


def _wider(plane: Plane, times: int) -> Plane:
    """Columns `times` as many, bilinear between the centres."""
    size = (times * plane.shape[1], plane.shape[0])
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR))


class _Rises:
    """Rows between rows: what a picture of few rows is at `times` as many, bilinear between the centres.

    Every 8 rows are the same product of a small matrix: one call for many, and a quarter of the time of sums.

    Args:
        planes: …×(h + 2)×w, with a row more above and below.
        times: 4 or 8.
    """

    def __init__(self, planes: Array, times: int) -> None:
        self._planes, self._times = planes, times
        centres = (np.arange(_CELL, dtype=np.float32) + 0.5) / times + 0.5
        apart = centres[:, None] - np.arange(_CELL // times + 2, dtype=np.float32)
        self._shares = np.maximum(_ONE - np.abs(apart), 0.0)

    def rows(self, top: int, bottom: int, out: Array) -> Array:
        """Some rows, put into `out`; the first and the one after the last are multiples of 8."""
        some = self._planes[..., top // self._times :, :]
        *lead, row, column = some.strides
        *shape, _, width = out.shape
        count, step, known = (bottom - top) // _CELL, _CELL // self._times * row, self._shares.shape[1]
        each = as_strided(some, (*shape, count, known, width), (*lead, step, row, column), writeable=False)
        into = out.reshape(*shape, count, _CELL, width)
        columns = _PRODUCT // self._shares.size
        for left in range(0, width, columns):
            own = (..., slice(left, left + columns))
            np.matmul(self._shares, each[own], out=into[own])
        return out


def _find_gates(parameters: Parameters, seen: Array, exposure: Exposure) -> Array:
    """`Gates.parts` and what becomes of them: 8×h×w at an eighth of the size.

    Of what is finer than 4 px the share of its colour that passes; a third of that by which more of its gray
    does; and one over the slope at black. The first two of what is finer than 8 px, and of what is than 16.
    The tone of what is coarser than 8 px; that of what is finer is in the shares of its colour.
    """
    convolve, toned = _network(parameters, exposure), weighted(parameters, "detail.tone", exposure.steering)
    steep, share = np.asarray(2.0**exposure.slope, np.float32), np.float32(exposure.share)
    _, height, width = seen.shape
    most = max(_PRODUCT // (9 * len(parameters["detail.look.bias"]) ** 2), 1)
    columns = -(-width // -(-width // most))  # of equal parts
    across = np.arange(0, width, columns)[:, None] + np.arange(-_REACH, columns + _REACH)
    across = np.clip(across, 0, width - 1)
    maps = np.empty((MAPS, height, width), np.float32)

    def work(bands: Iterable[Band]) -> None:
        for top, bottom in bands:
            rows = np.clip(np.arange(top - _REACH, bottom + _REACH), 0, height - 1)
            levels, rough = np.split(seen[:, rows], [3])
            gain = steep / np.square(_ONE + (steep - _ONE) * levels.mean(0))  # of a small difference
            given = np.concatenate([lift(levels, steep), 8.0 * gain * rough])
            told = share * convolve(given[:, :, across].transpose(2, 1, 0, 3))
            local, *gates = told.transpose(2, 1, 0, 3).reshape(7, bottom - top, -1)[..., :width]
            passing, color = _ONE + np.stack(gates).reshape(3, 2, *local.shape).swapaxes(0, 1)
            least = np.array([[KEPT, 0.0, 0.0], [0.0, COLOR, COLOR]], np.float32)[..., None, None]
            passing, color = np.clip(passing, least[0], 1.0), np.clip(color, least[1], 1.0)
            own = slice(top, bottom)
            maps[_TONE, own] = _tone(given[:3, _REACH:-_REACH], share * toned)
            color[:2] *= maps[_TONE, own]
            maps[[_FINE, _MIDDLE, _WIDE], own] = color
            maps[[_FINE + 1, _MIDDLE + 1, _WIDE + 1], own] = (passing - color) / 3.0
            maps[_FLAT, own] = np.exp2(-local) / steep

    rows = max(min(height // 2, 64, _CELLS // width), 8)
    map_rows(work, height, rows, alone=height * width < _CELLS)
    return maps


def _tone(lit: Array, toned: Array) -> Plane:
    """How many times as colourful each place becomes, by how bright and how colourful it is: 3×h×w to h×w."""
    bright, rich = lit.mean(0), lit.max(0) - lit.min(0)
    tone = toned[0] + bright * (toned[1] + toned[2] * bright) + rich * (toned[3] + toned[4] * rich)
    return np.asarray(np.clip(_ONE + tone, 0.0, RICHEST))


def _network(parameters: Parameters, exposure: Exposure) -> Callable[[Array], Array]:
    """The convolutions of `Gates.parts`: …×(h+4)×4×(w+4) to …×h×7×w, the share of what is local left out."""
    weight, bias = layer_of(parameters, "detail.look")
    steering = weighted(parameters, "detail.steer", exposure.steering)
    scale, shift = np.split(steering, 2)
    scale += _ONE
    first = _Convolution(*layer_of(parameters, "detail.open"))
    second = _Convolution(weight * scale[:, None, None, None], bias * scale + shift)
    weight, bias = layer_of(parameters, "detail.close")
    close = weight[:, :, 0, 0]

    def run(given: Array) -> Array:
        features = first(given)
        more = second(features)
        more += features[..., 1:-1, :, 1:-1]
        told: Array = np.matmul(close, more) + bias[:, None]
        np.clip(told[..., 0, :], -FURTHEST, FURTHEST, out=told[..., 0, :])
        return told

    return run


class _Convolution:
    """3×3, without a border, and ReLU: …×(h+2)×C×(w+2) to …×h×O×w, a product of small matrices a row."""

    def __init__(self, weight: Array, bias: Array) -> None:
        self._flat = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1)  # row, column, channel
        self._bias = bias[:, None]

    def __call__(self, given: Array) -> Array:
        """See the class."""
        *lead, height, channels, width = given.shape
        beside = np.concatenate([given[..., k : k + width - 2] for k in range(3)], axis=-2)
        rows = beside.reshape(*lead, height * 3 * channels, width - 2)  # three of them lie in one piece
        three = sliding_window_view(rows, 9 * channels, axis=-2)[..., :: 3 * channels, :, :]
        made = np.matmul(self._flat, three.swapaxes(-1, -2))
        made += self._bias
        return np.asarray(np.maximum(made, 0.0, out=made))


def _compiled(maps: Array, shape: tuple[int, ...], window: Pixels, top: int, left: int) -> Pixels:
    """What the gates make of a window, h×w×3."""
    out = np.empty(window.shape, np.float32)
    Window(window, 1.0, (top, left), shape).developed(maps, top, top + len(window), out)
    return out


def _compiled_levels(maps: Array, source: Levels, top: int, bottom: int, into: Array) -> Array:
    """`Prepared.levels`."""
    above, below = _around_rows(top, bottom)
    window = source.whole[above:below]
    return Window(window, source.peak, (above, 0), source.shape).developed(maps, top, bottom, into)


def _levels(
    develop: Callable[[Array, int, int], Array], source: Levels, top: int, bottom: int, into: Array
) -> Array:
    """`Prepared.levels`: levels become planes and planes levels, without a picture of floats between."""
    above, below = _around_rows(top, bottom)
    made = develop(source.planes(slice(above, below)), above, 0)[:, top - above : bottom - above]
    cv2.merge([to_levels(plane, 8 * into.itemsize, clipped=True) for plane in made], into)
    return np.array(cv2.sumElems(into)[:3])


def _around_rows(top: int, bottom: int) -> Band:
    """The first row of the window around some rows, and the row after its last where the picture has it."""
    return max(0, top // _GRID - 1) * _GRID, (-(-bottom // _GRID) + 1) * _GRID


def _interleaved(develop: Callable[[Array, int, int], Array], window: Pixels, top: int, left: int) -> Pixels:
    """What is done to planes done to pixels, h×w×3."""
    planes = np.empty((3, *window.shape[:2]), np.float32)
    cv2.split(window, list(planes))
    made = develop(planes, top, left)
    # above 1 by rounding alone
    flat = cv2.merge([np.ascontiguousarray(plane) for plane in made]).reshape(len(window), -1)
    cv2.threshold(flat, 1.0, 1.0, cv2.THRESH_TRUNC, dst=flat)
    return np.asarray(flat, np.float32).reshape(window.shape)


def _develop(maps: Array, shape: tuple[int, ...], window: Array, top: int, left: int) -> Array:
    """`Gates.forward` from the gates on, for a window of 3×h×w, clamped but for rounding; in its memory.

    The rows of its halo are left as they are.
    """
    height, width = window.shape[1:]
    planes = [_on_grid(plane, (top, left), shape, _GRID) for plane in window]
    low = window if planes[0].shape == (height, width) else np.stack(planes)
    around = _around(maps, low.shape, top, left)
    coarse = _means_of_planes(low, 4)
    coarse = np.concatenate([coarse, _evened(coarse, around[_MIDDLE:])])
    coarse = _wider(coarse.reshape(-1, coarse.shape[2]), 4).reshape(6, -1, low.shape[2])
    fine = around[:_MIDDLE]
    gates = _wider(fine.reshape(-1, fine.shape[2]), _CELL).reshape(*fine.shape[:2], -1)
    own = slice(_GRID if top else 0, low.shape[1] - (_GRID if top + height < shape[0] else 0))
    _composed(low, own, _Rises(_bordered(coarse), 4), _Rises(gates[..., _CELL:-_CELL], _CELL))
    return low[:, :height, :width]


def _means_of_planes(planes: Array, side: int) -> Array:
    """Means of side×side of c×h×w, sides multiples of `side`."""
    count, height, width = planes.shape
    return _means(planes.reshape(-1, width), side).reshape(count, height // side, width // side)


def _evened(coarse: Array, gates: Array) -> Array:
    """What is between 4 and 16 px through its gates, what is coarser than 8 in its tone: 3×h×w means of 4×4.

    Args:
        coarse: sides multiples of 4.
        gates: 5×(h/2 + 2)×(w/2 + 2), from `_MIDDLE` on, a cell more around.
    """
    level = _means_of_planes(coarse, 2)
    around = _doubled(_means_of_planes(level, 2))
    *wide, tone = gates[2:, 1:-1, 1:-1]
    even = _passed(level - around, around, *wide)
    gray = np.add.reduce(even, axis=0) * _THIRD
    even = tone * even + (_ONE - tone) * gray
    return _passed(coarse - _doubled(level), _doubled(even), *_doubled(gates[:2])[:, 2:-2, 2:-2])


def _passed(off: Array, base: Array, color: Plane, more: Plane) -> Array:
    """What is finer than a base, off it, through its gates and on it again; in the memory of both."""
    gray = np.add.reduce(off, axis=0)
    gray *= more
    off *= color
    off += gray
    base += off
    return base


def _doubled(planes: Array) -> Array:
    """c×h×w to c×2h×2w, bilinear between the centres."""
    size = (2 * planes.shape[2], 2 * planes.shape[1])
    resized = (cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in planes)
    return np.stack([np.asarray(plane).reshape(size[::-1]) for plane in resized])


def _around(maps: Array, shape: tuple[int, ...], top: int, left: int) -> Array:
    """The gates of a window and one cell around it, continued beyond the picture's border."""
    rows, columns = (
        np.clip(np.arange(at // _CELL - 1, -(-(at + side) // _CELL) + 1), 0, most - 1)
        for at, side, most in zip((top, left), shape[1:], maps.shape[1:], strict=True)
    )
    return np.asarray(maps[:, rows[:, None], columns])


def _composed(low: Array, own: slice, smooth: _Rises, gates: _Rises) -> None:
    """What passes the gates, on its curve, strip by strip, in place.

    Few calls, each of much: with each a thread lets go of the interpreter and may wait to get it back.

    Args:
        low: 3×h×w, sides multiples of 8, C-contiguous; overwritten.
        own: the rows that are made.
        smooth: its means of 4×4 pixels and what takes their place, at full width.
        gates: as `_find_gates` gives them, at full width.
    """
    _, height, width = low.shape
    rows = min(max(_STRIP // width, 1) * _CELL, height)
    room = np.empty((11, rows, width), np.float32)
    for top in range(own.start, own.stop, rows):
        bottom = min(top + rows, own.stop)
        strip, scratch = low[:, top:bottom], room[:, : bottom - top]
        means, calm = smooth.rows(top, bottom, scratch[:6]).reshape(2, 3, bottom - top, width)
        color, more, flat = gates.rows(top, bottom, scratch[6:9])
        steep = np.subtract(_ONE, flat, out=scratch[9])
        strip -= means
        gray = np.add.reduce(strip, axis=0, out=scratch[10])
        gray *= more
        for plane, finer in zip(calm, strip, strict=True):
            cv2.accumulateProduct(finer, color, plane)
        calm += gray
        np.clip(calm, 0.0, 1.0, out=calm)
        # kx / (1 + (k − 1)y), y = x + V²(V − x): all but three operations are on one plane
        brightest = np.maximum.reduce(calm, axis=0, out=more)
        square = np.multiply(brightest, brightest, out=color)
        square *= steep
        brightest *= square
        brightest += flat
        steep -= square
        np.multiply(calm, steep, out=strip)
        strip += brightest
        np.divide(calm, strip, out=strip)
