"""Edge-aware smoothness: neighbours that look alike in the picture shall be lit alike.

Source: Ma et al., SCI, CVPR 2022: 24 neighbours in a 5×5 window, weighted by how alike their colours are
(methods.md C.9). σ = 10 is the reference code's; in units of [0, 1] every weight would be 1 but for 0.01, so
it is read in levels of 255.
"""

from __future__ import annotations

import torch
from torch import Tensor

# of 8-bit levels from R, G, B in [0, 1], BT.601 studio range; its offsets cancel in a difference
YCBCR = ((65.481, 128.553, 24.966), (-37.797, -74.203, 112.0), (112.0, -93.786, -18.214))

# one of each pair of opposite neighbours
OFFSETS = tuple((y, x) for y in range(3) for x in range(-2, 3) if (y, x) > (0, 0))


def bilateral(illumination: Tensor, picture: Tensor, sigma: float = 10.0) -> Tensor:
    """Σ over 24 neighbours of the mean of exp(−‖ΔYCbCr‖² / 2σ²) · ‖ΔL‖₁; a scalar.

    Args:
        illumination: L, B×3×H×W, H, W ≥ 3.
        picture: what decides how alike two pixels are, B×3×H×W in [0, 1].
        sigma: levels of 255.
    """
    colors = torch.einsum("kc,bchw->bkhw", picture.new_tensor(YCBCR), picture)
    total = illumination.new_zeros(())
    for offset in OFFSETS:
        apart = _difference(colors, offset).square().sum(1)  # B×h×w
        step = _difference(illumination, offset).abs().sum(1)
        total = total + ((-apart / (2 * sigma**2)).exp() * step).mean()
    return 2 * total  # the opposite neighbours give the same


def _difference(planes: Tensor, offset: tuple[int, int]) -> Tensor:
    """Between each pixel and the one `offset` away (down, right), where both are there; H, W > offset."""
    down, right = offset
    height, width = planes.shape[-2:]
    far = planes[..., down:, max(right, 0) : width + min(right, 0)]
    near = planes[..., : height - down, max(-right, 0) : width - max(right, 0)]
    return far - near
