"""Global histogram equalisation, on R, G and B, on V or on luma.

Source: any textbook (Gonzalez, Woods, "Digital Image Processing", section 3.3); methods.md B.1:
T(v) = (cdf(v) - cdf_min) / (N - cdf_min) over 256 bins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from daybreak.image.color import luma, value, with_luma, with_value
from daybreak.image.rows import Bands, Rows, brightest
from daybreak.image.tone import apply_curve, equalizing_curve, histograms
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Card, Method, Prepared, Settings, setting
from daybreak.types import Pixels, Plane


class HeSettings(Settings):
    """Settings of histogram equalisation."""

    mode: Literal["v", "rgb", "y"] = setting(
        "v",
        "Plane that is equalised: v, the largest channel, keeps hue and saturation; y, the luma, keeps Cb "
        "and Cr; rgb, each channel by itself, shifts colours and is what published tables show.",
        source="assumed: v leaves hue and saturation alone",
    )


def prepare(source: Bands, settings: HeSettings, _: int | None) -> Prepared:
    """Take the histograms; then each pixel goes through curves that spread them over the whole range.

    Args:
        source: H×W×3, sRGB in [0, 1].
        settings: see `HeSettings`.
    """
    curves = [equalizing_curve(counts) for counts in histograms(source, _PLANES[settings.mode])]

    def run(window: Pixels, _top: int, _left: int) -> Pixels:
        if settings.mode == "rgb":
            return np.dstack([apply_curve(window[..., c], curves[c]) for c in range(3)])
        plane = value(window) if settings.mode == "v" else luma(window)
        replaced = with_value if settings.mode == "v" else with_luma
        return replaced(window, plane, apply_curve(plane, curves[0]))

    return Prepared(run)


_PLANES: dict[str, Callable[[Rows], list[Plane]]] = {
    "v": lambda rows: [brightest(rows)],
    "y": lambda rows: [luma(rows[:])],
    "rgb": lambda rows: list(np.moveaxis(rows[:], 2, 0)),
}


METHOD = Method(
    card=Card(
        name="he",
        summary="Histogram equalisation: every brightness equally frequent; strong and noisy in shadows.",
        paper="",
        kind="classical",
        settings=HeSettings,
        context="global",
        memory_per_pixel=10.0,
        notes="256 bins as usual, but the curve is read between them, so a 16-bit picture keeps its levels. "
        "A plane of one single level stays as it is.",
    ),
    run=by_bands(prepare),
    prepare=prepare,
)
