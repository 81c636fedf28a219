"""Averaging over time where nothing moves, for a camera that stands still.

A recursive filter: the average A follows the frame I as A + k (I − A), with k = 1/n where the difference is
no more than noise and 1 where it is plainly more, so that what moves is taken from the frame as it is. With n
frames' worth of averaging the variance of the noise falls to 1 / (2n − 1).

Source: the first-order motion-adaptive recursive filter of television noise reducers (Dennis, "Nonlinear
temporal filter for television picture noise reduction", IEE Proceedings G 1980).
"""

from __future__ import annotations

import cv2
import numpy as np

from daybreak.image.depth import to_levels
from daybreak.image.rows import Levels
from daybreak.types import Array, Pixels, Plane

MOST = 32  # frames' worth of averaging; beyond it slow changes of light leave trails
_STILL, _MOVES = 2.0, 4.0  # local difference, in standard deviations of what noise alone would give
_WINDOW = 5  # px, the difference is averaged over this square: movement has a size, noise does not
_FLOOR = 0.25 / 255.0  # least noise that is assumed: rounding


class TemporalDenoiser:
    """Averages the frames of a clip, which come in order.

    Args:
        frames: n, from 1 (off) to `MOST`.
    """

    def __init__(self, frames: float) -> None:
        self.least = 1.0 / frames
        self._average: Pixels | None = None
        self._last: Plane | None = None
        self._noise = 0.0

    def __call__(self, levels: Levels) -> Levels:
        """The frame with less noise, of the same kind.

        Args:
            levels: H×W×3; left unchanged. A frame of another size starts anew.
        """
        frame = levels[:]
        gray = frame.mean(axis=2)
        if self._average is None or self._average.shape != frame.shape or self._last is None:
            self._average, self._last, self._noise = frame, gray, 0.0
            return levels
        self._measure(gray)
        step = self._step(gray)
        self._average += step[..., np.newaxis] * (frame - self._average)
        self._last = gray
        bits = 8 if levels.peak == 255 else 16
        return Levels(to_levels(self._average, bits), (1 << bits) - 1)

    def _measure(self, gray: Plane) -> None:
        """Follow the standard deviation of the noise of one gray pixel: the median knows no movers."""
        assert self._last is not None
        step = max(1, round((gray.size / 20_000) ** 0.5))
        spread = np.median(np.abs(gray[::step, ::step] - self._last[::step, ::step]))
        found = float(spread) * 1.4826 / 2.0**0.5
        self._noise = found if self._noise == 0.0 else self._noise + 0.1 * (found - self._noise)

    def _step(self, gray: Plane) -> Array:
        """k at each pixel, H×W."""
        assert self._average is not None
        off = np.abs(gray - self._average.mean(axis=2))
        local = cv2.blur(off, (_WINDOW, _WINDOW), borderType=cv2.BORDER_REFLECT_101).reshape(off.shape)
        # noise alone gives E|difference| = σ √(2/π) √(1 + variance left in the average)
        alone = max(self._noise, _FLOOR) * 0.8 * (1.0 + self.least / (2.0 - self.least)) ** 0.5
        x = np.clip((local / alone - _STILL) / (_MOVES - _STILL), 0.0, 1.0)
        return np.asarray(self.least + (1.0 - self.least) * x, dtype=np.float32)
