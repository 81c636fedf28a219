"""Bringing a plane that was computed at reduced size up to a larger one along the edges of a guide.

Source: He, Sun, "Fast Guided Filter", arXiv:1505.00996, 2015: the plane is a line in the guide within each
small window; the lines' two coefficients are found at the reduced size, enlarged bilinearly and applied to
the guide at full size.
"""

from __future__ import annotations

import cv2
import numpy as np

from daybreak.types import Plane


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
    mean_guide, mean_plane = _mean(guide), _mean(plane)
    slope = _mean(guide * plane)
    slope -= mean_guide * mean_plane
    variance = _mean(guide * guide)
    variance -= mean_guide * mean_guide
    variance += np.float32(eps)
    slope /= variance
    offset = mean_plane
    offset -= slope * mean_guide
    out = enlarge(_mean(slope), large_guide.shape)
    out *= large_guide
    out += enlarge(_mean(offset), large_guide.shape)
    return out


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

    def __getitem__(self, rows: slice) -> Plane:
        """A band of rows, [top:bottom]: the same numbers as in the whole plane enlarged by `enlarge`."""
        top, bottom, _ = rows.indices(self.shape[0])
        above = max(top // 2 - 1, 0)
        part = self.half[above : bottom // 2 + 1 + bottom % 2]
        wide = enlarge(part, (2 * part.shape[0], 2 * part.shape[1]))
        return wide[top - 2 * above : bottom - 2 * above, : self.shape[1]]

    def whole(self) -> Plane:
        """All of it, H×W float32."""
        return self[0 : self.shape[0]]


def samples(light: Plane | Doubled, step: int) -> Plane:
    """A sample of every `step`-th row and column; of what is kept at half size the nearest one there."""
    if isinstance(light, Doubled):
        rows, columns = (np.arange(0, side, step) // 2 for side in light.shape)
        return light.half[np.ix_(rows, columns)]
    return light[::step, ::step]


def _mean(plane: Plane) -> Plane:
    """Mean over 3×3, the smallest window in which a line can be seen."""
    out = cv2.blur(plane, (3, 3), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(out, dtype=np.float32).reshape(plane.shape)
