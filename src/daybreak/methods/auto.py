"""`auto`: look at the picture, leave it alone if it is well lit, else give it to the weight for its size.

Source: our own rule; how its thresholds and its choice were measured stands in docs/methods/auto.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from daybreak.engines import Runtime
from daybreak.image.color import value
from daybreak.image.rows import Rows, thumbnail
from daybreak.methods.base import FILM, Card, Choice, Method, Settings
from daybreak.methods.registry import get_method
from daybreak.types import Pixels

_FLOOR = 1.0 / 255.0  # keeps black pixels from deciding a geometric mean alone

# Each pair: at or below the first value fully dark, at or above the second well lit, smooth between.
DARK = (0.20, 0.275)  # brightness: geometric mean of V = max(R, G, B)
DIM = (0.30, 0.36)  # brightness of a picture that counts as dark only if it is dull too
DULL = (0.50, 0.65)  # highlights: 95th percentile of V

FEW = 1e6
"""Pixels up to which a picture gets the better weight, which takes 0.4 s of a core for these."""

BEST = "daybreak.best"
"""The weight that a dark picture of so few pixels gets."""

QUICK = "daybreak"
"""The weight that a larger one gets, and every film."""


class AutoSettings(Settings):
    """`auto` has no settings: it decides by the picture."""


def measure(rows: Rows) -> tuple[float, float]:
    """Brightness (geometric mean of V) and highlights (95th percentile of V), each in [0, 1]."""
    light = value(thumbnail(rows))
    brightness = float(np.exp(np.log(light + _FLOOR).mean()) - _FLOOR)
    place = int(0.95 * (light.size - 1))  # np.percentile would import another 10 ms of NumPy
    return max(brightness, 0.0), float(np.partition(light, place, axis=None)[place])


def need(brightness: float, highlights: float) -> float:
    """How much a picture needs enhancing: 0 (well lit) to 1 (dark), without a jump between.

    A picture is dark if its brightness is low, or if it is somewhat dim and has no highlights either.

    >>> need(0.05, 0.1), need(0.5, 0.9)
    (1.0, 0.0)
    """
    dull = min(_darkness(brightness, DIM), _darkness(highlights, DULL))
    return max(_darkness(brightness, DARK), dull)


def _darkness(value: float, between: tuple[float, float]) -> float:
    """1 at or below the first bound, 0 at or above the second, a smooth step (3x² - 2x³) between."""
    dark, lit = between
    x = min(max((lit - value) / (lit - dark), 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


def choose(rows: Rows, _: AutoSettings) -> Choice:
    """Decide what share of a result one picture needs: 0 where it is well lit already.

    Args:
        rows: H×W×3, sRGB in [0, 1]; the picture, or a reduced copy of it.
    """
    brightness, highlights = measure(rows)
    share = need(brightness, highlights)
    if share == 0.0:
        degree = "already well lit"
    else:
        degree = "dark" if share == 1.0 else f"a little dark, so {share:.0%} strength"
    return Choice(share, f"{degree} (geometric mean of max(R, G, B) {brightness:.2f})")


def pick(pixels: float, named: Callable[[str], Method[Any]] = get_method) -> Method[Any]:
    """The method that a dark picture of so many pixels gets, or a `FILM`."""
    return named(BEST if pixels <= FEW else QUICK)


def auto(pixels: Pixels, settings: AutoSettings, pick: Callable[[float], Method[Any]] = pick) -> Pixels:
    """What `choose` and `pick` decide, done: H×W×3 float32 in [0, 1] to the same."""
    choice = choose(pixels, settings)
    if choice.strength == 0.0:
        return pixels.copy()
    method = pick(pixels.shape[0] * pixels.shape[1])
    assert method.settle is not None
    assert method.strengthen is not None
    settled = method.settle(pixels, method.card.settings())
    return method.run(pixels, method.strengthen(settled, choice.strength))


def _elsewhere(runtime: Runtime) -> Method[AutoSettings]:
    """`auto` whose networks run where they are told to; raises what `Method.placed` of the quick one does."""
    if runtime == Runtime():
        return METHOD
    there = partial(pick, named=cache(lambda name: get_method(name).placed(runtime)))
    there(FILM)  # what cannot be had is told now; the other one is placed when a picture wants it
    return replace(METHOD, run=partial(auto, pick=there), pick=there)


METHOD = Method(
    card=Card(
        name="auto",
        summary="Leaves a well-lit picture as it is; a dark one gets daybreak.best, a large one daybreak.",
        paper="",
        kind="automatic",
        settings=AutoSettings,
        notes=(
            "Dark: geometric mean of max(R,G,B) under .20; well lit: from .275; up to 0.36 a picture without "
            "highlights (95th percentile under 0.65) counts as dark too. In between, part of the strength."
        ),
    ),
    run=auto,
    choose=choose,
    pick=pick,
    on=_elsewhere,
)
