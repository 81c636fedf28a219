"""How far a chain of convolutions sees: the halo that a tile of a picture needs."""

from __future__ import annotations

from torch import nn


def reach(chain: nn.Module) -> int:
    """Pixels of context on each side of an output pixel, for convolutions applied one after another.

    Args:
        chain: a module whose convolutions all run in sequence, with stride 1.

    >>> reach(nn.Sequential(nn.Conv2d(3, 8, 3, dilation=2), nn.ReLU(), nn.Conv2d(8, 3, 5)))
    4
    """
    convolutions = [m for m in chain.modules() if isinstance(m, nn.Conv2d)]
    return sum(m.dilation[0] * (m.kernel_size[0] // 2) for m in convolutions)
