"""A convolution that continues the picture beyond its border by reflection."""

from __future__ import annotations

from torch import Tensor, autocast, nn


class Reflected(nn.Conv2d):
    """A k×k convolution that keeps the size (divided by `stride`, for sides that are multiples of it).

    While training it pads in the precision that comes in: autocast would have a CPU pad in float32 and the
    convolution, at once, go back to bfloat16.

    Args:
        inputs, outputs: channels.
        kernel: k, odd.
        stride, dilation: as usual; the sides of what comes in must exceed dilation·(k−1)/2.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride=stride, dilation=dilation)
        self.edge = dilation * (kernel // 2)

    def forward(self, input: Tensor) -> Tensor:
        """B×inputs×H×W to B×outputs×H/stride×W/stride."""
        return super().forward(self._wide(input) if self.edge else input)

    def _wide(self, input: Tensor) -> Tensor:
        edges = (self.edge,) * 4
        if not self.training:
            return nn.functional.pad(input, edges, mode="reflect")
        with autocast(input.device.type, enabled=False):
            return nn.functional.pad(input, edges, mode="reflect")
