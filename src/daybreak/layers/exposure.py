"""How bright a picture is, and the curve that brings it to any brightness without clipping anything."""

from __future__ import annotations

import torch
from torch import Tensor

LEAST, MOST = -4.0, 9.0
"""log2 of the curve's slope at black, its limits."""

HALVINGS = 16  # of that range, to find the slope: to 0.0002


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
        B values in [`LEAST`, `MOST`], without a gradient.
    """
    with torch.no_grad():
        below, above = torch.full_like(wanted, LEAST), torch.full_like(wanted, MOST)
        for _ in range(HALVINGS):
            middle = (below + above) / 2
            dark = light(lift(small, torch.exp2(middle).view(-1, 1, 1, 1))) < wanted
            below, above = torch.where(dark, middle, below), torch.where(dark, above, middle)
    return (below + above) / 2
