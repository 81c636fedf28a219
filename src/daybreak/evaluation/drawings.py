"""What the report shows of a picture beside its pixels: where it is wrong, and how its levels are spread."""

from __future__ import annotations

import cv2
import numpy as np

from daybreak.enhancing.page import Bytes8, text
from daybreak.types import Array

FULL = 96.0  # grey levels: an error of this or more is drawn in the last colour
BINS = 64
WIDTH, HEIGHT = 256, 96  # of a histogram, in its own units


def error_map(output: Bytes8, truth: Bytes8) -> Bytes8:
    """Mean absolute difference over the channels, from black (0) over red to pale yellow (`FULL` levels).

    Args:
        output, truth: H×W×3 uint8 of one shape.

    Returns:
        H×W×3 uint8.
    """
    gap = np.abs(output.astype(np.float32) - truth.astype(np.float32)).mean(axis=2)
    levels = np.minimum(gap * (255.0 / FULL), 255.0).astype(np.uint8)
    return np.ascontiguousarray(
        cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO).reshape(output.shape)[..., ::-1]
    )


def histogram(levels: Bytes8, behind: Bytes8 | None, label: str) -> str:
    """The spread of R, G and B as an inline SVG, in square-root height so that small shares can be seen.

    Args:
        levels: H×W×3 uint8.
        behind: another picture whose mean spread is filled behind the lines, or None.
        label: for a screen reader, not yet escaped.
    """
    shares = [_shares(levels[..., channel]) for channel in range(3)]
    filled = (
        np.mean([_shares(behind[..., channel]) for channel in range(3)], axis=0)
        if behind is not None
        else None
    )
    top = max(float(np.max(share)) for share in (*shares, *([] if filled is None else [filled])))
    area = "" if filled is None else f'<path class="ref" d="{_line(filled, top)}V{HEIGHT}H0Z"/>'
    lines = "".join(
        f'<path class="{name}" d="{_line(share, top)}"/>' for name, share in zip("rgb", shares, strict=True)
    )
    return (
        f'<svg class="histogram" role="img" aria-label="{text(label)}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'preserveAspectRatio="none">{area}{lines}</svg>'
    )


def _shares(plane: Array) -> Array:
    """Square root of the share of pixels in each of `BINS` bins."""
    counts = np.bincount(plane.ravel() // (256 // BINS), minlength=BINS)
    return np.sqrt(counts / plane.size)


def _line(share: Array, top: float) -> str:
    """A path through the tops of the bins, from the left edge to the right one."""
    heights = HEIGHT - (HEIGHT - 4) * share / top
    points = [f"{WIDTH * (place + 0.5) / BINS:.0f} {height:.1f}" for place, height in enumerate(heights)]
    return f"M0 {heights[0]:.1f}L{'L'.join(points)}H{WIDTH}"
