"""How much of the borders of tiles can be seen in a picture that was enhanced in parts.

Source: our own; the figure that docs/large-pictures.md and benchmarks/seams.py give.

At a border between two tiles the step from one pixel to the next is compared with the steps right beside it.
A step says nothing at one pixel, where there is noise, but an eye follows a line: steps are averaged over
stretches along the border, in each channel. The score is the largest excess of such a mean step over the mean
of its two neighbours, in grey levels of 255. A picture has edges of its own, which may fall on a border, so
where the result in one piece is known the score is taken of the difference from it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from daybreak.errors import MetricError
from daybreak.types import Array, Pixels

STRETCH = 32  # px along a border


def seam_score(
    picture: Pixels, rows: Iterable[int], columns: Iterable[int], whole: Pixels | None = None
) -> float:
    """The worst step across a border of tiles, beyond the steps beside it.

    Args:
        picture: H×W×3 float32 in [0, 1], the result in parts.
        rows: the first row of each tile that has one above it, at least 2 and at most H - 2.
        columns: the first column of each tile that has one on its left, likewise.
        whole: the result in one piece, H×W×3; None where the picture is smooth by itself.

    Returns:
        Grey levels of 255; 0 where there is no border.

    Raises:
        MetricError: the two differ in size, or a border lies too near the picture's own.

    >>> flat = np.zeros((8, 64, 3), np.float32)
    >>> flat[4:] = 2 / 255
    >>> round(seam_score(flat, rows=[4], columns=[]), 3)
    2.0
    """
    if whole is not None and whole.shape != picture.shape:
        raise MetricError(f"pictures of {picture.shape} and {whole.shape}", "two of the same size")
    off = picture if whole is None else picture - whole
    along_rows = [_excess(off, row) for row in rows]
    along_columns = [_excess(np.swapaxes(off, 0, 1), column) for column in columns]
    return 255.0 * max([0.0, *along_rows, *along_columns])


def _excess(off: Array, border: int) -> float:
    """The largest excess along one border between rows: off is H×W×3."""
    if not 2 <= border <= len(off) - 2:
        raise MetricError(f"a border at {border} of {len(off)} pixels", "one with two pixels on either side")
    lines = off[border - 2 : border + 2].astype(np.float64)  # 4×W×3, the border in the middle
    above, across, below = (np.abs(_means(step)) for step in np.diff(lines, axis=0))
    return float((across - (above + below) / 2).max())


def _means(step: Array) -> Array:
    """Means over stretches: W×3 to n×3; the last stretch takes what is left over."""
    starts = np.arange(0, max(len(step) - STRETCH, 0) + 1, STRETCH)
    sums = np.add.reduceat(step, starts, axis=0)
    return np.asarray(sums / np.diff(np.append(starts, len(step)))[:, None])
