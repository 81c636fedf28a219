"""How good a network is right now, on pairs that it never trains on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from daybreak.metrics.psnr import psnr
from daybreak.networks.base import Network
from daybreak.training.pictures import Bytes


@torch.no_grad()
def enhance(network: Network, picture: Bytes) -> Bytes:
    """Run the part of a network that is exported on one picture.

    Args:
        network: as it trains; its mode is put back afterwards.
        picture: H×W×3 uint8.

    Returns:
        H×W×3 uint8 (times the network's scale), clipped and rounded.
    """
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    batch = torch.from_numpy(picture).to(device)[None].permute(0, 3, 1, 2).float() / 255.0  # 1×3×H×W
    height, width = picture.shape[:2]
    below, right = -height % network.multiple, -width % network.multiple
    batch = nn.functional.pad(batch, (0, right, 0, below), mode="reflect" if below or right else "constant")
    enhanced = network.inference()(batch)[0].permute(1, 2, 0)  # H×W×3
    enhanced = enhanced[: height * network.scale, : width * network.scale].float()
    network.train(was_training)
    levels: Bytes = enhanced.mul(255.0).clamp(0.0, 255.0).round().to(torch.uint8).cpu().numpy()
    return levels


def mean_psnr(network: Network, pairs: Sequence[tuple[Bytes, Bytes]]) -> float:
    """Mean over the pairs of the PSNR in dB, RGB, 8 bit, no crop, no GT-mean."""
    return float(np.mean([psnr(enhance(network, low), high) for low, high in pairs]))
