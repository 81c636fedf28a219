"""The generator that CycleGAN took from style transfer: down by four, residual blocks, up by four.

Source: Zhu et al., "Unpaired image-to-image translation using cycle-consistent adversarial networks", ICCV
2017, appendix 7.2, after Johnson et al., ECCV 2016.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from daybreak.layers.norm import InstanceNorm
from daybreak.layers.reflected import Reflected
from daybreak.layers.smooth import FLAT, Doubling, Smooth


def _normed(convolution: nn.Module) -> tuple[nn.Module, ...]:
    return convolution, InstanceNorm(), nn.ReLU(inplace=True)


def branch(channels: int) -> nn.Sequential:
    """F of a residual block: two 3×3 convolutions with reflection and instance norm, a ReLU between them."""
    return nn.Sequential(
        *_normed(Reflected(channels, channels, 3)), Reflected(channels, channels, 3), InstanceNorm()
    )


class Residual(nn.Module):
    """x + F(x).

    Args:
        inner: F, which keeps the shape.
    """

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, features: Tensor) -> Tensor:
        """B×C×H×W to the same shape."""
        grown: Tensor = features + self.inner(features)
        return grown


class ResNetGenerator(nn.Module):
    """B×3×H×W in [−1, 1] to the same shape and range; sides multiples of 4, 8 at least.

    Args:
        width: channels at full size; a quarter of the size holds 4·width.
        pyramid: the end of the encoder, keeps the shape; nn.Identity() in CycleGAN itself.
        blocks: the transformer between encoder and decoder, each keeps the shape.
        smooth: whether blurs behind the first doubling and before the tanh leave no grid of cells.

    Attributes:
        reach: pixels that an output pixel depends on, on each side, but for pyramid and blocks, one of whose
            pixels is four; smooth ones see 6 more.
    """

    reach = 12

    def __init__(
        self, width: int, pyramid: nn.Module, blocks: Iterable[nn.Module], *, smooth: bool = False
    ) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            *_normed(Reflected(3, width, 7)),
            *_normed(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)),
            *_normed(nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1)),
        )
        self.pyramid = pyramid
        self.transformer = nn.Sequential(*blocks)
        self.decoder = nn.Sequential(
            *_normed(Doubling(4 * width, 2 * width, 3, taps=FLAT if smooth else None)),
            *_normed(Doubling(2 * width, width, 3)),  # whose grid the second blur takes
            Reflected(width, 3, 7),
        )
        self.settle = Smooth(3, FLAT) if smooth else nn.Identity()

    def forward(self, picture: Tensor) -> Tensor:
        """See the class; float32 under autocast too."""
        features = self.transformer(self.pyramid(self.encoder(picture)))
        painted: Tensor = self.settle(self.decoder(features).float()).float().tanh()
        return painted
