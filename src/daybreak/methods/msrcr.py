"""Multi-scale Retinex with colour restoration.

Source: Jobson, Rahman, Woodell, "A Multiscale Retinex for Bridging the Gap Between Color Images and the Human
Observation of Scenes", IEEE TIP 6(7), 1997; methods.md B.4: MSRCR_c = C_c · MSR_c with
C_c = β (log(α X_c) - log Σ_c X_c). β scales all values alike and so vanishes in the stretch that follows.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from daybreak.image.rows import Bands
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Card, Method, Prepared, setting
from daybreak.methods.msr import RETINEX_NOTES, MsrSettings, balanced, logarithm, retinex, shifted
from daybreak.types import Pixels

_RANGE = 48.0  # of log ratios times log shares of the colour: more than log 256 · log 1000


class MsrcrSettings(MsrSettings):
    """Settings of the multi-scale Retinex with colour restoration: those of `msr` and one more."""

    alpha: float = setting(
        125.0,
        "Strength of the nonlinearity of the colour restoration; less, and channels differ more.",
        source="paper: 125",
        ge=1,
        le=1000,
    )


def prepare(source: Bands, settings: MsrcrSettings, room: int | None) -> Prepared:
    """Multi-scale Retinex of each channel, weighted by the channel's share of the colour.

    Args:
        source: H×W×3, sRGB in [0, 1].
        settings: see `MsrcrSettings`.
        room: bytes that may be taken; None for no limit.
    """
    plain = retinex(source, (settings.sigma_small, settings.sigma_middle, settings.sigma_large))

    def detail(window: Pixels, top: int, left: int) -> Pixels:
        values = shifted(window)
        out = plain.at(values, top, left)
        log_total = logarithm(values[..., 0] + values[..., 1] + values[..., 2])
        share = logarithm(values)
        share -= log_total[..., None]
        share += np.float32(math.log(settings.alpha))
        out *= share
        return out

    return balanced(source, replace(plain, at=detail), settings.clip, room, _RANGE)


METHOD = Method(
    card=Card(
        name="msrcr",
        summary="Multi-scale Retinex with colour restoration: msr with some of the colour brought back.",
        paper="Jobson, Rahman, Woodell: A Multiscale Retinex for Bridging the Gap Between Color Images and "
        "the Human Observation of Scenes. IEEE TIP, 1997",
        kind="classical",
        settings=MsrcrSettings,
        context="global",
        memory_per_pixel=27.0,
        notes=RETINEX_NOTES,
    ),
    run=by_bands(prepare),
    prepare=prepare,
)
