"""Dark pictures made where the network learns, on its device."""

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
