"""Residual blocks that a few numbers steer, a scale and a shift for each channel.

Source: Perez, Strub, de Vries, Dumoulin, Courville, "FiLM: Visual Reasoning with a General Conditioning
Layer", AAAI 2018.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Steered(nn.Module):
    """x + conv(ReLU(γ·conv(x) + β)) with γ and β from the numbers; no normalisation, so nothing looks far.

    Args:
        width: channels in and out.
        numbers: how many numbers steer it.
    """

    def __init__(self, width: int, numbers: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.steer = nn.Linear(numbers, 2 * width)
        nn.init.zeros_(self.steer.weight)
        nn.init.zeros_(self.steer.bias)

    def forward(self, features: Tensor, numbers: Tensor) -> Tensor:
        """B×width×H×W and B×numbers to B×width×H×W."""
        scale, shift = self.steer(numbers)[..., None, None].chunk(2, dim=1)
        inside = torch.relu(self.first(features) * (1.0 + scale) + shift)
        changed: Tensor = features + self.second(inside)
        return changed
