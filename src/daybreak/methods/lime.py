"""LIME: divide by an illumination map that is refined to be piecewise smooth.

Source: Guo, Li, Ling, "LIME: Low-light Image Enhancement via Illumination Map Estimation", TIP 2017: the
exact solver is its algorithm 1, the sped-up one its section III-C; methods.md B.5.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from daybreak.image.camera import power
from daybreak.image.cascade import MULTIPLE, Smoothing, halve, solve_cascade
from daybreak.image.color import luma, value, with_luma
from daybreak.image.denoise import bm3d, non_local_means
from daybreak.image.solve import solve
from daybreak.image.upsample import upsample_guided
from daybreak.methods.base import Card, Method, Settings, setting
from daybreak.methods.reduced import exact_up_to
from daybreak.types import Array, Pixels, Plane

_SOFTEN = 1e-3  # ε: keeps the weights finite and the map above 0
_WINDOW = 5  # px, side of the Gaussian window of strategy 3
_FIRST_PENALTY = 1.0  # μ of the exact solver
_CLOSE = 1e-5  # δ: its residual over the first map's norm
_STEPS = 15  # of the cascade: at 4 its result is 30 to 47 dB from the exact one, at 15 above 41
_HALVED_FROM = 4_000_000  # pixels from which the cascade starts at half the picture's size


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


def sped_up_map(plane: Plane, settings: LimeSettings) -> Plane:
    """min_T Σ (T - T̂)² + α Σ_d W_d (∇_d T)² / (|∇_d T̂| + ε) (equation 19), without circular edges.

    Args:
        plane: T̂ = V, H×W float32 in [0, 1].
        settings: strategy, alpha, sigma and exact_up_to are used.

    Returns:
        T, H×W float32 in about [0, 1].
    """
    if plane.size <= settings.exact_up_to * 1e6:
        exact = resistances(plane.astype(np.float64), settings)
        return solve(exact.target, 1 / exact.right, 1 / exact.down).astype(np.float32)
    height, width = plane.shape
    multiple = 2 * MULTIPLE
    problem = resistances(
        np.pad(plane, ((0, -height % multiple), (0, -width % multiple)), mode="edge"), settings
    )
    if plane.size < _HALVED_FROM:
        smooth = solve_cascade(problem, _STEPS)
    else:
        half = halve(problem)
        smooth = upsample_guided(solve_cascade(half, _STEPS), half.target, problem.target)
    return smooth[:height, :width]


def resistances(plane: Array, settings: LimeSettings) -> Smoothing:
    """The sped-up problem: a plane, H×W of either float type, and (|∇_d T̂| + ε) / (α W_d)."""
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


def lime(pixels: Pixels, settings: LimeSettings) -> Pixels:
    """Refine max(R, G, B), raise it to gamma, divide by it; denoise the luma where it was dark, if asked to.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        settings: see `LimeSettings`.

    Returns:
        H×W×3 float32 in [0, 1].

    Raises:
        DaybreakError: denoise is "bm3d" and the package is not there.
    """
    refine = exact_map if settings.solver == "exact" else sped_up_map
    light = np.clip(refine(value(pixels), settings), _SOFTEN, 1)
    light = power(light, settings.gamma)
    out = pixels / light[..., None]
    np.clip(out, 0, 1, out=out)
    if settings.denoise == "off":
        return out
    noisy = luma(out)
    clean = (bm3d if settings.denoise == "bm3d" else non_local_means)(noisy, settings.noise / 255)
    return with_luma(out, noisy, noisy * light + clean * (1 - light))


METHOD = Method(
    card=Card(
        name="lime",
        summary="LIME: divides by a refined illumination map; strong, vivid, lifts noise too.",
        paper="Guo, Li, Ling: LIME: Low-light Image Enhancement via Illumination Map Estimation. TIP, 2017",
        kind="classical",
        settings=LimeSettings,
        context="global",
        memory_per_pixel=177.0,
        cost="At 12 MP on 2 cores the sped-up map takes 2 s, solver=exact 30 to 50 s and 2 GB; denoise=nlm "
        "adds 20 s.",
        notes="Above exact_up_to the sped-up map comes from reduced copies; the result then was 43 dB or more"
        " from the exact one on darkened, noisy Kodak pictures of 1.6 and 6 MP. Strategy 3 has a window of "
        "5×5 with sum 1, which the paper leaves open.",
    ),
    run=lime,
)
