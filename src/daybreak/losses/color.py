"""Colour losses: hue and saturation of two pictures (paper 4, its eq. 4); a lit picture and its dark one."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Hue = Literal["plane", "circle"]


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


def color(output: Tensor, reference: Tensor, hue: Hue = "plane") -> Tensor:
    """How far colours are apart; a scalar.

    Args:
        output, reference: B×3×H×W in [0, 1].
        hue: "plane" as in eq. 4, (1 − cos(H, H')) + (1 − cos(S, S')), mean over the batch, in [0, 4]; reds
            lie at both ends of the plane H, and all other hues between them. "circle" compares where pixels
            lie on HSV's disk, 1 − cos of the planes S·cos 2πH and S·sin 2πH together, in [0, 2].
    """
    planes, wanted = map(hue_and_saturation, (output, reference))
    if hue == "circle":
        return _apart(_disk(*planes), _disk(*wanted))
    return sum(map(_apart, planes, wanted), torch.zeros((), device=output.device))


def _disk(hue: Tensor, saturation: Tensor) -> Tensor:
    """B×H×W each to B×2×H×W, a point for each pixel."""
    angle = 2 * torch.pi * hue
    return torch.stack([saturation * angle.cos(), saturation * angle.sin()], 1)


def luma(picture: Tensor) -> Tensor:
    """B×3×H×W to B×1×H×W, the weighted mean of red, green and blue (BT.601)."""
    weights = torch.tensor((0.299, 0.587, 0.114), device=picture.device, dtype=picture.dtype)
    return (picture * weights.view(1, 3, 1, 1)).sum(1, keepdim=True)


def cells(picture: Tensor, side: int = 8) -> Tensor:
    """Means of side×side pixels, B×C×H/side×W/side: noise goes, colour stays."""
    return nn.functional.avg_pool2d(picture, side)


def lit(low: Tensor) -> Tensor:
    """A dark picture by a power of 0.45, a gray level added: what its colours are in good light. Same shape.

    Ours: so lit, red, green and blue of LOL's training part (blurred) point 4° away from the references',
    where those of the dark picture as it is point 10° away and are twice as saturated.
    """
    return (low + 1 / 255) ** 0.45


def tint(mean: Tensor) -> Tensor:
    """The mean colour of a picture in good light, from that of its dark one, `lit`: B×3×1×1, its luma 1.

    Ours: over LOL's training part the tints of dark pictures so lit are half again as far apart as those of
    its normal pictures, and greener. Mean and spread are brought to those of the normal ones; which picture
    belongs to which is not looked at.

    Args:
        mean: B×3×1×1, above 0.
    """
    spread = (mean / luma(mean)) ** (2 / 3)
    toward = spread * torch.tensor((1.02, 0.99, 1.0), device=mean.device, dtype=mean.dtype).view(1, 3, 1, 1)
    return toward / luma(toward)


def kept_colors(output: Tensor, low: Tensor) -> Tensor:
    """How far the colours of a brightened picture are from those of its dark one; a scalar.

    Compared are red, green and blue over luma, of the means of 8×8 pixels, the dark ones `lit` and of its
    `tint`; squared. No reference is needed.

    Args:
        output, low: B×3×H×W in [0, 1], the same view, sides multiples of 8.
    """
    mean = lit(low).mean((2, 3), keepdim=True)
    wanted = lit(cells(low)) * (tint(mean) * luma(mean) / mean)
    return (_over_luma(cells(output)) - _over_luma(wanted)).square().mean()


def _over_luma(picture: Tensor, least: float = 0.02) -> Tensor:
    return picture / (luma(picture) + least)
