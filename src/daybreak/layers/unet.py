"""The two halves of a plain U-Net (Ronneberger et al., MICCAI 2015), as paper 4 and its baseline use them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from daybreak.layers.smooth import BROAD, Doubling


def double(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3×3 convolutions with ReLU, no normalisation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
    )


class Encoder(nn.Module):
    """Five levels with a 2×2 max pool between them; sides must be multiples of 16.

    Args:
        width: channels of the first level; each level has twice those of the one above.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [width << level for level in range(5)]
        self.levels = nn.ModuleList(double(i, o) for i, o in zip([3, *widths], widths, strict=False))

    def forward(self, picture: Tensor) -> list[Tensor]:
        """B×3×H×W to e1…e5, the k-th of B×(width·2^(k−1))×H/2^(k−1)×W/2^(k−1)."""
        features: list[Tensor] = []
        for level in self.levels:
            given = nn.functional.max_pool2d(features[-1], 2) if features else picture
            features.append(level(given))
        return features


class Decoder(nn.Module):
    """Four steps up, each a 2×2 transposed convolution that halves the channels, the skip, and two 3×3.

    Args:
        width: as the encoder's.
        smooth: whether a blur behind each transposed convolution leaves no grid of it.
    """

    def __init__(self, width: int, *, smooth: bool = False) -> None:
        super().__init__()
        widths = [width << level for level in range(3, -1, -1)]
        self.ups = nn.ModuleList(Doubling(2 * w, w, 2, taps=BROAD if smooth else None) for w in widths)
        self.levels = nn.ModuleList(double(2 * w, w) for w in widths)

    def forward(self, deepest: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """B×16·width×H/16×W/16 and e1…e4 to B×width×H×W."""
        features = deepest
        for up, level, skip in zip(self.ups, self.levels, reversed(skips), strict=True):
            features = level(torch.cat([up(features), skip], dim=1))
        return features
