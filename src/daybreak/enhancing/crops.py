"""Which parts of a picture are worth a closer look: the same squares for every method."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from daybreak.enhancing.page import resized
from daybreak.types import Pixels, Plane

ZOOMED = 316  # px: the side of a zoomed crop on a sheet
SEARCHED = 800  # px: the longer side at which crops are looked for
VISIBLE = 0.01  # of the square root of the light: a difference that a brighter picture shows


class Crop(NamedTuple):
    """A square of the original, in its pixels; both sides are cut to the picture where it is smaller."""

    x: int
    y: int
    width: int
    height: int

    def cut(self, pixels: Pixels, shape: tuple[int, ...]) -> Pixels:
        """This part of a picture that shows the same as the original of `shape` at any whole scale."""
        scale = pixels.shape[0] // shape[0]
        y, x, height, width = (scale * side for side in (self.y, self.x, self.height, self.width))
        return pixels[y : y + height, x : x + width]


def choose_crops(pixels: Pixels) -> list[Crop]:
    """The two squares worth a closer look: the darkest one that shows something, and the most textured.

    Both are found on the square root of the light, where dark detail counts as much as bright detail, and
    at a size of about `SEARCHED` pixels, where noise counts for less than what is in the picture.

    Args:
        pixels: H×W×3 float32 in [0, 1].

    Returns:
        Two squares that do not overlap, of the size that a whole zoom of at least 2 brings to `ZOOMED`; one
        where the picture has no room for two.
    """
    height, width = pixels.shape[:2]
    zoom = max(2, math.ceil(ZOOMED / max(min(height, width) // 5, 8)))
    side_y, side_x = min(ZOOMED // zoom, height), min(ZOOMED // zoom, width)
    step = max(1, max(height, width) // SEARCHED)
    light = np.sqrt(_shrink(pixels, step).mean(axis=2))
    fine = cv2.absdiff(light, cv2.GaussianBlur(light, (0, 0), 2.0)).reshape(light.shape)
    window = tuple(
        min(math.ceil(side / step), room) for side, room in zip((side_y, side_x), light.shape, strict=True)
    )
    busy = np.asarray(fine > VISIBLE, dtype=np.float32)  # a share, so that one bright edge counts for little
    mean, detail, share = (_window_means(plane, *window) for plane in (light, fine, busy))
    places = [int(np.argmin(np.where(share >= min(0.3, 0.5 * float(share.max())), mean, np.inf)))]
    y, x = divmod(places[0], mean.shape[1])
    detail[max(0, y - window[0]) : y + window[0] + 1, max(0, x - window[1]) : x + window[1] + 1] = -1.0
    if detail.max() > -1.0:  # a place is left that does not overlap the first
        places.append(int(np.argmax(detail)))
    tops = ((step * (place // mean.shape[1]), step * (place % mean.shape[1])) for place in places)
    return [Crop(min(x, width - side_x), min(y, height - side_y), side_x, side_y) for y, x in tops]


def _shrink(pixels: Pixels, step: int) -> Pixels:
    height, width = (max(1, side // step) for side in pixels.shape[:2])
    return resized(pixels, (width, height), cv2.INTER_AREA)


def _window_means(plane: Plane, height: int, width: int) -> Plane:
    """Mean over every height×width window that lies within the plane, (H−height+1)×(W−width+1)."""
    table = cv2.integral(plane, sdepth=cv2.CV_64F)
    sums = (
        table[height:, width:] - table[:-height, width:] - table[height:, :-width] + table[:-height, :-width]
    )
    return np.asarray(sums / (height * width), dtype=np.float32)
