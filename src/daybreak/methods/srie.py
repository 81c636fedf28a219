"""Simultaneous estimation of reflectance and illumination in a weighted variational model.

Source: Fu, Zeng, Huang, Zhang, Ding, "A Weighted Variational Model for Simultaneous Reflectance and
Illumination Estimation", CVPR 2016; methods.md B.9. The authors' code is compiled. The paper divides by its
weights inside a Fourier transform as if they were the same everywhere, which they are not, so its two
problems are solved here as they stand.
"""

from __future__ import annotations

import numpy as np

from daybreak.image.color import value, with_value
from daybreak.image.solve import solve
from daybreak.methods.base import Card, Method, Settings, setting
from daybreak.stopping import look
from daybreak.types import Array, Pixels

_SOFTEN = 1e-3  # keeps 1 / |∇r| finite


class SrieSettings(Settings):
    """Settings of SRIE."""

    c1: float = setting(
        0.01,
        "Weight of the reflectance's total variation; more flattens texture and noise.",
        source="paper: 0.01",
        gt=0.0,
        le=10.0,
    )
    c2: float = setting(
        0.1,
        "Weight of the illumination's smoothness; more leaves more contrast to the reflectance.",
        source="paper: 0.1",
        gt=0.0,
        le=100.0,
    )
    gamma: float = setting(
        2.2,
        "Illumination is raised to 1/gamma; more is brighter.",
        source="paper: 2.2",
        ge=0.1,
        le=10.0,
    )
    iterations: int = setting(
        4,
        "How often the two estimates take turns; more moves detail from the illumination to the reflectance.",
        source="assumed: the ten of our reference figures take more than twice as long",
        ge=1,
        le=50,
    )
    tolerance: float = setting(
        1e-4,
        "Residual at which a linear system counts as solved.",
        source="assumed: below 8-bit steps",
        gt=0.0,
        le=0.1,
    )


def decompose(plane: Array, settings: SrieSettings) -> tuple[Array, Array]:
    """Split log(V + 1) into log reflectance r ≤ 0 and log illumination l ≥ log(V + 1).

    Args:
        plane: V, H×W float64 in [0, 255].
        settings: c1, c2, iterations and tolerance are used.

    Returns:
        r and l, H×W float64 each; r + l is close to log(V + 1).

    Raises:
        Stopped: between two steps, where that was asked for (`daybreak.stopping`).
    """
    go_on = look()
    both = np.log1p(plane)
    reflectance, light = np.zeros_like(both), both.copy()
    for _ in range(settings.iterations):
        prior = 0.5 * settings.c1 * np.exp(reflectance)
        steps = (np.abs(_forward(reflectance, axis)) + _SOFTEN for axis in (1, 0))
        right, down = (prior / step for step in steps)
        go_on()
        reflectance = _solve(both - light, right, down, settings.tolerance, reflectance)
        np.minimum(reflectance, 0, out=reflectance)
        go_on()
        prior = settings.c2 * np.expm1(light) ** 2
        light = _solve(both - reflectance, prior, prior.copy(), settings.tolerance, light)
        np.maximum(light, both, out=light)
    return reflectance, light


def _forward(plane: Array, axis: int) -> Array:
    """Differences to the next pixel along an axis, 0 for the last."""
    look()()
    return np.diff(plane, axis=axis, append=np.take(plane, [-1], axis=axis))


def _solve(target: Array, right: Array, down: Array, tolerance: float, start: Array) -> Array:
    """`image.solve.solve` without edges across the border."""
    right[:, -1] = 0
    down[-1] = 0
    return solve(target, right, down, tolerance, start)


def srie(pixels: Pixels, settings: SrieSettings) -> Pixels:
    """Brighten the estimated illumination of V by a power and multiply the reflectance back.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        settings: see `SrieSettings`.

    Returns:
        H×W×3 float32 in [0, 1].
    """
    plane = value(pixels)
    reflectance, light = decompose(plane.astype(np.float64) * 255, settings)
    bright = np.exp(reflectance) * (np.expm1(light) / 255) ** (1 / settings.gamma)
    return with_value(pixels, plane, np.clip(bright, 0, 1).astype(np.float32))


METHOD = Method(
    card=Card(
        name="srie",
        summary="Variational split into reflectance and illumination, which is lifted; mild, keeps texture.",
        paper="Fu, Zeng, Huang, Zhang, Ding: A Weighted Variational Model for Simultaneous Reflectance and "
        "Illumination Estimation. CVPR, 2016",
        kind="classical",
        settings=SrieSettings,
        context="global",
        memory_per_pixel=207.0,
        cost="45 s and 2.4 GB at 12 MP on 2 cores.",
        notes="Solved as it stands, not by the paper's transform: 12.5 dB on LOL eval15, where 11.86 is "
        "published.",
    ),
    run=srie,
)
