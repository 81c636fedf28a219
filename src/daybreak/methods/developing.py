"""daybreak's own network in its two small sizes, as arithmetic: NumPy and OpenCV in place of a graph.

`networks.flagship` says what is computed and why; `Gates` and `Curve` of `layers.local` are done here as they
are exported, to rounding. They hold next to no multiply-adds: what they take is a few dozen passes over the
picture, and a graph makes each of them through main memory. Here they are made strip by strip in the cache,
from the picture's own numbers, and no runtime has to be loaded first: half the time, and a tenth of a second
less at the start.

The picture is looked at once, in bands, for what the gates are decided by, at an eighth of its size. The
gates are found for all of it; what is left is local, so parts agree whatever they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from daybreak.image.rows import Bands, Rows
from daybreak.image.strips import Band, map_rows, over_bands
from daybreak.methods.base import Prepared
from daybreak.types import Array, Pixels, Plane

Parameters = Mapping[str, Array]
"""The weight's, by the names they have in the network."""

# As in daybreak.networks.flagship, layers.exposure and layers.local, which need torch.
USUAL, GAMMA, BRIGHTEST = -2.3, 2.2, 0.9
LEAST, MOST, RUNGS, NEAR = -4.0, 9.0, 14, 0.1
FURTHEST, KEPT = 3.0, 0.3

_CELL = 8  # px: the gates are found at an eighth of the size
_GRID = 16  # px: what the graph's sides are multiples of
_REACH = 2  # cells that two convolutions see beyond their own
_STRIP = 1 << 13  # px of a strip of 8 rows: less would be many small calls, more does not stay near the cache
_PRODUCT = 1 << 18  # multiply-adds: a larger product would wake the threads of the linear algebra library
_ONE = np.float32(1.0)


@dataclass(frozen=True)
class Exposure:
    """What one look at the whole picture decides.

    Attributes:
        slope: log2 of the slope at black of the curve that brings the picture to its light.
        steering: numbers that steer what is local.
        share: of what is local, in [0, 1].
    """

    slope: float
    steering: Array
    share: float


def decide(parameters: Parameters, copy: Array, wanted: float, strength: float) -> Exposure:
    """`Develop.forward` up to what is local.

    Args:
        parameters: of the weight.
        copy: 3×64×64 float32 in [0, 1], the small copy of the whole picture.
        wanted: mean light to reach in EV; 0 as the network sees fit.
        strength: 0 gives the picture back, 1 reaches what is wanted, more goes beyond.
    """
    lights = _lights(copy, np.linspace(LEAST, MOST, RUNGS, dtype=np.float32))
    fit, numbers = _glance(parameters, copy, lights)
    fit = wanted if wanted < 0.0 else fit
    before, after = (2.0 ** (ev / GAMMA) for ev in (float(_light(copy)), fit))
    reached = min(max(before + strength * (after - before), 1e-3), BRIGHTEST)
    fit = GAMMA * float(np.log2(reached))
    share = min(255.0 * float(copy.max()), 1.0) * min(strength, 1.0)
    slope = _slope_for(copy, lights, fit)
    steering = np.array([*numbers, slope / 4.0, fit - USUAL], np.float32)
    return Exposure(slope, steering, share)


def _glance(parameters: Parameters, copy: Array, lights: Array) -> tuple[float, Array]:
    """The light that fits, in EV, and a few numbers besides."""
    even = _lift(copy, 2.0 ** _slope_for(copy, lights, USUAL))
    dark = np.log2(copy + np.float32(1.0 / 255.0)) / 4.0 + 1.0
    features = np.concatenate([even, dark]).transpose(1, 0, 2)  # row by row, as all that is convolved here
    for layer in (0, 2, 4, 6):
        features = _halved(features, *_layer(parameters, f"glance.look.{layer}"))
    pooled = np.concatenate([features.mean((0, 2)), features.max((0, 2))])
    told = np.maximum(_linear_layer(parameters, "glance.tell.0", pooled), 0.0)
    exposure = USUAL + float(_linear_layer(parameters, "glance.exposure", told)[0])
    named = "glance.numbers.weight" in parameters
    return exposure, _linear_layer(parameters, "glance.numbers", told) if named else told[:0]


