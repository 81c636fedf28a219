"""Contrast-limited adaptive histogram equalisation of the lightness.

Source: Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV, 1994, in OpenCV's
definition of the limit; methods.md B.2. On L of CIELAB, a and b are kept.
"""

from __future__ import annotations

from daybreak.image.color import lightness, with_lightness
from daybreak.image.rows import Bands, Rows
from daybreak.image.strips import band_rows, over_bands
from daybreak.image.tone import TileCurves
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Card, Method, Prepared, Settings, setting
from daybreak.types import Pixels


class ClaheSettings(Settings):
    """Settings of CLAHE."""

    clip: float = setting(
        2.0,
        "Limit of a tile's histogram in multiples of a flat one; more brings more contrast and more noise.",
        source="assumed: the usual value, and the one behind published tables; 2 to 4 are in use",
        ge=1.0,
        le=40.0,
    )
    tiles: int = setting(
        8,
        "Tiles along each side of the picture; more makes the adaptation more local.",
        source="paper: 8×8 regions, as remembered",
        unit="tiles",
        ge=1,
        le=64,
    )


def prepare(source: Bands, settings: ClaheSettings, _: int | None) -> Prepared:
    """Take the histograms of the tiles; then L is equalised tile by tile, within the limit.

    Args:
        source: H×W×3, sRGB in [0, 1].
        settings: see `ClaheSettings`.
    """
    curves = TileCurves(source.shape, settings.tiles, settings.clip)

    def count(window: Rows, _first: int, top: int, _bottom: int) -> None:
        curves.count(lightness(window[:]), top, 0)

    over_bands(source, band_rows(source.shape[1]), count)

    def run(window: Pixels, top: int, left: int) -> Pixels:
        plane = lightness(window)
        return with_lightness(window, plane, curves.read(plane, top, left))

    return Prepared(run)


METHOD = Method(
    card=Card(
        name="clahe",
        summary="CLAHE on CIELAB lightness: local contrast within a limit; gentle, brightens little.",
        paper="Zuiderveld: Contrast Limited Adaptive Histogram Equalization. Graphics Gems IV, 1994",
        kind="classical",
        settings=ClaheSettings,
        context="global",
        memory_per_pixel=10.0,
        notes="Limit, redistribution and blending are OpenCV's; the curves are not rounded to 8 bits and are "
        "read between their 256 levels. A side that is no multiple of the tiles is continued by reflection "
        "by the least that is needed (OpenCV adds a whole step to the other side too).",
    ),
    run=by_bands(prepare),
    prepare=prepare,
)
