"""Residual shrinkage: a residual block that takes small values for noise, channel by channel.

Source: Zhao et al., "Deep residual shrinkage networks for fault diagnosis", IEEE Trans. Industrial
Informatics 2020, the block with channel-wise thresholds. Changed, since paper 0 normalises by instance and
trains with one picture a batch: instance norm in place of batch norm, and none between the two layers that
find the thresholds, where a batch of one leaves nothing to normalise over (methods.md A.0, G.3).
"""

from __future__ import annotations

from contextlib import nullcontext

from torch import Tensor, autocast, nn

from daybreak.layers.norm import InstanceNorm, plane_mean
from daybreak.layers.reflected import Reflected


class Shrink(nn.Module):
    """soft(f, τ) = sign(f)·max(|f| − τ, 0) with τ = α·mean|f| and α in (0, 1) found from mean|f| itself.

    τ never exceeds the mean, so no channel is silenced altogether.

    Args:
        channels: of f.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.share = nn.Sequential(
            nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, channels), nn.Sigmoid()
        )

    def forward(self, features: Tensor) -> Tensor:
        """B×C×H×W to the same shape."""
        sign = features.detach().sign()
        size = features * sign  # |f|; its gradient costs a tenth of that of abs() in bfloat16
        threshold = self._threshold(plane_mean(size, careful=not self.training).flatten(1))
        shrunk: Tensor = sign * nn.functional.relu(size - threshold.to(size.dtype)[..., None, None])
        return shrunk

    def _threshold(self, mean: Tensor) -> Tensor:
        """B×C to the same; trained without autocast, whose casts cost more than such small products."""
        with autocast(mean.device.type, enabled=False) if self.training else nullcontext():
            given = mean.to(next(self.share.parameters()).dtype) if self.training else mean
            threshold: Tensor = self.share(given) * given
        return threshold


class ResidualShrinkage(nn.Module):
    """x + soft(f, τ), f two rounds of instance norm, ReLU and a k×k convolution.

    Args:
        channels: in and out.
        kernel: k, odd; sides must exceed (k−1)/2.
    """

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            InstanceNorm(),
            nn.ReLU(inplace=True),
            Reflected(channels, channels, kernel),
            InstanceNorm(),
            nn.ReLU(inplace=True),
            Reflected(channels, channels, kernel),
        )
        self.shrink = Shrink(channels)

    def forward(self, features: Tensor) -> Tensor:
        """B×C×H×W to the same shape."""
        grown: Tensor = features + self.shrink(self.branch(features))
        return grown
