"""How bright a picture is, and the curve that brings it to any brightness without clipping anything."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

LEAST, MOST = -4.0, 9.0
"""log2 of the curve's slope at black, its limits."""

RUNGS = 14
"""Slopes that are tried first, an EV apart."""

NEAR = 0.1
"""EV; how far from what lies between two of them it is looked for again."""


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


def lift_hued(picture: Tensor, flat: Tensor) -> Tensor:
    """`lift` where a pixel is dark; the nearer its brightest colour is to white, the more that alone decides.

    kx / (1 + (k − 1)y), y = x + V²(V − x), V = max(R, G, B): a lamp keeps its colour, which the curve of each
    colour would bleach.

    Args:
        picture: B×3×H×W in [0, 1].
        flat: 1/k, of anything that goes with it.
    """
    brightest = torch.maximum(torch.maximum(picture[:, :1], picture[:, 1:2]), picture[:, 2:])
    square, steep = brightest.square(), 1.0 - flat
    # in this order all but three operations are on one plane
    return picture / (flat + steep * square * brightest + picture * (steep * (1.0 - square)))


class Seen(NamedTuple):
    """A small copy of a picture, and what the curve makes of it.

    Attributes:
        copy: B×3×h×w in [0, 1].
        lights: EV, the mean lights that slopes an EV apart bring it to, from 2^`LEAST` on; B×`RUNGS`.
    """

    copy: Tensor
    lights: Tensor


def see(copy: Tensor) -> Seen:
    """Look at a small copy once, for every slope that is asked for afterwards."""
    copy = copy.float()
    with torch.no_grad():
        slopes = torch.linspace(LEAST, MOST, RUNGS, device=copy.device)
        return Seen(copy, _lights(copy, slopes.expand(len(copy), -1)))


def slope_for(seen: Seen, wanted: Tensor) -> Tensor:
    """log2 of the slope with which `lift` brings a picture to a mean light.

    Args:
        seen: the picture.
        wanted: EV, B values.

    Returns:
        B values in [`LEAST`, `MOST`], to about 0.0001, without a gradient.
    """
    with torch.no_grad():
        wanted = wanted.float()[:, None]
        about = _between(torch.full_like(wanted, LEAST), 1.0, seen.lights, wanted)
        least = (about - NEAR).clamp(LEAST, MOST - 2.0 * NEAR)
        slopes = torch.cat([least, least + NEAR, least + 2.0 * NEAR], dim=1)
        return _between(least, NEAR, _lights(seen.copy, slopes), wanted)[:, 0]


def _lights(copy: Tensor, slopes: Tensor) -> Tensor:
    """The mean lights at B×n slopes, all at once: one by one they would be a thousand nodes of a graph."""
    lit = lift(copy[:, None], torch.exp2(slopes)[..., None, None, None]).flatten(0, 1)
    return light(lit).view(-1, slopes.shape[1])


def _between(least: Tensor, step: float, lights: Tensor, wanted: Tensor) -> Tensor:
    """The slope by a line between the two, of those `step` apart from `least` on, that lie around it; B×1."""
    place = ((lights < wanted).sum(1, keepdim=True) - 1).clamp(0, lights.shape[1] - 2)
    low, high = lights.gather(1, place), lights.gather(1, place + 1)
    share = ((wanted - low) / (high - low).clamp(min=1e-9)).clamp(0.0, 1.0)
    slope: Tensor = least + step * (place + share)
    return slope
