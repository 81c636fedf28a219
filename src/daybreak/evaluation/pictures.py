"""The pictures of a run: read one at a time, checked, and hashed so that a number names its list."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from daybreak.data.base import Card
from daybreak.data.darkened import Darkened
from daybreak.data.sample import Sample
from daybreak.evaluation.protocol import Rounding
from daybreak.image.depth import to_float, to_levels
from daybreak.types import Array, Pixels

Bytes8: TypeAlias = NDArray[np.uint8]
"""H×W×3, RGB, sRGB-encoded, 8 bits."""

GUARD = 1e-3  # grey levels: float32 puts a whole level up to 2e-5 below itself, which truncation must not see


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture to be scored.

    Attributes:
        name: unique in its list; may hold slashes.
        low: H×W×3 float32 in [0, 1], the dark input, of 8 bits.
        truth: H×W×3 uint8, the reference; None where the list has none.
        note: what a reader of the numbers should know ("" for nothing).
        alpha: by how much paper 3's generator made it dark; None where something else did.
    """

    name: str
    low: Pixels
    truth: Bytes8 | None
    note: str = ""
    alpha: float | None = None


def load(sample: Sample) -> Picture:
    """Read a sample; what has more than 8 bits is brought to 8, the input before any method sees it.

    Raises:
        DaybreakError: a file cannot be read, or the two differ in size.
    """
    low, truth = sample.load()
    depths = {8 * levels.dtype.itemsize for levels in (low, truth) if levels is not None}
    stored = " and ".join(str(depth) for depth in sorted(depths))
    note = "" if depths == {8} else f"stored with {stored} bits, scored at 8"
    alpha = sample.input.darkening.alpha if isinstance(sample.input, Darkened) else None
    dark = as_float(to_8_bits(as_float(low)))
    wanted = None if truth is None else to_8_bits(as_float(truth))
    return Picture(sample.name, dark, wanted, note, alpha)


def as_float(levels: Array) -> Pixels:
    """uint8 or uint16 to float32 in [0, 1]."""
    return to_float(levels, (1 << 8 * levels.dtype.itemsize) - 1)


@dataclass(frozen=True)
class PictureList:
    """What a run scores.

    Attributes:
        card: of the data set.
        split: its part.
        samples: in the order of the list.
        paired: whether there are references.
        problems: what was left out before anything was read, one sentence each.
    """

    card: Card
    split: str
    samples: tuple[Sample, ...]
    paired: bool
    problems: tuple[str, ...] = ()


class ListHash:
    """sha256 over names and decoded 8-bit pixels, whatever the container and its compression."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, picture: Picture) -> None:
        """Take in the next picture of the list."""
        self._digest.update(picture.name.encode("utf-8", "surrogateescape"))
        for levels in (to_8_bits(picture.low), picture.truth):
            if levels is not None:
                self._digest.update(repr(levels.shape).encode())
                self._digest.update(np.ascontiguousarray(levels).tobytes())

    def hexdigest(self) -> str:
        """64 hexadecimal digits."""
        return self._digest.hexdigest()


def to_8_bits(pixels: Pixels, rounding: Rounding = "round") -> Bytes8:
    """Clip and bring to 8 bits as a file would hold it.

    Args:
        pixels: H×W×3 float32.
        rounding: to the nearest level, or down as `astype(uint8)` does in several repositories.
    """
    if rounding == "round":
        return to_levels(pixels, 8)
    return np.asarray(np.floor(np.clip(pixels, 0.0, 1.0) * 255.0 + GUARD), np.uint8)
