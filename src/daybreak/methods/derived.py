"""Planes that follow from a picture window by window: made once and kept, or made again where wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from daybreak.image.rows import Bands, Rows
from daybreak.image.strips import over_bands
from daybreak.image.tiles import spans
from daybreak.types import Array, Pixels

_ROWS, _SIDE = 128, 512  # px of a tile without its halo: rows where room allows them, columns at most
_LEAST = 16  # rows of a tile
_BYTES, _LEVELS = 100, 6  # bytes a pixel of a tile that is worked on, and of a band that waits


@dataclass(frozen=True)
class Tile:
    """A part of a picture and the pixels around it.

    Attributes:
        window: h×w×3 float32, memory of its own.
        above, before: the window's first row and column in the picture.
        place: rows and columns of the part itself, in the picture.
    """

    window: Pixels
    above: int
    before: int
    place: tuple[slice, slice]

    @property
    def inside(self) -> tuple[slice, slice]:
        """The part in the window, or in what was made of it."""
        rows, columns = self.place
        return (
            slice(rows.start - self.above, rows.stop - self.above),
            slice(columns.start - self.before, columns.stop - self.before),
        )


def over_tiles(
    source: Bands, halo: int, work: Callable[[Tile], None], room: int | None, cell: int = 1
) -> None:
    """Look at a picture tile by tile, which together cover it once.

    Args:
        source: H×W×3, read from top to bottom.
        halo: px around a tile, where there are as many; a multiple of `cell`.
        work: called from several threads, in no certain order.
        room: bytes that may be taken; None for no limit. Where they are few, tiles are as low as their halo.
        cell: tiles and windows begin at multiples of this.
    """
    width = source.shape[1]

    def band(window: Rows, first: int, top: int, bottom: int) -> None:
        for left, right in spans(width, _SIDE, cell):
            before = max(0, left - halo)
            pixels = np.array(window[:, before : right + halo])
            work(Tile(pixels, first, before, (slice(top, bottom), slice(left, right))))

    rows = max(_ROWS, 8 * halo)
    while (
        room is not None
        and rows // 2 >= halo
        and rows > _LEAST
        and _taken(rows + 2 * halo, width, halo) > room
    ):
        rows //= 2
    over_bands(source, -(-rows // cell) * cell, band, above=halo, below=halo)


def _taken(rows: int, width: int, halo: int) -> int:
    """Bytes that tiles of so many rows take, and the bands that wait for a thread."""
    threads = cv2.getNumThreads()
    tile = min(_SIDE + 2 * halo, width)
    return rows * (threads * tile * _BYTES + (threads + 2) * width * _LEVELS)


class Derived:
    """Planes that a method's statistics and its last step look at.

    Args:
        source: the picture.
        make: (window, top, left) -> h×w×c float32, right from `halo` pixels inside a cut on; the window's
            memory may be used. Called from several threads.
        halo: px.
        channels: c.
        room: bytes that may be taken; None for no limit. The planes are kept if they take half of it.
    """

    def __init__(
        self,
        source: Bands,
        make: Callable[[Pixels, int, int], Array],
        halo: int,
        channels: int,
        room: int | None,
    ) -> None:
        height, width = source.shape[:2]
        self._source, self._make, self._halo, self._room = source, make, halo, room
        self.whole: Array | None = None
        """H×W×c float32 where they are kept."""
        if room is None or 8 * height * width * channels <= room:
            whole = np.empty((height, width, channels), np.float32)

            def keep(part: Array, top: int, left: int) -> None:
                whole[top : top + part.shape[0], left : left + part.shape[1]] = part

            self.each(keep)
            self.whole = whole

    @property
    def halo(self) -> int:
        """Pixels around a part that `at` has to be given."""
        return self._halo if self.whole is None else 0

    @property
    def kept(self) -> int:
        """Bytes of memory."""
        return 0 if self.whole is None else self.whole.nbytes

    def at(self, window: Pixels, top: int, left: int) -> Array:
        """The planes under a window of the picture, which is left unchanged: h×w×c, not to be changed."""
        if self.whole is None:
            return self._make(window.copy(), top, left)
        return self.whole[top : top + window.shape[0], left : left + window.shape[1]]

    def each(self, look: Callable[[Array, int, int], None]) -> None:
        """Look at all of them once.

        Args:
            look: (part, top, left), called from several threads, in any order.
        """
        if self.whole is not None:
            look(self.whole, 0, 0)
            return

        def work(tile: Tile) -> None:
            made = self._make(tile.window, tile.above, tile.before)
            look(made[tile.inside], *(side.start for side in tile.place))

        over_tiles(self._source, self._halo, work, self._room)
