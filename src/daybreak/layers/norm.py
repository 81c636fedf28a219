"""Instance normalisation, and the start that these networks give their weights.

Source: Ulyanov, Vedaldi, Lempitsky, "Instance normalization: the missing ingredient for fast stylization",
2016; without parameters and without running statistics, as CycleGAN has it.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Init = Literal["normal", "kaiming"]
"""N(0, 0.02), or normal by the fan-in for ReLU."""


def plane_mean(features: Tensor, careful: bool) -> Tensor:
    """B×C×H×W to the mean of each plane, B×C×1×1.

    The sums are divided last: mean() divides a whole plane on its way back.

    Args:
        features: what has the planes.
        careful: sum row by row and then over the rows, as exported graphs should: ONNX Runtime adds a plane
            up value by value, and its rounding grows with the picture, to 1e-4 of the result at 400×600. For
            torch this order takes ten times as long.
    """
    total = (
        features.sum(3, keepdim=True).sum(2, keepdim=True) if careful else features.sum((2, 3), keepdim=True)
    )
    return total / (features.shape[2] * features.shape[3])


class InstanceNorm(nn.Module):
    """B×C×H×W with H·W ≥ 2 to mean 0 and variance 1 in each plane (ε = 1e-5).

    While training on a CPU, each picture is handed to the batch norm kernel as a batch of its own: the same
    numbers as torch's instance norm, which copies a channels_last tensor to another layout and takes twice as
    long there; on a GPU the launches of many small kernels would cost more than the copy. What is exported is
    written out, since ONNX Runtime's own instance norm is too coarse: see `plane_mean`.
    """

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        if not self.training:
            centred = features - plane_mean(features, careful=True)
            return centred * torch.rsqrt(plane_mean(centred * centred, careful=True) + 1e-5)
        if features.is_cuda:
            return nn.functional.instance_norm(features)
        pictures = torch.split(features, 1)
        normed = [nn.functional.batch_norm(one, None, None, training=True) for one in pictures]
        return normed[0] if len(normed) == 1 else torch.cat(normed)


def initialise(network: nn.Module, how: Init) -> None:
    """Draw the weights of all convolutions and linear layers from torch's generator; biases start at 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if how == "normal":
                nn.init.normal_(module.weight, std=0.02)
            else:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
