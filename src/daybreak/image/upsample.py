"""Bringing a plane that was computed at reduced size up to a larger one along the edges of a guide.

Source: He, Sun, "Fast Guided Filter", arXiv:1505.00996, 2015: the plane is a line in the guide within each
small window; the lines' two coefficients are found at the reduced size, enlarged bilinearly and applied to
the guide at full size.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from daybreak.image.blocks import Field
from daybreak.types import Pixels, Plane


def upsample_guided(plane: Plane, guide: Plane, large_guide: Plane, eps: float = 1e-3) -> Plane:
    """Enlarge a plane so that it has edges where the large guide has them.

    Args:
        plane: h×w float32, any range.
        guide: h×w float32, about [0, 1]: the guide at the plane's size.
        large_guide: H×W float32: the guide at the size wanted.
        eps: variance of the guide under which a window counts as flat.

    Returns:
        H×W float32; may leave the plane's range a little where the guide has strong edges.
    """
    slope, offset = lines(plane, guide, eps)
    out = enlarge(slope, large_guide.shape)
    out *= large_guide
    out += enlarge(offset, large_guide.shape)
    return out


def lines(plane: Plane, guide: Plane, eps: float = 1e-3) -> tuple[Plane, Plane]:
    """Slope and offset of the plane as a line in the guide around each pixel: arguments as above."""
    mean_guide, mean_plane = _mean(guide), _mean(plane)
    slope = _mean(guide * plane)
    slope -= mean_guide * mean_plane
    variance = _mean(guide * guide)
    variance -= mean_guide * mean_guide
    variance += np.float32(eps)
    slope /= variance
    offset = mean_plane
    offset -= slope * mean_guide
    return _mean(slope), _mean(offset)


def enlarge(plane: Plane, shape: tuple[int, ...]) -> Plane:
    """Bilinear enlargement, pixel areas aligned: h×w float32 to `shape`, (H, W)."""
    out = cv2.resize(plane, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(out, dtype=np.float32).reshape(shape)


class Doubled:
    """A plane of half the size wanted, enlarged where it is looked at: a whole one of 12 MP takes 48 MB.

    Args:
        half: h×w float32.
        shape: (H, W) wanted, at most (2h, 2w).
    """

    def __init__(self, half: Plane, shape: tuple[int, int]) -> None:
        self.half = half
        self.shape = shape

    @property
    def kept(self) -> int:
        """Bytes of memory."""
        return self.half.nbytes

    def __getitem__(self, rows: slice) -> Plane:
        """A band of rows, [top:bottom]: the same numbers as in the whole plane enlarged by `enlarge`."""
        top, bottom, _ = rows.indices(self.shape[0])
        return self._part(top, bottom, 0, self.shape[1])

    def at(self, window: Pixels, top: int, left: int) -> Plane:
        """What lies under a window of the picture that begins at (top, left)."""
        return self._part(top, top + window.shape[0], left, left + window.shape[1])

    def _part(self, top: int, bottom: int, left: int, right: int) -> Plane:
        above, before = max(top // 2 - 1, 0), max(left // 2 - 1, 0)
        part = self.half[above : bottom // 2 + 1 + bottom % 2, before : right // 2 + 1 + right % 2]
        wide = enlarge(part, (2 * part.shape[0], 2 * part.shape[1]))
        return wide[top - 2 * above : bottom - 2 * above, left - 2 * before : right - 2 * before]

    def whole(self) -> Plane:
        """All of it, H×W float32."""
        return self[0 : self.shape[0]]

    def samples(self, step: int) -> Plane:
        """At every `step`-th row and column the nearest of what is kept."""
        rows, columns = (np.arange(0, side, step) // 2 for side in self.shape)
        return self.half[np.ix_(rows, columns)]


class Lines:
    """A plane computed at a reduced size, brought up along the edges of a guide where it is looked at.

    Args:
        plane: h×w float32.
        guide: h×w float32: means of side×side blocks of the guide at the size wanted.
        side: of a block, px.
    """

    def __init__(self, plane: Plane, guide: Plane, side: int) -> None:
        self.plane, self.side = plane, side
        self._lines = Field(np.dstack(lines(plane, guide)), side)

    @property
    def kept(self) -> int:
        """Bytes of memory."""
        return 3 * self.plane.nbytes

    def at(self, guide: Plane, top: int, left: int) -> Plane:
        """The part that begins at (top, left), along the guide there: any size."""
        found = self._lines.at(top, top + guide.shape[0], left, left + guide.shape[1])
        out = found[..., 0] * guide
        out += found[..., 1]
        return out


@dataclass(frozen=True)
class Kept:
    """A plane of the size wanted, H×W float32."""

    plane: Plane

    @property
    def kept(self) -> int:
        """Bytes of memory."""
        return self.plane.nbytes

    def at(self, window: Pixels, top: int, left: int) -> Plane:
        """What lies under a window of the picture that begins at (top, left)."""
        return self.plane[top : top + window.shape[0], left : left + window.shape[1]]

    def samples(self, step: int) -> Plane:
        """Every `step`-th row and column."""
        return self.plane[::step, ::step]

    def whole(self) -> Plane:
        """All of it."""
        return self.plane


def _mean(plane: Plane) -> Plane:
    """Mean over 3×3, the smallest window in which a line can be seen."""
    out = cv2.blur(plane, (3, 3), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(out, dtype=np.float32).reshape(plane.shape)
