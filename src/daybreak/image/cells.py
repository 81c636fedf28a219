"""Means of a picture over the cells of a coarse grid, to compare one frame with the next."""

from __future__ import annotations

import cv2
import numpy as np

from daybreak.image.rows import Levels, Rows
from daybreak.types import Pixels

LONGEST = 64  # cells along the longer side, at most
SMALLEST = 8  # px, the least side of a cell: the noise of a sensor is then averaged over 64 pixels

Grid = tuple[int, int]
"""Rows and columns of cells."""


def grid_of(shape: tuple[int, ...]) -> Grid:
    """How a picture of H×W is cut into cells, nearly square ones.

    >>> grid_of((720, 1280, 3)), grid_of((48, 64, 3)), grid_of((1, 3, 3))
    ((36, 64), (6, 8), (1, 1))
    """
    height, width = shape[:2]
    longest = max(height, width)
    side = max(SMALLEST, longest / LONGEST)
    return max(1, round(height / side)), max(1, round(width / side))


def cell_means(rows: Rows, grid: Grid) -> Pixels:
    """The mean of each cell.

    Args:
        rows: H×W×3 float32 in [0, 1], or `Levels`.
        grid: h and w, no more than H and W.

    Returns:
        h×w×3 float32 in [0, 1]; of `Levels`, good to a tenth of a level.
    """
    whole, peak = (rows.whole, rows.peak) if isinstance(rows, Levels) else (rows, 1)
    height, width = whole.shape[:2]
    step = min(height // (4 * grid[0]), width // (4 * grid[1]))
    if step >= 2:  # whole numbers average faster; the rounding is averaged away over 16 of them or more
        whole = cv2.resize(whole, (width // step, height // step), interpolation=cv2.INTER_AREA)
    values = np.asarray(whole, dtype=np.float32).reshape(*whole.shape[:2], 3)
    small = cv2.resize(values, (grid[1], grid[0]), interpolation=cv2.INTER_AREA).reshape(*grid, 3)
    return np.asarray(small / np.float32(peak), dtype=np.float32)
