"""The adversarial losses: how far a discriminator's scores are from what they should be.

Sources: least squares, Mao et al., "Least squares generative adversarial networks", ICCV 2017; vanilla,
Goodfellow et al., NIPS 2014 (binary cross-entropy; the generator maximises log D, as is usual).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

Gan = Literal["lsgan", "vanilla"]


def judged(maps: Sequence[Tensor], real: bool, gan: Gan) -> Tensor:
    """How far scores are from saying "real" everywhere, or "fake" everywhere.

    Args:
        maps: of a discriminator's paths, each of any shape; for vanilla, before the sigmoid.
        real: what they should say.
        gan: (score − 1)² or score², or the cross-entropy of the sigmoid.

    Returns:
        The mean over the paths of each map's mean; a scalar.
    """
    if gan == "lsgan":
        losses = [(scores - float(real)).square().mean() for scores in maps]
    else:
        losses = [nn.functional.softplus(-scores if real else scores).mean() for scores in maps]
    return torch.stack(losses).mean()
