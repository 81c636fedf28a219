"""Atrous spatial pyramid pooling: what stands near, farther and far, and the mean of it all.

Source: Chen et al., "Rethinking atrous convolution for semantic image segmentation", 2017; paper 1, section
II.C, gives the five branches and the rates. Widths and norms are ours (methods.md A.1, G.8).

Changed against methods.md: no norm after the fusion. An instance norm there would subtract, plane by plane,
all that the pooled branch adds, for that is one number a plane.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from daybreak.layers.norm import InstanceNorm, plane_mean


def _branch(inputs: int, outputs: int, rate: int) -> nn.Sequential:
    """A 3×3 convolution of that rate, a 1×1 where the rate is 0."""
    kernel = 3 if rate else 1
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=rate, dilation=max(rate, 1)),
        InstanceNorm(),
        nn.ReLU(inplace=True),
    )


class Pyramid(nn.Module):
    """Five branches side by side and a 1×1 fusion; zeros beyond the border.

    Args:
        channels: in and out.
        width: of each branch.
        rates: dilations of the three 3×3 convolutions.
    """

    def __init__(self, channels: int, width: int, rates: tuple[int, int, int]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(_branch(channels, width, rate) for rate in (0, *rates))
        self.mean = nn.Sequential(nn.Conv2d(channels, width, 1), nn.ReLU(inplace=True))
        self.fuse = nn.Sequential(nn.Conv2d(5 * width, channels, 1), nn.ReLU(inplace=True))

    def forward(self, features: Tensor) -> Tensor:
        """B×C×H×W to the same shape."""
        maps = [branch(features) for branch in self.branches]
        mean = self.mean(plane_mean(features, careful=not self.training)).expand_as(maps[0])
        fused: Tensor = self.fuse(torch.cat([*maps, mean], dim=1))
        return fused
