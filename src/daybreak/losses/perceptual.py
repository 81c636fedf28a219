"""Perceptual distance: mean absolute difference of the feature maps of a network that is handed in.

Source: paper 2, eq. 7, its divisor "W+H+C" read as W·H·C (methods.md A.2). The paper's extractor is VGG16
with ImageNet weights; those are not ours to ship, so the extractor is injected.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

from torch import Tensor

Features = Callable[[Tensor], Tensor]
"""B×3×H×W in [0, 1] to a feature map of any shape; does its own normalisation."""


class Perceptual:
    """mean |φ(a) − φ(b)|, or 0 where no φ was handed in, which is said once, on making it."""

    def __init__(self, features: Features | None) -> None:
        self.features = features
        if features is None:
            warnings.warn(
                "no feature extractor was given: the perceptual loss counts as 0 "
                "(daybreak assets fetch vgg16 brings one)",
                stacklevel=3,
            )

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """Compare two batches of B×3×H×W in [0, 1]; gives a scalar."""
        if self.features is None:
            return first.new_zeros(())
        return (self.features(first) - self.features(second)).abs().mean()
