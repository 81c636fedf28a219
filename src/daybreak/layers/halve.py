"""Half the size, bicubic with antialiasing, as one fixed convolution that exports to any runtime.

Keys, "Cubic convolution interpolation", 1981, with a = −1/2 and the kernel stretched over two pixels, as
MATLAB's and Pillow's resize do it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def _cubic(distance: Tensor) -> Tensor:
    x = distance.abs()
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return torch.where(x < 1.0, near, torch.where(x < 2.0, far, torch.zeros_like(x)))


class Halve(nn.Module):
    """B×3×H×W with even sides to B×3×H/2×W/2; the border is continued by its own pixels; no parameters."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        taps = _cubic((torch.arange(8, dtype=torch.float64) - 3.5) / 2)
        taps = taps / taps.sum()
        kernel = torch.outer(taps, taps).to(torch.float32)
        self.register_buffer("kernel", kernel.expand(3, 1, 8, 8).contiguous(), persistent=False)

    def forward(self, picture: Tensor) -> Tensor:
        """Values may leave [0, 1] by a few hundredths beside hard edges, so they are clamped to it."""
        wide = nn.functional.pad(picture, (3, 3, 3, 3), mode="replicate")
        smaller = nn.functional.conv2d(wide, self.kernel, stride=2, groups=3)
        return smaller.clamp(0.0, 1.0)
