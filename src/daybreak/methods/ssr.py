"""Single-scale Retinex.

Source: Jobson, Rahman, Woodell, "Properties and Performance of a Center/Surround Retinex", IEEE TIP 6(3),
1997; methods.md B.4: SSR = log X - log(G_σ ∗ X), X = 255·I + 1.
"""

from __future__ import annotations

from daybreak.image.rows import Bands
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Card, Method, Prepared, Settings, setting
from daybreak.methods.msr import RETINEX_NOTES, balanced, of_shifted, retinex


class SsrSettings(Settings):
    """Settings of the single-scale Retinex."""

    sigma: float = setting(
        80.0,
        "Width of the surround; less brings out finer detail, more keeps the rendering of tones.",
        source="paper: 80, the compromise between detail and tone",
        unit="px",
        ge=1,
        le=500,
    )
    clip: float = setting(
        1.0,
        "Share of the pixels clipped at each end of each channel; more brings more contrast.",
        source="assumed: as for the multi-scale Retinex",
        unit="%",
        ge=0,
        le=20,
    )


def prepare(source: Bands, settings: SsrSettings, room: int | None) -> Prepared:
    """Divide each channel by its surround, in logarithms.

    Args:
        source: H×W×3, sRGB in [0, 1].
        settings: see `SsrSettings`.
        room: bytes that may be taken; None for no limit.
    """
    return balanced(source, of_shifted(retinex(source, [settings.sigma])), settings.clip, room)


METHOD = Method(
    card=Card(
        name="ssr",
        summary="Single-scale Retinex: every region set off against its surroundings at one scale.",
        paper="Jobson, Rahman, Woodell: Properties and Performance of a Center/Surround Retinex. "
        "IEEE TIP, 1997",
        kind="classical",
        settings=SsrSettings,
        context="global",
        memory_per_pixel=23.0,
        notes=RETINEX_NOTES,
    ),
    run=by_bands(prepare),
    prepare=prepare,
)
