"""Dark pictures, and gray ones, made where the network learns, on its device."""

from __future__ import annotations

import torch
from torch import Tensor

from daybreak.data.synthetic import Darkening


def darken(high: Tensor, drawn: Darkening, seed: int) -> Tensor:
    """Paper 3's generator (`daybreak.data.synthetic.synthesise`) on any device.

    Args:
        high: H×W×3 float32 in [0, 1].
        drawn: α, γ and σ.
        seed: of the noise.

    Returns:
        H×W×3 float32 in [0, 1], quantised to 8 bits.
    """
    dark = (high - drawn.alpha * (1.0 - high**drawn.gamma) * high).clamp(min=0.0)
    if drawn.sigma:
        source = torch.Generator(high.device).manual_seed(seed)
        dark = dark + drawn.sigma * torch.randn(high.shape, generator=source, device=high.device)
    return (dark.clamp(0.0, 1.0) * 255.0).round() / 255.0


def exposed(low: Tensor, stops: float) -> Tensor:
    """A picture at another exposure, cut to 8 bits as a camera would have.

    Args:
        low: any shape, float32 in [0, 1].
        stops: EV; each doubles the encoded values.
    """
    bright: Tensor = (low * (255.0 * 2.0**stops)).round().clamp(max=255.0) / 255.0
    return bright


def flattened(low: Tensor, high: Tensor, level: float, seed: int) -> tuple[Tensor, Tensor]:
    """A flat gray pair that is lit as another pair is: gray teaches nothing of scenes, only to stay gray.

    The curve kx / (1 + (k - 1)x), with the k that takes the mean of the dark side to that of the reference or
    up to eight times as much, takes the level of the gray dark side to that of its reference: the darkest
    pictures are lifted further than any pair is.

    Args:
        low, high: H×W×3 float32 in [0, 1].
        level: of the dark side, in [0, 1].
        seed: of the noise of the dark side, of up to 2 % of full scale, mostly much less.

    Returns:
        Both of the shape of `low`, the dark side quantised to 8 bits.
    """
    dark, bright = (float(side.mean().clamp(1e-3, 1.0 - 1e-3)) for side in (low, high))
    slope = bright * (1.0 - dark) / (dark * (1.0 - bright))
    source = torch.Generator(low.device).manual_seed(seed)
    further, noise = torch.rand(2, generator=source, device=low.device)
    slope, sigma = slope * 2.0 ** (3.0 * further), 0.02 * noise**2
    noisy = level + sigma * torch.randn(low.shape, generator=source, device=low.device)
    lit = slope * level / (1.0 + (slope - 1.0) * level)
    return (noisy.clamp(0.0, 1.0) * 255.0).round() / 255.0, torch.full_like(high, lit)
