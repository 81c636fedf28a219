"""Global histogram equalisation, on R, G and B, on V or on luma.

Source: any textbook (Gonzalez, Woods, "Digital Image Processing", section 3.3); methods.md B.1:
T(v) = (cdf(v) - cdf_min) / (N - cdf_min) over 256 bins.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from daybreak.image.color import luma, value, with_luma, with_value
from daybreak.image.tone import equalize
from daybreak.methods.base import Card, Method, Settings, setting
from daybreak.types import Pixels


class HeSettings(Settings):
    """Settings of histogram equalisation."""

    mode: Literal["v", "rgb", "y"] = setting(
        "v",
        "Plane that is equalised: v, the largest channel, keeps hue and saturation; y, the luma, keeps Cb "
        "and Cr; rgb, each channel by itself, shifts colours and is what published tables show.",
        source="assumed: v leaves hue and saturation alone",
    )


def he(pixels: Pixels, settings: HeSettings) -> Pixels:
    """Spread the histogram over the whole range.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        settings: see `HeSettings`.

    Returns:
        H×W×3 float32 in [0, 1].
    """
    if settings.mode == "rgb":
        return np.dstack([equalize(pixels[..., channel]) for channel in range(3)])
    if settings.mode == "y":
        plane = luma(pixels)
        return with_luma(pixels, plane, equalize(plane))
    plane = value(pixels)
    return with_value(pixels, plane, equalize(plane))


METHOD = Method(
    card=Card(
        name="he",
        summary="Histogram equalisation: every brightness equally frequent; strong and noisy in shadows.",
        paper="",
        kind="classical",
        settings=HeSettings,
        context="global",
        memory_per_pixel=46.0,
        notes="256 bins as usual, but the curve is read between them, so a 16-bit picture keeps its levels. "
        "A plane of one single level stays as it is.",
    ),
    run=he,
)
