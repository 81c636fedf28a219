"""Where one shot of a film ends and the next begins."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np

from daybreak.types import Pixels

CUT = 0.35  # mean change of a cell, as a share of the mean brightness: above it the picture is another one
OUTSTANDING = 3.0  # times the usual change of the last frames: a fast pan changes much, but each time
_MEMORY = 8  # frames whose change counts as usual
_BLACK = 2.0 / 255.0


class CutDetector:
    """Looks at coarse copies of the frames in turn.

    The change from frame to frame is the mean absolute difference of the cells, as a share of the mean
    brightness, so that dark films are judged like bright ones. A cut is a change that is large and stands out
    from those before it; switching on a lamp counts too, for everything has to be decided anew then.

    Attributes:
        last: the frame before; None before the first.
        changes: the last few of the shot.
    """

    def __init__(self, last: Pixels | None = None, changes: Iterable[float] = ()) -> None:
        self.last = last
        self.changes = deque(changes, _MEMORY)

    def __call__(self, cells: Pixels) -> bool:
        """Whether a shot begins with this frame, as with the first of all and with one of another shape.

        Args:
            cells: h×w×3 float32 in [0, 1], from `cell_means`.
        """
        last, self.last = self.last, cells
        if last is None or last.shape != cells.shape:
            self.changes.clear()
            return True
        level = min(float(last.mean()), float(cells.mean())) + _BLACK
        change = float(np.abs(cells - last).mean()) / level
        usual = float(np.median(self.changes)) if self.changes else 0.0
        if change > CUT and change > OUTSTANDING * usual:
            self.changes.clear()
            return True
        self.changes.append(change)
        return False