def _layer(parameters: Parameters, name: str) -> tuple[Array, Array]:
    return parameters[f"{name}.weight"], parameters[f"{name}.bias"]


def _linear_layer(parameters: Parameters, name: str, given: Array) -> Array:
    weight, bias = _layer(parameters, name)
    told: Array = np.einsum("oi,i->o", weight, given) + bias
    return told


def _halved(features: Array, weight: Array, bias: Array) -> Array:
    """A 3×3 convolution of stride 2 with zeros around, and ReLU: h×C×w to h/2×O×w/2."""
    height, _, width = features.shape
    padded = np.pad(features, ((1, 1), (0, 0), (1, 1)))
    taps = [padded[k : k + height : 2, :, n : n + width : 2] for k in range(3) for n in range(3)]
    flat = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1)
    made = np.matmul(flat, np.concatenate(taps, axis=1)) + bias[:, None]
    return np.asarray(np.maximum(made, 0.0))


def _lift(picture: Array, slope: float | Array) -> Array:
    """kx / (1 + (k − 1)x)."""
    steep = np.asarray(slope, np.float32)
    lifted: Array = steep * picture / (_ONE + (steep - _ONE) * picture)
    return lifted


def _light(picture: Array) -> Array:
    """EV: log2 of the mean linear luminance (BT.709) of …×3×h×w in [0, 1]."""
    linear = np.where(
        picture <= 0.04045, picture / np.float32(12.92), ((picture + 0.055) / 1.055) ** np.float32(2.4)
    )
    means = linear.mean((-2, -1), dtype=np.float64)
    light: Array = np.log2(means @ np.array([0.2126, 0.7152, 0.0722]) + 1e-4)
    return light


def _lights(copy: Array, slopes: Array) -> Array:
    """The mean lights in EV that slopes (their log2) bring the copy to."""
    return _light(_lift(copy, np.exp2(slopes)[:, None, None, None]))


def _slope_for(copy: Array, lights: Array, wanted: float) -> float:
    """log2 of the slope that brings the copy to a mean light in EV; `lights` are those of all rungs."""
    about = _between(LEAST, 1.0, lights, wanted)
    least = min(max(about - NEAR, LEAST), MOST - 2.0 * NEAR)
    return _between(
        least, NEAR, _lights(copy, np.float32(least) + NEAR * np.arange(3, dtype=np.float32)), wanted
    )


def _between(least: float, step: float, lights: Array, wanted: float) -> float:
    """The slope by a line between the two rungs around the light."""
    place = min(max(int((lights < wanted).sum()) - 1, 0), len(lights) - 2)
    low, high = float(lights[place]), float(lights[place + 1])
    share = min(max((wanted - low) / max(high - low, 1e-9), 0.0), 1.0)
    return least + step * (place + share)


def curved(exposure: Exposure) -> Prepared:
    """`Curve`: the curve that holds for the whole picture, value by value."""
    steep = 2.0**exposure.slope

    def run(window: Pixels, _top: int, _left: int) -> Pixels:
        return np.clip(_lift(window, steep), 0.0, 1.0)

    return Prepared(run, point=True)


def gated(parameters: Parameters, source: Bands, exposure: Exposure) -> Prepared:
    """`Gates`: looks at the picture once, finds all gates, and leaves what they do to its parts.

    Args:
        parameters: of the weight.
        source: the picture, read from top to bottom.
        exposure: what was decided on its small copy.
    """
    maps = _find_gates(parameters, _seen(source), exposure)
    return Prepared(partial(_develop, maps, source.shape), _CELL, _CELL, kept=maps.nbytes)


