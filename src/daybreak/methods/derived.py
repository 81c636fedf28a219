"""Planes that follow from a picture window by window: made once and kept, or made again where wanted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from daybreak.image.rows import Bands, Rows
from daybreak.image.strips import over_bands
from daybreak.image.tiles import spans
from daybreak.types import Array, Pixels

_ROWS, _SIDE = 128, 512  # px of a tile without its halo, at the least and at the most


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
        self._source, self._make, self._halo = source, make, halo
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
        halo, width = self._halo, self._source.shape[1]

        def work(window: Rows, first: int, top: int, bottom: int) -> None:
            for left, right in spans(width, _SIDE):
                before = max(0, left - halo)
                made = self._make(np.array(window[:, before : right + halo]), first, before)
                look(made[top - first : bottom - first, left - before : right - before], top, left)

        over_bands(self._source, max(_ROWS, 8 * halo), work, above=halo, below=halo)
