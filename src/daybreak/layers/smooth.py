"""A small fixed blur behind a learned doubling, which lets no grid of its cells through.

A transposed or sub-pixel convolution makes the pixels of each cell of 2×2 by weights of their own: an even
field comes out as a grid of dots (Odena, Dumoulin, Olah, "Deconvolution and checkerboard artifacts", Distill,
2016). A filter that is zero at that grid's frequency, as the doubling by repetition is, takes it out whatever
the weights (Sugawara, Shiota, Kiya, "Checkerboard artifacts free convolutional neural networks", APSIPA
Transactions, 2019). Theirs is 2×2 and moves the picture by half a pixel; these move nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, autocast, nn

BROAD = (0.25, 0.5, 0.25)
"""Theirs, there and back: (1 + cos ω) / 2; a slope passes, of what repeats after four pixels half."""

FLAT = (-1 / 16, 4 / 16, 10 / 16, 4 / 16, -1 / 16)
"""1 − ((1 − cos ω) / 2)²: a curve of the third degree passes, of what repeats after four three quarters."""


class Smooth(nn.Module):
    """B×C×H×W to the same shape: each channel under taps⊗taps; no parameters.

    The border is continued by its own pixels. What alternates from row to row or from column to column
    becomes its mean, but at the border. While training, the precision is that of what comes in, as of
    `Reflected`.

    Args:
        channels: C.
        taps: `BROAD` or `FLAT`.
    """

    kernel: Tensor

    def __init__(self, channels: int, taps: tuple[float, ...]) -> None:
        super().__init__()
        self.edges = (len(taps) // 2,) * 4
        line = torch.tensor(taps)
        self.register_buffer("kernel", torch.outer(line, line).repeat(channels, 1, 1, 1), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        if not self.training:
            return self._blurred(features)
        with autocast(features.device.type, enabled=False):
            return self._blurred(features)

    def _blurred(self, features: Tensor) -> Tensor:
        wide = nn.functional.pad(features, self.edges, mode="replicate")
        return nn.functional.conv2d(wide, self.kernel.to(wide.dtype), groups=len(self.kernel))


class Doubling(nn.ConvTranspose2d):
    """B×inputs×H×W to B×outputs×2H×2W: transposed convolution of stride 2, `Smooth` where there are taps.

    Args:
        inputs, outputs: channels.
        kernel: 2, where cells do not overlap, or 3.
        taps: `BROAD` or `FLAT`; None for no blur.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, taps: tuple[float, ...] | None = None
    ) -> None:
        overlap = kernel - 2
        super().__init__(inputs, outputs, kernel, stride=2, padding=overlap, output_padding=overlap)
        self.settle = Smooth(outputs, taps) if taps else nn.Identity()

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """See the class."""
        doubled: Tensor = self.settle(super().forward(input, output_size))
        return doubled
