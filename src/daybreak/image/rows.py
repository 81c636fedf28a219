"""A picture kept as the whole numbers of its file, read as float32 where it is looked at.

At 12 megapixels float32 RGB takes 144 MB, and the first touch of that memory costs more time than decoding
the JPEG. What goes through a picture band by band need never have all of it as floats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeVar

import cv2
import numpy as np

from daybreak.image.color import value
from daybreak.image.depth import to_float
from daybreak.types import Array, Pixels, Plane

_Found = TypeVar("_Found")

_LOOK = 256  # px, the longer side


class Levels:
    """A stand-in for H×W×3 float32 pixels in [0, 1] that gives them out piece by piece.

    Args:
        whole: H×W×3 uint8 or uint16, sRGB-encoded RGB. Who writes into it makes new `Levels` of it.
        peak: the level that means 1.0.
    """

    def __init__(self, whole: Array, peak: int) -> None:
        self.whole = whole
        self.peak = peak
        self._known: dict[str, Any] = {}

    def once(self, what: str, find: Callable[[], _Found]) -> _Found:
        """Something about the whole picture, found when it is first asked for by its name.

        Two threads that ask at the same time may both look. Nobody writes into what is given.
        """
        if what not in self._known:
            self._known[what] = find()
        found: _Found = self._known[what]
        return found

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, 3)."""
        height, width, channels = self.whole.shape
        return height, width, channels

    def __getitem__(self, index: Any) -> Pixels:
        """A part, by slices as for an array: a new float32 array."""
        return to_float(self.whole[index], self.peak)

    def band(self, top: int, bottom: int) -> Levels:
        """The rows from the first to before the second; shares the memory."""
        return Levels(self.whole[top:bottom], self.peak)

    def planes(self, index: slice) -> Array:
        """Some rows as 3×h×W float32: each colour in one piece."""
        some = self.whole[index]
        planes = np.empty((3, *some.shape[:2]), some.dtype)
        cv2.split(some, list(planes))
        return to_float(planes, self.peak)

    def value(self, index: slice) -> Plane:
        """V, max(R, G, B), of some rows: h×W float32, the numbers that V of the same rows as floats has."""
        red, green, blue = cv2.split(self.whole[index])
        brightest = np.asarray(cv2.max(cv2.max(red, green), blue)).reshape(red.shape)
        return to_float(brightest, self.peak)


Rows: TypeAlias = Pixels | Levels
"""H×W×3 pixels to be read by slices: an array, or `Levels`."""


class Bands(Protocol):
    """A picture that is looked at band by band: `Levels`, `Floats`, or one that comes from a file so."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, 3)."""
        ...

    def band(self, top: int, bottom: int) -> Rows:
        """The rows from the first to before the second."""
        ...


class Floats:
    """An array as `Bands`.

    Args:
        pixels: H×W×3 float32.
    """

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, 3)."""
        height, width, channels = self._pixels.shape
        return height, width, channels

    def band(self, top: int, bottom: int) -> Pixels:
        """The rows from the first to before the second; shares the memory."""
        return self._pixels[top:bottom]


def sparse(rows: Rows, step: int) -> Pixels:
    """Every `step`-th pixel of every `step`-th row, a new array: what `rows[::step, ::step]` gives.

    Of `Levels` the pixels are picked before they become floats, each in one piece.
    """
    if not isinstance(rows, Levels):
        return np.array(rows[::step, ::step])
    whole = np.ascontiguousarray(rows.whole)
    pixel = np.dtype((np.void, 3 * whole.itemsize))
    picked = np.ascontiguousarray(whole.view(pixel)[::step, ::step, 0])
    return to_float(picked.view(whole.dtype).reshape(*picked.shape, 3), rows.peak)


def brightest(rows: Rows) -> Plane:
    """V, max(R, G, B): H×W float32 in [0, 1]."""
    return rows.value(slice(None)) if isinstance(rows, Levels) else value(rows)


def every(source: Bands, step: int) -> Pixels:
    """Every `step`-th row and column, from the first: h×w×3 float32."""
    height, width = source.shape[:2]
    rows = range(0, height, step)
    out = np.empty((len(rows), -(-width // step), 3), np.float32)
    for at, row in enumerate(rows):
        out[at] = source.band(row, row + 1)[:, ::step][0]
    return out


def thumbnail(rows: Rows) -> Pixels:
    """A copy whose longer side is at most 256 px: noise is averaged out, highlights are not; h×w×3 float32.

    Of a large picture at least 4×4 pixels, evenly apart, make each mean. Of `Levels` it is made once.
    """

    def find() -> Pixels:
        step = max(1, max(rows.shape[:2]) // (4 * _LOOK))
        return shrink(sparse(rows, step), _LOOK)

    return rows.once("thumbnail", find) if isinstance(rows, Levels) else find()


def mean(rows: Rows) -> float:
    """Arithmetic mean of the sRGB-encoded values of all pixels and channels, in [0, 1]."""
    if isinstance(rows, Levels):
        return rows.once("mean", lambda: _mean(rows.whole) / rows.peak)
    return _mean(rows)


def _mean(values: Array) -> float:
    return float(sum(cv2.mean(values)[:3]) / 3.0)


def shrink(rows: Rows, longest: int) -> Pixels:
    """A copy whose longer side is at most `longest` pixels, area-averaged: h×w×3 float32.

    Of `Levels` the means are rounded to a whole level.
    """
    if isinstance(rows, Levels):
        return Levels(_area(rows.whole, longest), rows.peak)[:]
    return np.asarray(_area(rows, longest), dtype=np.float32)


def _area(array: Array, longest: int) -> Array:
    height, width = array.shape[:2]
    factor = longest / max(height, width)
    if factor >= 1.0:
        return array
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA)).reshape(size[1], size[0], 3)
