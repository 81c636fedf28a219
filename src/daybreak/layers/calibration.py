"""The calibration block that helps an illumination cascade to converge while it trains.

Source: Ma et al., "Toward Fast, Flexible, and Robust Low-Light Image Enhancement" (SCI), CVPR 2022, the
self-calibrated module; methods.md A.2 (K_ξ) and C.9. Never part of an exported graph.
"""

from __future__ import annotations

from torch import Tensor, nn


def _conv_norm(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Calibration(nn.Module):
    """E = R − σ(…): what an illumination stage left over, to be added to the next stage's input.

    Args:
        width: channels inside.
        repeats: how often the one shared pair of convolutions is applied residually.
    """

    def __init__(self, width: int = 16, repeats: int = 3) -> None:
        super().__init__()
        self.repeats = repeats
        self.open = _conv_norm(3, width)
        self.pair = nn.Sequential(_conv_norm(width, width), _conv_norm(width, width))
        self.close = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, enhanced: Tensor) -> Tensor:
        """R (B×3×H×W, float32 in [0, 1]) to E of the same shape, in (−1, 1)."""
        features = self.open(enhanced)  # B×width×H×W
        for _ in range(self.repeats):
            features = features + self.pair(features)
        left_over: Tensor = enhanced - self.close(features).sigmoid()
        return left_over
