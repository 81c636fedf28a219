"""What is compiled where daybreak is installed: loops that NumPy can only make in dozens of passes.

`developing.c` becomes a library when daybreak is installed where there is a C compiler (hatch_build.py in the
project's root). Elsewhere there is none, and who asks for it does the same with NumPy: the same picture, to
rounding, more slowly. The interpreter lock is let go of meanwhile, so threads work side by side.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, Structure, c_char_p, c_float, c_int, c_ssize_t, c_void_p
from functools import cache
from pathlib import Path

import numpy as np

from daybreak.types import Array

MAPS = 8
"""Planes of the gates, as the library reads them."""

_SOURCE = Path(__file__).with_name("developing.c")
_LIBRARY = Path(__file__).with_name("libdaybreak.so")
_KINDS = {np.dtype(np.uint8): 1, np.dtype(np.uint16): 2, np.dtype(np.float32): 4}

_apart = 0  # how many ask for NumPy's way now


class _Window(Structure):
    _fields_ = (
        ("data", c_void_p),
        ("kind", c_ssize_t),
        ("scale", c_float),
        ("top", c_ssize_t),
        ("left", c_ssize_t),
        ("rows", c_ssize_t),
        ("columns", c_ssize_t),
        ("height", c_ssize_t),
        ("width", c_ssize_t),
    )


@cache
def _found() -> ctypes.CDLL | None:
    """The library of this machine; None where it was not made, not for it, or of another source."""
    try:
        found = ctypes.CDLL(str(_LIBRARY))
        found.daybreak_source.restype = c_char_p
        if found.daybreak_source().decode() != _source():
            return None
        found.daybreak_seen.argtypes = (POINTER(_Window), c_ssize_t, c_ssize_t, c_void_p, c_ssize_t)
        found.daybreak_developed.argtypes = (
            POINTER(_Window),
            *(c_void_p, c_ssize_t, c_ssize_t),
            *(c_ssize_t, c_ssize_t),
            *(c_void_p, c_ssize_t, c_void_p),
        )
        found.daybreak_seen.restype = found.daybreak_developed.restype = c_int
    except (OSError, AttributeError):
        return None
    return found


@cache
def _source() -> str:
    return hashlib.sha256(_SOURCE.read_bytes()).hexdigest()


def compiled() -> bool:
    """Whether the compiled part is there, and not left out."""
    return not _apart and _found() is not None


def made_of() -> str:
    """The first digits of the SHA-256 of the source that the library here was made of; "" without one."""
    return _source()[:12] if _found() else ""


@contextmanager
def left_out(wanted: bool = True) -> Iterator[None]:
    """What is done meanwhile, in all threads, is done by NumPy: to make again what was made without."""
    global _apart
    _apart += wanted
    try:
        yield
    finally:
        _apart -= wanted


class Window:
    """Part of a picture.

    Args:
        pixels: h×w×3 of whole numbers (uint8, uint16), or of float32 in [0, 1].
        peak: the level that means 1.0; of floats 1.
        at: its first row and column in the picture, multiples of 8; to be developed, of 16.
        shape: of the picture.

    Raises:
        KeyError: numbers of another kind.
    """

    def __init__(self, pixels: Array, peak: float, at: tuple[int, int], shape: tuple[int, ...]) -> None:
        self._pixels = np.require(pixels, requirements=("C", "A"))  # kept: the library has its address alone
        self._columns = pixels.shape[1]
        self._told = _Window(
            self._pixels.ctypes.data,
            _KINDS[self._pixels.dtype],
            float(np.float32(1.0 / peak)),
            *at,
            *pixels.shape[:2],
            *shape[:2],
        )

    def seen(self, top: int, bottom: int, out: Array) -> None:
        """`methods.developing.seen` for the cells of some rows.

        Args:
            top, bottom: rows of the picture, multiples of 8; the window has 8 more above and below, or ends
                where the picture does.
            out: 4×h×w float32 in one piece, all cells of the picture; those of the rows are written.
        """
        found = _found()
        assert found is not None
        row = out[0, top // 8]
        _check(found.daybreak_seen(self._told, top, bottom, row.ctypes.data, out[0].size))

    def developed(self, maps: Array, top: int, bottom: int, into: Array) -> Array:
        """What the gates make of some rows.

        Args:
            maps: 8×h×w float32 in one piece, the gates of the whole picture.
            top, bottom: rows of the picture, of any number; the window has the cells of 16 px that they are
                in and one more above and below, or ends where the picture does.
            into: h×w×3 in one piece, all columns of the window, uint8, uint16 or float32; written.

        Returns:
            The sums of the levels of each colour, uint64; of floats 0.

        Raises:
            ValueError: `into` is of another size or not in one piece, or there are other than 8 maps.
        """
        found = _found()
        assert found is not None
        if into.shape != (bottom - top, self._columns, 3) or not into.flags.c_contiguous:
            raise ValueError(f"into: {into.shape} for rows {top} to {bottom} of {self._columns} columns")
        if len(maps) != MAPS:
            raise ValueError(f"{len(maps)} maps for {MAPS}")
        sums = np.zeros(3, np.uint64)
        told = found.daybreak_developed(
            self._told,
            *(maps.ctypes.data, maps.shape[1], maps.shape[2]),
            *(top, bottom),
            *(into.ctypes.data, _KINDS[into.dtype], sums.ctypes.data),
        )
        _check(told)
        return sums


def _check(told: int) -> None:
    if told:
        raise MemoryError("no memory for a few rows of a picture")
