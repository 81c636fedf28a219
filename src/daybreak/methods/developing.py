"""`Gates`, the local part of daybreak's own smaller networks, as arithmetic: NumPy and OpenCV for a graph.

`layers.local` says what is computed and why; it is done here as it is exported, to rounding, with the
exposure that `daybreak.methods.glance` found. It holds next to no multiply-adds: what it takes is a few dozen
passes over the picture, and a graph makes each of them through main memory. Here they are made strip by strip
near the cache, from the picture's own numbers, and no runtime has to be loaded first: half the time, and a
tenth of a second less at the start.

The picture is looked at once, in bands, for what the gates are decided by, at an eighth of its size. The
gates are found for all of it; what is left is local, so parts agree whatever they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise

import cv2
import numpy as np

from daybreak.image.rows import Bands, Rows
from daybreak.image.strips import Band, map_rows, over_bands
from daybreak.methods.base import Prepared
from daybreak.methods.glance import Exposure, Parameters, layer_of, lift, weighted
from daybreak.types import Array, Pixels, Plane

FURTHEST, KEPT = 3.0, 0.3  # as in daybreak.layers.local, which needs torch

_CELL = 8  # px: the gates are found at an eighth of the size
_GRID = 16  # px: what the graph's sides are multiples of
_REACH = 2  # cells that two convolutions see beyond their own
_STRIP = 1 << 14  # px of a strip of 8 rows: fewer, and the calls, one thread at a time, would be most of it
_PRODUCT = 1 << 18  # multiply-adds: a larger product would wake the threads of the linear algebra library
_ONE = np.float32(1.0)
_GRAY = np.full((1, 3), 1.0 / 3.0, np.float32)


def gated(parameters: Parameters, source: Bands, exposure: Exposure) -> Prepared:
    """`Gates`: looks at the picture once, finds all gates, and leaves what they do to its parts.

    Args:
        parameters: of the weight.
        source: the picture, read from top to bottom.
        exposure: what was decided on its small copy.
    """
    maps = _find_gates(parameters, _seen(source), exposure)
    develop = partial(_develop, maps, source.shape)
    return Prepared(partial(_interleaved, develop), _CELL, _CELL, kept=maps.nbytes, planes=develop)


def _seen(source: Bands) -> Array:
    """What the gates are decided by: 4×h×w, means of 8×8 pixels of each colour, and how rough they are."""
    height, width = source.shape[:2]
    tall, wide = (-(-side // _GRID) * _GRID for side in (height, width))
    out = np.empty((4, tall // _CELL, wide // _CELL), np.float32)

    def work(window: Rows, first: int, top: int, bottom: int) -> None:
        colors, gray = _looked_at(window, first, source.shape)
        own = len(gray) if bottom == height else bottom - first
        cells = slice((top - first) // _CELL, own // _CELL)
        into = slice(top // _CELL, (first + own) // _CELL)
        out[:3, into] = colors[cells].transpose(2, 0, 1)
        coarse = _Rises(_wider(_means(gray, 4), 4), 4)
        gray -= coarse.rows(0, len(gray), coarse.room(len(gray)))
        out[3, into] = _means(np.abs(gray, out=gray), _CELL)[cells]

    over_bands(source, 8 * _GRID, work, _GRID, _CELL)
    return out


def _looked_at(window: Rows, first: int, shape: tuple[int, ...]) -> tuple[Array, Plane]:
    """Means of 8×8 pixels, h×w×3, and the mean of the colours, of a window that goes on to the grid.

    The window becomes floats a few rows at a time, near the cache, for memory is dear at its first touch.

    Args:
        window: all columns of some rows.
        first: its first row, a multiple of 16.
        shape: of the picture.
    """
    count = window.shape[0]
    tall = count + -(first + count) % (_GRID if first + count == shape[0] else _CELL)
    wide = -(-shape[1] // _GRID) * _GRID
    colors = np.empty((tall // _CELL, wide // _CELL, 3), np.float32)
    gray = np.empty((tall, wide), np.float32)
    for begin, end in pairwise([*range(0, max(count - _GRID, 1), 2 * _GRID), count]):
        pixels = _on_grid(window[begin:end], (first + begin, 0), shape)
        cv2.transform(pixels, _GRAY, dst=gray[begin : begin + len(pixels)])
        colors[begin // _CELL : (begin + len(pixels)) // _CELL] = _means(pixels, _CELL)
    return colors, gray


def _on_grid(window: Pixels, at: tuple[int, int], shape: tuple[int, ...]) -> Pixels:
    """A window that goes on, mirrored: to a multiple of 16 px where the picture ends, of 8 elsewhere.

    Args:
        window: h×w×3.
        at: its first row and column, multiples of 8.
        shape: of the picture.
    """
    below, right = (
        -(first + side) % (_GRID if first + side == whole else _CELL)
        for first, side, whole in zip(at, window.shape, shape, strict=False)
    )
    if not below and not right:
        return window
    return np.asarray(cv2.copyMakeBorder(window, 0, below, 0, right, cv2.BORDER_REFLECT_101))


def _means(picture: Array, side: int) -> Array:
    """Means of side×side pixels of h×w or h×w×3, sides multiples of `side`.

    The rows by NumPy and then the columns by OpenCV takes a third less than both at once.
    """
    height, width = (length // side for length in picture.shape[:2])
    rows = picture.reshape(height, side, *picture.shape[1:])
    total = rows[:, 0] + rows[:, 1]
    for row in range(2, side):
        total += rows[:, row]
    total *= np.float32(1.0 / side)
    return np.asarray(cv2.resize(total, (width, height), interpolation=cv2.INTER_AREA))


def _wider(plane: Plane, times: int) -> Plane:
    """Columns `times` as many, bilinear between the centres."""
    size = (times * plane.shape[1], plane.shape[0])
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR))


class _Rises:
    """Rows between rows: what a picture of few rows is at `times` as many, a strip at a time.

    Args:
        planes: …×h×w.
        times: even.
    """

    def __init__(self, planes: Array, times: int) -> None:
        edges = [(0, 0)] * (planes.ndim - 2) + [(1, 1), (0, 0)]
        self._from = np.pad(planes, edges, mode="edge")
        self._by = np.diff(self._from, axis=-2)
        self._times = times
        self._shares = ((np.arange(times, dtype=np.float32) + 0.5) / times)[:, None]

    def room(self, rows: int) -> Array:
        """For so many rows at a time."""
        *planes, _, width = self._from.shape
        return np.empty((*planes, -(-rows // self._times) + 1, self._times, width), np.float32)

    def rows(self, top: int, bottom: int, room: Array) -> Array:
        """Some rows, in the room; the first a multiple of `times`."""
        first, count = top // self._times, -(-(bottom - top) // self._times) + 1
        some = (..., slice(first, first + count), None, slice(None))
        into = room[..., :count, :, :]
        np.multiply(self._by[some], self._shares, out=into)
        into += self._from[some]
        flat = into.reshape(*into.shape[:-3], count * self._times, into.shape[-1])
        half = self._times // 2
        return flat[..., half : half + bottom - top, :]


def _find_gates(parameters: Parameters, seen: Array, exposure: Exposure) -> Array:
    """`Gates.parts` and what becomes of them: 3×h×w at an eighth of the size.

    The share of the colour of what is finer that passes; a third of that by which more of its gray does; and
    one over the slope at black.
    """
    convolve = _network(parameters, exposure)
    columns = max(_PRODUCT // (3 * len(parameters["detail.look.bias"]) ** 2), 1)
    steep, share = np.asarray(2.0**exposure.slope, np.float32), np.float32(exposure.share)
    _, height, width = seen.shape
    maps = np.empty((3, height, width), np.float32)

    def work(bands: Iterable[Band]) -> None:
        for top, bottom in bands:
            rows = np.clip(np.arange(top - _REACH, bottom + _REACH), 0, height - 1)
            levels, rough = np.split(seen[:, rows], [3])
            gain = steep / np.square(_ONE + (steep - _ONE) * levels.mean(0))  # of a small difference
            given = np.concatenate([lift(levels, steep), 8.0 * gain * rough])
            given = np.pad(given, ((0, 0), (0, 0), (_REACH, _REACH)), mode="edge").transpose(1, 0, 2)
            for left in range(0, width, columns):
                right = min(left + columns, width)
                told = share * convolve(given[:, :, left : right + 2 * _REACH])
                local, passing, color = told.transpose(1, 0, 2)
                passing, color = np.clip(1.0 + passing, KEPT, 1.0), np.clip(1.0 + color, 0.0, 1.0)
                flat = np.exp2(-local) / steep
                maps[:, top:bottom, left:right] = color, (passing - color) / 3.0, flat

    map_rows(work, height, 32)
    return maps


def _network(parameters: Parameters, exposure: Exposure) -> Callable[[Array], Array]:
    """The convolutions of `Gates.parts`: (h+4)×4×(w+4) to h×3×w, the share of what is local left out."""
    first, second = (_Convolution(*layer_of(parameters, f"detail.{name}")) for name in ("open", "look"))
    steering = weighted(parameters, "detail.steer", exposure.steering)
    scale, shift = (part[:, None] for part in np.split(steering, 2))
    weight, bias = layer_of(parameters, "detail.close")
    close = weight[:, :, 0, 0]

    def run(given: Array) -> Array:
        features = np.maximum(first(given), 0.0)
        more = second(features)
        more *= _ONE + scale
        more += shift
        more = np.maximum(more, 0.0)
        more += features[1:-1, :, 1:-1]
        told: Array = np.matmul(close, more) + bias[:, None]
        np.clip(told[:, 0], -FURTHEST, FURTHEST, out=told[:, 0])
        return told

    return run


class _Convolution:
    """3×3, without a border: (h+2)×C×(w+2) to h×O×w, as three products of small matrices a row."""

    def __init__(self, weight: Array, bias: Array) -> None:
        outputs, inputs = weight.shape[:2]
        self._rows = [
            weight[:, :, k].transpose(0, 2, 1).reshape(outputs, 3 * inputs).copy() for k in range(3)
        ]
        self._bias = bias[:, None]

    def __call__(self, given: Array) -> Array:
        """See the class."""
        height, width = given.shape[0] - 2, given.shape[2] - 2
        beside = np.concatenate([given[:, :, k : k + width] for k in range(3)], axis=1)
        made = np.matmul(self._rows[0], beside[:height])
        made += np.matmul(self._rows[1], beside[1:-1])
        made += np.matmul(self._rows[2], beside[2:])
        made += self._bias
        return np.asarray(made)


def _interleaved(develop: Callable[[Array, int, int], Array], window: Pixels, top: int, left: int) -> Pixels:
    """What is done to planes done to pixels, h×w×3."""
    made = develop(cv2.dnn.blobFromImage(window)[0], top, left)  # three planes, in half of NumPy's time
    # above 1 by rounding alone
    flat = cv2.merge([np.ascontiguousarray(plane) for plane in made]).reshape(len(window), -1)
    cv2.threshold(flat, 1.0, 1.0, cv2.THRESH_TRUNC, dst=flat)
    return np.asarray(flat, np.float32).reshape(window.shape)


def _develop(maps: Array, shape: tuple[int, ...], window: Array, top: int, left: int) -> Array:
    """`Gates.forward` from the gates on, for a window of 3×h×w, clamped but for rounding; in its memory."""
    height, width = window.shape[1:]
    planes = [_on_grid(plane, (top, left), shape) for plane in window]
    low = window if planes[0].shape == (height, width) else np.stack(planes)
    coarse = np.stack([_wider(_means(plane, 4), 4) for plane in low])
    around = _around(maps, low.shape, top, left)
    gates = np.stack([_wider(plane, _CELL)[:, _CELL:-_CELL] for plane in around])
    _composed(low, _Rises(coarse, 4), _Rises(gates, _CELL))
    return low[:, :height, :width]


def _around(maps: Array, shape: tuple[int, ...], top: int, left: int) -> Array:
    """The gates of a window and one cell around it, continued beyond the picture's border."""
    rows, columns = (
        np.clip(np.arange(at // _CELL - 1, -(-(at + side) // _CELL) + 1), 0, most - 1)
        for at, side, most in zip((top, left), shape[1:], maps.shape[1:], strict=True)
    )
    return np.asarray(maps[:, rows[:, None], columns])


def _composed(low: Array, smooth: _Rises, gates: _Rises) -> None:
    """What passes the gates, on its curve, strip by strip, in place.

    Args:
        low: 3×h×w, sides multiples of 8, C-contiguous; overwritten.
        smooth: its means of 4×4 pixels, at full width.
        gates: 3×(h/8 + 2)×w, as `_find_gates` gives them, with a row more above and below.
    """
    _, height, width = low.shape
    rows = min(max(_STRIP // width, 1) * _CELL, height)
    smooth_room, gate_room = smooth.room(rows), gates.room(rows)
    room = np.empty((3, rows, width), np.float32)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        strip, (brightest, square, steep) = low[:, top:bottom], room[:, : bottom - top]
        calm = smooth.rows(top, bottom, smooth_room)
        color, more, flat = gates.rows(top + _CELL, bottom + _CELL, gate_room)
        strip -= calm
        gray = np.add(strip[0], strip[1], out=square)
        gray += strip[2]
        gray *= more
        for plane, finer in zip(calm, strip, strict=True):
            cv2.accumulateProduct(finer, color, plane)
        calm += gray
        np.clip(calm, 0.0, 1.0, out=calm)
        np.maximum(calm[0], calm[1], out=brightest)
        np.maximum(brightest, calm[2], out=brightest)
        # kx / (1 + (k − 1)y), y = x + V²(V − x): all but three operations are on one plane
        np.multiply(brightest, brightest, out=square)
        np.subtract(_ONE, flat, out=steep)
        brightest *= square
        brightest *= steep
        brightest += flat
        np.subtract(_ONE, square, out=square)
        square *= steep
        np.multiply(calm, square, out=strip)
        strip += brightest
        np.divide(calm, strip, out=strip)
