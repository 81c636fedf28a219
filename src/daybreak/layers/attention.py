"""Efficient multi-scale attention with cross-spatial learning (EMA).

Source: Ouyang et al., "Efficient multi-scale attention module with cross-spatial learning", ICASSP 2023;
methods.md A.1. The published description folds the groups into the batch; here they stay beside each other
as channels, with the shared convolutions grouped, which keeps the memory layout and gives the same numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from daybreak.errors import BadSetting
from daybreak.layers.norm import InstanceNorm


class Shared(nn.Conv2d):
    """One small convolution, applied to every group of channels alike."""

    def forward(self, input: Tensor) -> Tensor:
        """B×(G·c)×H×W to the same shape, zeros beyond the border."""
        assert self.bias is not None
        groups = input.shape[1] // self.in_channels
        weight, bias = self.weight.repeat(groups, 1, 1, 1), self.bias.repeat(groups)
        return nn.functional.conv2d(input, weight, bias, padding=self.padding, groups=groups)


class MultiScaleAttention(nn.Module):
    """Multiplies each group of channels by one map in (0, 1).

    Args:
        channels: in and out.
        groups: how many groups they fall into; each is attended to by itself, with shared parameters.

    Raises:
        BadSetting: the channels do not fall into so many groups.
    """

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        if channels % groups:
            raise BadSetting(f"groups={groups} of {channels} channels", f"a divisor of {channels}")
        self.groups, each = groups, channels // groups
        self.along = Shared(each, each, 1)
        self.around = Shared(each, each, 3, padding=1)
        self.norm = InstanceNorm()
        self.scale = nn.Parameter(torch.ones(each))
        self.shift = nn.Parameter(torch.zeros(each))

    def map(self, features: Tensor) -> Tensor:
        """The attention before its sigmoid, B×G×1×H×W.

        Branch 1 is X·σ(a_h)·σ(a_w), normalised per channel and then scaled and shifted; branch 2 a 3×3
        convolution. Each is weighed by the softmax over the other's mean. The mean of branch 1 is its shift,
        as what is normalised has mean 0.
        """
        height, width = features.shape[2:]
        lines = torch.cat([features.mean(3), features.mean(2)], dim=2)[..., None]  # B×C×(H+W)×1
        rows, columns = self.along(lines).sigmoid().split([height, width], dim=2)
        crossed = self._grouped(self.norm(features * rows * columns.transpose(2, 3)))
        around = self._grouped(self.around(features))  # B×G×c×H×W
        of_crossed = around.mean(4).mean(3).softmax(2)  # B×G×c: the weights of branch 1, by branch 2
        of_around = self.shift.softmax(0).to(around.dtype)[:, None, None]
        weight = (of_crossed * self.scale).to(crossed.dtype)[..., None, None]
        offset = (of_crossed * self.shift).sum(2).to(crossed.dtype)[..., None, None, None]
        looked: Tensor = (of_around * around + weight * crossed).sum(2, keepdim=True) + offset
        return looked

    def forward(self, features: Tensor) -> Tensor:
        """B×C×H×W to the same shape."""
        return (self._grouped(features) * self.map(features).sigmoid()).flatten(1, 2)

    def _grouped(self, features: Tensor) -> Tensor:
        batch, channels, height, width = features.shape
        return features.view(batch, self.groups, channels // self.groups, height, width)
