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


def _mean(plane: Plane) -> Plane:
    """Mean over 3×3, the smallest window in which a line can be seen."""
    out = cv2.blur(plane, (3, 3), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(out, dtype=np.float32).reshape(plane.shape)
