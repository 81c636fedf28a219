"""What a method does to a whole picture, learnt from a reduced copy and applied at full size.

A method that looks at the whole picture (a histogram, an instance norm, a pooled attention) cannot be run on
tiles: each would be enhanced as if it were a picture of its own. Where the whole picture does not fit into
memory, the method is run on a copy reduced by whole blocks, and its result is told as two things:

* a tone curve for each channel: the mean that levels of the copy are brought to;
* around each block, a line: result = slope · curve(pixel) + offset, fitted in a small window.

At full size every pixel goes through its curve and its line, which are read bilinearly between the blocks.
Nothing depends on how the picture is cut up, so no seam can show. Lines follow edges because the guide, the
picture itself, has them (He, Sun, "Fast Guided Filter", arXiv:1505.00996, 2015); with the curve in front,
shadows, whose steps are small before they are lifted, count as much as lights.

What is lost is what the method does within a block other than along the line: denoising, sharpening, and
whatever a network draws. docs/large-pictures.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from daybreak.image.blocks import Field
from daybreak.image.tone import apply_curve
from daybreak.types import Array, Pixels

_KNOTS = 256  # of a curve
_BLUR = 1.5  # knots: deviation of the Gaussian over which a curve is averaged; levels nobody has are bridged
_FLAT = 2e-6  # variance, after the curve, under which a window counts as flat
_WINDOW = 3  # blocks, the smallest window in which a line can be seen


@dataclass(frozen=True)
class Lowpass:
    """A method's effect on one picture.

    Attributes:
        curves: 3×256 float32: what each level of each channel becomes on the whole.
        slope, offset: of the line around each block.
    """

    curves: Array
    slope: Field
    offset: Field

    def __call__(self, pixels: Pixels, top: int, left: int) -> Pixels:
        """Apply it to a part of the picture.

        Args:
            pixels: h×w×3 float32 in [0, 1], left unchanged.
            top, left: where it lies in the whole, multiples of the block.

        Returns:
            h×w×3 float32 in [0, 1].
        """
        where = (top, top + pixels.shape[0], left, left + pixels.shape[1])
        out = _toned(pixels, self.curves)
        out *= self.slope.at(*where)
        out += self.offset.at(*where)
        return np.clip(out, 0, 1, out=out)


def learn(copy: Pixels, enhanced: Pixels, side: int) -> Lowpass:
    """Tell a method's result on a reduced copy as curves and lines.

    Args:
        copy: h×w×3 float32 in [0, 1], from `block_pixels`.
        enhanced: the method's result on it, same shape.
        side: of a block, px.
    """
    curves = np.stack([_curve(copy[..., c], enhanced[..., c]) for c in range(3)])
    guide = _toned(copy, curves)
    mean_guide, mean_result = _mean(guide), _mean(enhanced)
    slope = _mean(guide * enhanced) - mean_guide * mean_result
    slope /= _mean(guide * guide) - mean_guide * mean_guide + np.float32(_FLAT)
    offset = mean_result - slope * mean_guide
    return Lowpass(curves, Field(_mean(slope), side), Field(_mean(offset), side))


def _curve(before: Array, after: Array) -> Array:
    """The mean of the result at each level, smoothed and made to rise: 256 float32 in [0, 1].

    Args:
        before, after: h×w float32 in [0, 1].
    """
    levels = np.rint(before.ravel() * np.float32(_KNOTS - 1)).astype(np.intp)
    counts = np.bincount(levels, minlength=_KNOTS).astype(np.float64)
    sums = np.bincount(levels, weights=after.ravel(), minlength=_KNOTS)
    blurred = [
        cv2.GaussianBlur(line[None], (0, 0), _BLUR, borderType=cv2.BORDER_REFLECT)[0]
        for line in (counts, sums)
    ]
    seen = np.flatnonzero(blurred[0] > 1e-3)
    means = np.interp(np.arange(_KNOTS), seen, blurred[1][seen] / blurred[0][seen])
    return np.maximum.accumulate(means).astype(np.float32)


def _toned(pixels: Pixels, curves: Array) -> Pixels:
    """Each channel through its curve."""
    return np.dstack([apply_curve(pixels[..., c], curves[c]) for c in range(3)])


def _mean(field: Array) -> Array:
    """Mean over the window, the border mirrored."""
    out = cv2.blur(field, (_WINDOW, _WINDOW), borderType=cv2.BORDER_REFLECT)
    return np.asarray(out, np.float32).reshape(field.shape)