def _seen(source: Bands) -> Array:
    """What the gates are decided by: 4×h×w, means of 8×8 pixels of each colour, and how rough they are."""
    height, width = source.shape[:2]
    tall, wide = (-(-side // _GRID) * _GRID for side in (height, width))
    out = np.empty((4, tall // _CELL, wide // _CELL), np.float32)

    def work(window: Rows, first: int, top: int, bottom: int) -> None:
        pixels = _on_grid(window[:], (first, 0), source.shape)
        own = pixels.shape[0] if bottom == height else bottom - first
        cells = slice((top - first) // _CELL, own // _CELL)
        into = slice(top // _CELL, (first + own) // _CELL)
        out[:3, into] = _means(pixels, _CELL)[cells].transpose(2, 0, 1)
        gray = np.asarray(cv2.transform(pixels, np.full((1, 3), 1.0 / 3.0, np.float32)))
        coarse = _Rises(_wider(_means(gray, 4), 4), 4)
        gray -= coarse.rows(0, len(gray), coarse.room(len(gray)))
        out[3, into] = _means(np.abs(gray, out=gray), _CELL)[cells]

    over_bands(source, 8 * _GRID, work, _GRID, _CELL)
    return out


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
            given = np.concatenate([_lift(levels, steep), 8.0 * gain * rough])
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
    first, second = (_Convolution(*_layer(parameters, f"detail.{name}")) for name in ("open", "look"))
    steering = _linear_layer(parameters, "detail.steer", exposure.steering)
    scale, shift = (part[:, None] for part in np.split(steering, 2))
    weight, bias = _layer(parameters, "detail.close")
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


def _develop(maps: Array, shape: tuple[int, ...], window: Pixels, top: int, left: int) -> Pixels:
    """`Gates.forward` from the gates on, for a window."""
    window = np.ascontiguousarray(window)
    pixels = _on_grid(window, (top, left), shape)
    low = cv2.dnn.blobFromImage(pixels)[0]  # three planes, in half of NumPy's time
    coarse = np.stack([_wider(_means(plane, 4), 4) for plane in low])
    around = _around(maps, low.shape, top, left)
    gates = np.stack([_wider(plane, _CELL)[:, _CELL:-_CELL] for plane in around])
    return _composed(low, _Rises(coarse, 4), _Rises(gates, _CELL), window)


def _around(maps: Array, shape: tuple[int, ...], top: int, left: int) -> Array:
    """The gates of a window and one cell around it, continued beyond the picture's border."""
    rows, columns = (
        np.clip(np.arange(at // _CELL - 1, -(-(at + side) // _CELL) + 1), 0, most - 1)
        for at, side, most in zip((top, left), shape[1:], maps.shape[1:], strict=True)
    )
    return np.asarray(maps[:, rows[:, None], columns])


def _composed(low: Array, smooth: _Rises, gates: _Rises, out: Pixels) -> Pixels:
    """What passes the gates, on its curve, strip by strip.

    Args:
        low: 3×h×w, sides multiples of 8.
        smooth: its means of 4×4 pixels, at full width.
        gates: 3×(h/8 + 2)×w, as `_find_gates` gives them, with a row more above and below.
        out: as much of it as is wanted, H×W×3, C-contiguous; overwritten.

    Returns:
        `out`.
    """
    height, width = out.shape[:2]
    rows = min(max(_STRIP // low.shape[2], 1) * _CELL, low.shape[1])
    smooth_room, gate_room = smooth.room(rows), gates.room(rows)
    finer_room, room = np.empty((2, 3, rows, low.shape[2]), np.float32)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        some = slice(0, bottom - top)
        calm = smooth.rows(top, bottom, smooth_room)
        color, more, flat = gates.rows(top + _CELL, bottom + _CELL, gate_room)
        finer, (brightest, square, steep) = finer_room[:, some], room[:, some]
        np.subtract(low[:, top:bottom], calm, out=finer)
        gray = np.add(finer[0], finer[1], out=square)
        gray += finer[2]
        gray *= more
        finer *= color
        finer += gray
        calm += finer
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
        below = np.multiply(calm, square, out=finer)
        below += brightest
        np.divide(calm, below, out=calm)
        # nothing is below 0 here, and above 1 by rounding alone
        made = cv2.merge([plane[:, :width] for plane in calm]).reshape(-1, 3 * width)
        cv2.threshold(made, 1.0, 1.0, cv2.THRESH_TRUNC, dst=out[top:bottom].reshape(made.shape))
    return out
