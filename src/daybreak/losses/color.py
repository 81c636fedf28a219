"""Colour loss: how far the hue and saturation planes of two pictures point apart (paper 4, its eq. 4)."""

from __future__ import annotations

import torch
from torch import Tensor


def hue_and_saturation(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Hue and saturation of HSV, differentiable; 0 with a gradient of 0 where all channels are equal.

    Args:
        picture: B×3×H×W in [0, 1].

    Returns:
        B×H×W each, hue in [0, 1).
    """
    red, green, blue = picture.unbind(1)
    top, place = picture.max(1)
    spread = top - picture.amin(1)
    gray = spread <= 0
    safe = torch.where(gray, torch.ones_like(spread), spread)
    sixth = torch.stack([(green - blue) / safe, (blue - red) / safe + 2, (red - green) / safe + 4])  # 3×B×H×W
    hue = (sixth.gather(0, place[None])[0] / 6) % 1.0
    bright = torch.where(top > 0, top, torch.ones_like(top))
    return hue.masked_fill(gray, 0.0), (spread / bright).masked_fill(gray, 0.0)


def _apart(first: Tensor, second: Tensor, epsilon: float = 1e-8) -> Tensor:
    """1 − cos of the angle between two planes, mean over the batch; 0 where both are empty."""
    a, b = first.flatten(1), second.flatten(1)
    along, across = (a * b).sum(1), _norm(a) * _norm(b)
    empty = (_norm(a) < epsilon) & (_norm(b) < epsilon)
    cosine = torch.where(empty, torch.ones_like(along), along / (across + epsilon))
    return (1 - cosine).mean()


def _norm(plane: Tensor) -> Tensor:
    """Length of each row; its gradient is 0, not infinite, where the row is empty."""
    square = plane.square().sum(1)
    full = square > 0
    return torch.where(full, torch.where(full, square, torch.ones_like(square)).sqrt(), square)


def color(output: Tensor, reference: Tensor) -> Tensor:
    """(1 − cos(H, H')) + (1 − cos(S, S')) of B×3×H×W in [0, 1], mean over the batch; a scalar in [0, 4]."""
    (hue, saturation), (hue_wanted, saturation_wanted) = map(hue_and_saturation, (output, reference))
    return _apart(hue, hue_wanted) + _apart(saturation, saturation_wanted)
