"""How bright a picture is, and the curve that brings it to any brightness without clipping anything."""

from __future__ import annotations

import torch
from torch import Tensor

LEAST, MOST = -4.0, 9.0
"""log2 of the curve's slope at black, its limits."""


def linear(picture: Tensor) -> Tensor:
    """sRGB-encoded values in [0, 1] to linear light (IEC 61966-2-1)."""
    return torch.where(
        picture <= 0.04045, picture / 12.92, ((picture.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    )


def light(picture: Tensor) -> Tensor:
    """EV: log2 of the mean linear luminance (BT.709) of B×3×H×W in [0, 1]; B values, −13.3 at black."""
    red, green, blue = linear(picture.float()).mean((2, 3)).unbind(1)
    return torch.log2(0.2126 * red + 0.7152 * green + 0.0722 * blue + 1e-4)


def lift(picture: Tensor, slope: Tensor) -> Tensor:
    """kx / (1 + (k − 1)x): 0 and 1 stay, the slope at black is k, and 1/k undoes it."""
    return slope * picture / (1.0 + (slope - 1.0) * picture)


def slope_for(small: Tensor, wanted: Tensor) -> Tensor:
    """log2 of the slope with which `lift` brings a picture to a mean light.

    Args:
        small: B×3×h×w in [0, 1].
        wanted: EV, B values.

    Returns:
        B values in [`LEAST`, `MOST`], to about 0.0001, without a gradient.
    """
    with torch.no_grad():
        small, wanted = small.float(), wanted.float()[:, None]
        about = _slope_on(torch.full_like(wanted, LEAST), MOST - LEAST, 13, small, wanted)
        return _slope_on((about - 0.1).clamp(LEAST, MOST - 0.2), 0.2, 2, small, wanted)[:, 0]


def _slope_on(least: Tensor, reach: float, parts: int, small: Tensor, wanted: Tensor) -> Tensor:
    """The slope from `least` to as much as `reach` above (B×1), by a line between two of a grid around it.

    All slopes of the grid are tried at once: one after the other they would be a thousand nodes of a graph.
    """
    grid = least + reach / parts * torch.arange(parts + 1, device=small.device)  # B×(parts + 1)
    lit = lift(small[:, None], torch.exp2(grid)[..., None, None, None]).flatten(0, 1)
    lights = light(lit).view(-1, parts + 1)
    place = ((lights < wanted).sum(1, keepdim=True) - 1).clamp(0, parts - 1)
    low, high = lights.gather(1, place), lights.gather(1, place + 1)
    share = ((wanted - low) / (high - low).clamp(min=1e-9)).clamp(0.0, 1.0)
    slope: Tensor = grid.gather(1, place) + reach / parts * share
    return slope
