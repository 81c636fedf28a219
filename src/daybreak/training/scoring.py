"""How good a network is right now, on pairs that it never trains on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import torch

from daybreak.image.small import guide_of
from daybreak.methods.pretrained import run_graph
from daybreak.metrics.psnr import psnr
from daybreak.networks.base import Network
from daybreak.training.pictures import Bytes, to_bytes, to_floats
from daybreak.types import Array


class _Torch:
    """What torch makes of a network's exported part, for those who want an engine."""

    def __init__(self, network: Network) -> None:
        self._graph = network.inference()
        self._device = next(network.parameters()).device

    def run(self, batch: Array, besides: Mapping[str, Array] = MappingProxyType({})) -> Array:
        """B×3×H×W float32 to the same."""
        given = {name: torch.from_numpy(value).to(self._device) for name, value in besides.items()}
        picture = torch.from_numpy(batch).to(self._device)
        enhanced: Array = self._graph(picture, **given).float().cpu().numpy()
        return enhanced


@torch.no_grad()
def enhance(network: Network, picture: Bytes) -> Bytes:
    """Run the part of a network that is exported on one picture.

    Args:
        network: as it trains; its mode is put back afterwards.
        picture: H×W×3 uint8.

    Returns:
        H×W×3 uint8 (times the network's scale), clipped and rounded.
    """
    was_training = network.training
    network.eval()
    pixels = to_floats(picture)
    # of the picture itself, as a weight is given it: not of one brought to a multiple
    besides = {"guide": guide_of(pixels, network.guide)} if network.guide else {}
    enhanced = run_graph(_Torch(network), pixels, network.multiple, lambda _: besides)
    network.train(was_training)
    return to_bytes(enhanced)


def mean_psnr(network: Network, pairs: Sequence[tuple[Bytes, Bytes]]) -> float:
    """Mean over the pairs of the PSNR in dB, RGB, 8 bit, no crop, no GT-mean."""
    return float(np.mean([psnr(enhance(network, low), high) for low, high in pairs]))
