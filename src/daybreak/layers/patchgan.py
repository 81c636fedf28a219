"""A discriminator that judges patches, not pictures, along one path or several.

Source: Isola et al., "Image-to-image translation with conditional adversarial networks", CVPR 2017: four
convolutions of kernel 4 make a patch of 70 px. Paper 0 runs two paths with other kernels (methods.md A.0).
"""

from __future__ import annotations

from torch import Tensor, nn

from daybreak.layers.norm import InstanceNorm


def _path(kernel: int, width: int) -> nn.Sequential:
    edge = (kernel - 1) // 2
    layers: list[nn.Module] = [nn.Conv2d(3, width, kernel, stride=2, padding=edge), nn.LeakyReLU(0.2, True)]
    for inputs, outputs, stride in ((1, 2, 2), (2, 4, 2), (4, 8, 1)):
        layers += [
            nn.Conv2d(inputs * width, outputs * width, kernel, stride=stride, padding=edge),
            InstanceNorm(),
            nn.LeakyReLU(0.2, True),
        ]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, kernel, padding=edge))


class PatchGan(nn.Module):
    """Pictures to maps of scores, one a path; high where a patch looks real.

    Args:
        kernels: of each path; (4,) is the 70×70 PatchGAN.
        width: channels of the first layer; the fourth has eight times as many.
    """

    def __init__(self, kernels: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.paths = nn.ModuleList(_path(kernel, width) for kernel in kernels)

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """B×3×H×W in [−1, 1], sides of 24 and more, to B×1×h×w float32 each, h about H/8."""
        return tuple(path(picture).float() for path in self.paths)
