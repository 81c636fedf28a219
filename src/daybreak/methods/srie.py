"""Simultaneous estimation of reflectance and illumination in a weighted variational model.

Source: Fu, Zeng, Huang, Zhang, Ding, "A Weighted Variational Model for Simultaneous Reflectance and
Illumination Estimation", CVPR 2016; methods.md B.9. The authors' code is compiled. The paper divides by its
weights inside a Fourier transform as if they were the same everywhere, which they are not, so its two
problems are solved here as they stand.
"""

from __future__ import annotations

import numpy as np

from daybreak.image.blocks import block_means
from daybreak.image.color import value, with_value
from daybreak.image.rows import Bands
from daybreak.image.solve import make_system, solve
from daybreak.image.upsample import Lines
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Card, Method, Prepared, Settings, setting
from daybreak.methods.reduced import block_within, map_of
from daybreak.stopping import look
from daybreak.types import Array, Pixels, Plane

_SOFTEN = 1e-3  # keeps 1 / |∇r| finite
_SPLIT = 190  # bytes a pixel that splitting takes
_SWEEPS, _DAMPING = 4, 0.8  # of `reflectance_near`: three times as many bring it less than 0.6 dB nearer
_HALO = _SWEEPS + 1


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


def decompose(plane: Array, settings: SrieSettings, side: int = 1) -> tuple[Array, Array]:
    """Split log(V + 1) into log reflectance r ≤ 0 and log illumination l ≥ log(V + 1).

    Args:
        plane: V, H×W float64 in [0, 255].
        settings: c1, c2, iterations and tolerance are used.
        side: px of the picture that one pixel of the plane stands for, on each side. A step between two such
            pixels is `side` steps in a row, on as many rows, against the mass of side² pixels.

    Returns:
        r and l, H×W float64 each; r + l is close to log(V + 1).
    """
    both = np.log1p(plane)
    reflectance, light, go_on = np.zeros_like(both), both.copy(), look()
    for _ in range(settings.iterations):
        go_on()
        right, down = _variation(reflectance, settings.c1 / side, _SOFTEN * side)
        reflectance = solve(both - light, right, down, settings.tolerance, reflectance)
        np.minimum(reflectance, 0, out=reflectance)
        go_on()
        prior = settings.c2 / side**2 * np.expm1(light) ** 2
        right, down = _open(prior, prior.copy())
        light = solve(both - reflectance, right, down, settings.tolerance, light)
        np.maximum(light, both, out=light)
    return reflectance, light


def _variation(reflectance: Array, c1: float, soften: float) -> tuple[Array, Array]:
    """Weights of the reflectance's differences to the right and downwards."""
    prior = 0.5 * c1 * np.exp(reflectance)
    steps = (np.abs(_forward(reflectance, axis)) + soften for axis in (1, 0))
    right, down = (prior / step for step in steps)
    return _open(right, down)


def _forward(plane: Array, axis: int) -> Array:
    """Differences to the next pixel along an axis, 0 for the last."""
    return np.diff(plane, axis=axis, append=np.take(plane, [-1], axis=axis))


def _open(right: Array, down: Array) -> tuple[Array, Array]:
    """Edge weights without edges across the border, in place."""
    right[:, -1] = 0
    down[-1] = 0
    return right, down


def reflectance_near(light: Plane, both: Plane, settings: SrieSettings) -> Plane:
    """The reflectance under a given illumination by a few sweeps, each of which looks one pixel farther.

    The reflectance's weights are at most c1 / (2 · 1e-3), so what it is hangs on a few pixels around alone.

    Args:
        light: l, h×w float32.
        both: log(V + 1), h×w float32.
        settings: c1 is used.

    Returns:
        r ≤ 0, h×w float32; right from `_HALO` pixels inside a cut on.
    """
    target = both - light
    out = np.minimum(target, 0)
    system = make_system(*_variation(out, settings.c1, _SOFTEN))
    step = np.float32(_DAMPING) / system.diagonal
    for _ in range(_SWEEPS):
        out += step * system.minus(target, out)
    return np.asarray(np.minimum(out, 0), np.float32)


def brightened(reflectance: Array, light: Array, gamma: float) -> Plane:
    """The illumination raised to 1 / gamma, times the reflectance: H×W float32 in [0, 1]."""
    bright = np.exp(reflectance) * (np.expm1(light) / 255) ** (1 / gamma)
    return np.asarray(np.clip(bright, 0, 1), np.float32)


def prepare(source: Bands, settings: SrieSettings, room: int | None) -> Prepared:
    """Brighten the estimated illumination of V by a power and multiply the reflectance back.

    Args:
        source: H×W×3, sRGB in [0, 1].
        settings: see `SrieSettings`.
        room: bytes that may be taken; None for no limit. Where the split does not fit, the illumination is
            that of means of blocks, brought up along the edges, and the reflectance follows from it.
    """
    side = block_within(source.shape, _SPLIT, room)
    small = block_means(source, side).astype(np.float64) * 255
    reflectance, light = decompose(small, settings, side)
    if side == 1:
        bright = brightened(reflectance, light, settings.gamma)
        return Prepared(
            lambda window, top, left: with_value(
                window, value(window), bright[top : top + window.shape[0], left : left + window.shape[1]]
            ),
            kept=bright.nbytes,
        )
    lines = Lines(light.astype(np.float32), np.log1p(small).astype(np.float32), side)

    def run(window: Pixels, top: int, left: int) -> Pixels:
        plane = value(window)
        both = np.log1p(plane * np.float32(255))
        light = np.maximum(lines.at(both, top, left), both)
        return with_value(
            window, plane, brightened(reflectance_near(light, both, settings), light, settings.gamma)
        )

    return Prepared(run, _HALO, kept=lines.kept, reduced=map_of(side))


METHOD = Method(
    card=Card(
        name="srie",
        summary="Variational split into reflectance and illumination, which is lifted; mild, keeps texture.",
        paper="Fu, Zeng, Huang, Zhang, Ding: A Weighted Variational Model for Simultaneous Reflectance and "
        "Illumination Estimation. CVPR, 2016",
        kind="classical",
        settings=SrieSettings,
        context="global",
        memory_per_pixel=167.0,
        cost="45 s and 2.1 GB at 12 MP on 2 cores.",
        notes="Solved as it stands, not by the paper's transform: 12.5 dB on LOL eval15, where 11.86 is "
        "published.",
    ),
    run=by_bands(prepare),
    prepare=prepare,
)
