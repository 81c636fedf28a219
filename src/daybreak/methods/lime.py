"""LIME: divide by an illumination map that is refined to be piecewise smooth.

Source: Guo, Li, Ling, "LIME: Low-light Image Enhancement via Illumination Map Estimation", TIP 2017: the
exact solver is its algorithm 1, the sped-up one its section III-C; methods.md B.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import cv2
import numpy as np

from daybreak.image.blocks import block_means
from daybreak.image.camera import power
from daybreak.image.cascade import (
    MULTIPLE,
    Smoothing,
    halve_down,
    halve_plane,
    halve_right,
    halvings,
    refine,
    solve_cascade,
)
from daybreak.image.color import luma, value, with_luma
from daybreak.image.denoise import REACH, bm3d, non_local_means
from daybreak.image.rows import Bands, Rows, brightest
from daybreak.image.solve import solve
from daybreak.image.strips import band_rows, over_bands
from daybreak.image.upsample import Kept, Lines, upsample_guided
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Card, Method, Prepared, Settings, setting
from daybreak.methods.reduced import block_within, exact_up_to, map_of
from daybreak.types import Array, Pixels, Plane

_SOFTEN = 1e-3  # ε: keeps the weights finite and the map above 0
_WINDOW = 5  # px, side of the Gaussian window of strategy 3
_FIRST_PENALTY = 1.0  # μ of the exact solver
_CLOSE = 1e-5  # δ: its residual over the first map's norm
_STEPS = 15  # of the cascade: at 4 its result is 30 to 47 dB from the exact one, at 15 above 41
_HALVED_FROM = 4_000_000  # pixels from which the cascade starts at half the picture's size
_REFINED = 120  # bytes for each pixel of a problem that is solved and then refined at twice the size
_EXACT, _ADMM = 170, 170  # bytes a pixel that the exact sped-up map and the exact solver take
_BM3D = 64  # px around a tile that is denoised by BM3D: about what its two steps look at


class LimeSettings(Settings):
    """Settings of LIME."""

    solver: Literal["sped-up", "exact"] = setting(
        "sped-up",
        "sped-up solves one linear system; exact is the paper's ADMM, slower and with flatter areas.",
        source="paper: offers both; the sped-up one comes nearer the score published for LOL",
    )
    strategy: int = setting(
        3,
        "Smoothness: 1 the same everywhere, 2 less at edges, 3 less at edges but not at texture.",
        source="paper: 3",
        ge=1,
        le=3,
    )
    alpha: float = setting(
        0.15,
        "Balance of smoothness against closeness to max(R, G, B); more is smoother.",
        source="paper: 0.15",
        gt=0.0,
        le=10.0,
    )
    gamma: float = setting(
        0.8,
        "The map is raised to this power; less is darker.",
        source="paper: 0.8",
        ge=0.0,
        le=1.0,
    )
    sigma: float = setting(
        2.0,
        "Standard deviation of the window of strategy 3.",
        source="paper: 2",
        unit="px",
        gt=0.0,
        le=20.0,
    )
    rho: float = setting(
        2.0,
        "Growth of the exact solver's penalty in each step; less is slower and closer.",
        source="paper: 2",
        gt=1.0,
        le=10.0,
    )
    iterations: int = setting(
        50,
        "Steps of the exact solver at most; 15 to 25 are usual.",
        source="assumed: twice what pictures need",
        ge=1,
        le=500,
    )
    denoise: Literal["off", "nlm", "bm3d"] = setting(
        "off",
        "Denoises the luma of the result where it was dark: non-local means, or BM3D if that is installed.",
        source="paper: BM3D as a last step; off here, since it blurs what has no noise",
    )
    noise: float = setting(
        30.0,
        "Standard deviation of the noise to remove; more blurs more.",
        source="assumed: usual for this step, the public demonstration has 50",
        unit="gray levels of 255",
        gt=0.0,
        le=255.0,
    )
    exact_up_to: float = exact_up_to(0.5, "up to here the map takes a few seconds at most", "sped-up map")


def gradients(plane: Array) -> tuple[Array, Array]:
    """Differences to the pixel on the right and to the one below, H×W each, around the border."""
    return np.roll(plane, -1, axis=1) - plane, np.roll(plane, -1, axis=0) - plane


def edge_penalty(gradient: Array, strategy: int, sigma: float) -> Array:
    """1 / W_d: 1, |∇_d T̂| + ε or |G ∗ ∇_d T̂| + ε; G is a Gaussian of sum 1 on 5×5 px, beyond the border is 0.

    Args:
        gradient: ∇_d T̂, H×W.
        strategy: 1, 2 or 3.
        sigma: of the Gaussian, px.

    Returns:
        H×W, the gradient's dtype, > 0.
    """
    if strategy == 1:
        return np.ones_like(gradient)
    if strategy == 3:
        kernel = cv2.getGaussianKernel(_WINDOW, sigma)
        blurred = cv2.sepFilter2D(gradient, -1, kernel, kernel, borderType=cv2.BORDER_CONSTANT)
        gradient = np.asarray(blurred).reshape(gradient.shape)
    out: Array = np.abs(gradient)
    out += _SOFTEN
    return out


def sped_up_map(
    source: Bands, settings: LimeSettings, room: int | None = None
) -> tuple[Callable[[Pixels, int, int], Plane], int, int]:
    """min_T Σ (T - T̂)² + α Σ_d W_d (∇_d T)² / (|∇_d T̂| + ε) (equation 19), without circular edges.

    Args:
        source: H×W×3, of which T̂ = V, in [0, 1].
        settings: strategy, alpha, sigma and exact_up_to are used.
        room: bytes that may be taken; None for no limit.

    Returns:
        (window, top, left) -> T under a window of the picture, h×w float32 in about [0, 1]; the bytes that
        are kept for it; and how often the problem was halved for it.
    """
    height, width = source.shape[:2]
    size = height * width
    if size <= settings.exact_up_to * 1e6 and (room is None or size * _EXACT <= room):
        problem = resistances(brightest(source.band(0, height)).astype(np.float64), settings)
        plane = solve(problem.target, 1 / problem.right, 1 / problem.down).astype(np.float32)
        return Kept(plane).at, plane.nbytes, 0
    least = 0 if size < _HALVED_FROM else 1
    count = halvings(size, room, least)
    if count > least:
        count = halvings(size, room, count, _REFINED)
    multiple = max(2, 2**count) * MULTIPLE
    small = halved_resistances(source, settings, count, multiple)
    smooth = solve_cascade(small, _STEPS)
    if not count:
        plane = smooth[:height, :width]
        return Kept(plane).at, smooth.nbytes, 0
    block = 2**count
    if count > least:  # for want of memory: what was solved is refined at twice the size
        block //= 2
        fine = halved_resistances(source, settings, count - 1, multiple)
        smooth = refine(fine, upsample_guided(smooth, small.target, fine.target))
        small = fine
    lines = Lines(smooth, small.target, block)
    return (lambda window, top, left: lines.at(value(window), top, left)), lines.kept, count


def halved_resistances(source: Bands, settings: LimeSettings, count: int, multiple: int) -> Smoothing:
    """`resistances` of V, halved `count` times, a band at a time.

    Args:
        source: H×W×3.
        settings: as `resistances` uses them.
        count: of halvings.
        multiple: px that the picture's sides are continued to multiples of.
    """
    height, width = source.shape[:2]
    block = 2**count
    tall, wide = height + -height % multiple, width + -width % multiple
    target, right, down = (np.empty((tall // block, wide // block), np.float32) for _ in range(3))
    rim = _WINDOW // 2

    def work(window: Rows, first: int, top: int, bottom: int) -> None:
        last = bottom == height
        bottom = tall if last else bottom
        beyond = bottom + block + rim  # `halve_down` looks at block - 1 rows below
        plane = brightest(window)
        plane = np.pad(
            plane, ((0, max(0, min(beyond, tall) - first - len(plane))), (0, wide - width)), mode="edge"
        )
        part = resistances(plane[: beyond - first], settings, last=last)
        if last:
            part = Smoothing(part.target, part.right, np.pad(part.down, ((0, block), (0, 0)), mode="edge"))
        own = slice(top - first, bottom - first)
        here, to_right = part.target[own], part.right[own]
        to_down = part.down[own.start : own.stop + block - 1]
        for _ in range(count):
            here, to_right, to_down = halve_plane(here), halve_right(to_right), halve_down(to_down)
        rows = slice(top // block, bottom // block)
        target[rows], right[rows], down[rows] = here, to_right, to_down

    over_bands(source, band_rows(width, multiple), work, above=rim, below=block + rim)
    return Smoothing(target, right, down)


def resistances(plane: Array, settings: LimeSettings, *, last: bool = True) -> Smoothing:
    """The sped-up problem: a plane, H×W of either float type, and (|∇_d T̂| + ε) / (α W_d).

    Args:
        plane: T̂, or a band of it; then what lies within the window of its first and last rows is not right.
        last: the plane's last row is the picture's.
    """
    right, down = gradients(plane)
    right[:, -1] = 0
    down[-1] = 0
    right, down = (
        (np.abs(step) + plane.dtype.type(_SOFTEN)) * edge_penalty(step, settings.strategy, settings.sigma)
        for step in (right, down)
    )
    right /= settings.alpha
    down /= settings.alpha
    right[:, -1] = np.inf
    if last:
        down[-1] = np.inf
    return Smoothing(plane, right, down)


def exact_map(plane: Plane, settings: LimeSettings) -> Plane:
    """min_T Σ (T - T̂)² + α Σ_d |W_d ∇_d T| by ADMM (the paper's algorithm 1), with circular edges.

    Args:
        plane: T̂ = V, H×W float32 in [0, 1].
        settings: strategy, alpha, sigma, rho and iterations are used.

    Returns:
        T, H×W float32 in about [0, 1].
    """
    from scipy.fft import irfft2, rfft2

    workers = max(cv2.getNumThreads(), 1)
    start = plane.astype(np.float64)
    height, width = start.shape
    pull = [
        settings.alpha / edge_penalty(step, settings.strategy, settings.sigma) for step in gradients(start)
    ]
    stiffness = (
        4 * np.sin(np.pi * np.arange(height) / height)[:, None] ** 2
        + 4 * np.sin(np.pi * np.arange(width // 2 + 1) / width) ** 2
    )  # |F(∇_h)|² + |F(∇_v)|², H×(W/2+1)
    kept = [np.zeros_like(start) for _ in pull]  # G
    dual = [np.zeros_like(start) for _ in pull]  # Z
    penalty, enough = _FIRST_PENALTY, _CLOSE * float(np.linalg.norm(start))
    smooth = start
    for _ in range(settings.iterations):
        back = [penalty * g - z for g, z in zip(kept, dual, strict=True)]
        right_side = 2 * start + np.roll(back[0], 1, 1) - back[0] + np.roll(back[1], 1, 0) - back[1]
        spectrum = rfft2(right_side, workers=workers) / (2 + penalty * stiffness)
        smooth = irfft2(spectrum, s=start.shape, workers=workers)
        apart = 0.0
        for d, step in enumerate(gradients(smooth)):
            shifted = step + dual[d] / penalty
            kept[d] = np.sign(shifted) * np.maximum(np.abs(shifted) - pull[d] / penalty, 0)
            step -= kept[d]
            dual[d] += penalty * step
            apart += float((step * step).sum())
        if apart**0.5 <= enough:
            break
        penalty *= settings.rho
    return smooth.astype(np.float32)


def prepare(source: Bands, settings: LimeSettings, room: int | None) -> Prepared:
    """Refine max(R, G, B); each pixel is divided by a power of that, and denoised if asked to.

    Args:
        source: H×W×3, sRGB in [0, 1].
        settings: see `LimeSettings`.
        room: bytes that may be taken; None for no limit.

    Raises:
        DaybreakError: denoise is "bm3d" and the package is not there.
    """
    make_map = admm_map if settings.solver == "exact" else sped_up_map
    light_at, kept, count = make_map(source, settings, room)

    def run(window: Pixels, top: int, left: int) -> Pixels:
        light = power(np.clip(light_at(window, top, left), _SOFTEN, 1), settings.gamma)
        window /= light[..., None]
        np.clip(window, 0, 1, out=window)
        if settings.denoise == "off":
            return window
        noisy = luma(window)
        clean = (bm3d if settings.denoise == "bm3d" else non_local_means)(noisy, settings.noise / 255)
        return with_luma(window, noisy, noisy * light + clean * (1 - light))

    halo = {"off": 0, "nlm": REACH, "bm3d": _BM3D if room is not None else max(source.shape)}[
        settings.denoise
    ]
    size = source.shape[0] * source.shape[1]
    least = 1 if settings.solver == "sped-up" and size >= _HALVED_FROM else 0
    reduced = map_of(2**count) if count > least else ""
    return Prepared(run, halo, kept=kept, reduced=reduced)


def admm_map(
    source: Bands, settings: LimeSettings, room: int | None
) -> tuple[Callable[[Pixels, int, int], Plane], int, int]:
    """`exact_map` of V, or of means of blocks of it where the room asks for that: as `sped_up_map`."""
    block = block_within(source.shape, _ADMM, room)
    plane = block_means(source, block)
    smooth = exact_map(plane, settings)
    if block == 1:
        return Kept(smooth).at, smooth.nbytes, 0
    lines = Lines(smooth, plane, block)
    return (lambda window, top, left: lines.at(value(window), top, left)), lines.kept, block.bit_length() - 1


METHOD = Method(
    card=Card(
        name="lime",
        summary="LIME: divides by a refined illumination map; strong, vivid, lifts noise too.",
        paper="Guo, Li, Ling: LIME: Low-light Image Enhancement via Illumination Map Estimation. TIP, 2017",
        kind="classical",
        settings=LimeSettings,
        context="global",
        memory_per_pixel=165.0,
        cost="At 12 MP on 2 cores the sped-up map takes 2 s, solver=exact 30 to 50 s and 2 GB; denoise=nlm "
        "adds 20 s.",
        notes="Above exact_up_to the sped-up map comes from reduced copies; the result then was 43 dB or more"
        " from the exact one on darkened, noisy Kodak pictures of 1.6 and 6 MP. Strategy 3 has a window of "
        "5×5 with sum 1, which the paper leaves open.",
    ),
    run=by_bands(prepare),
    prepare=prepare,
)
