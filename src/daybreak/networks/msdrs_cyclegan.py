"""Multi-scale deep-residual-shrinkage CycleGAN: three paths that take small features for noise.

Source: paper 0, "CycleGAN based on multi-scale deep residual shrinkage" as it calls itself; the text at hand
lacks title and authors. It gives the paths, their widths and kernels, the concatenation to 192 channels and
the dilated convolutions against a checkerboard; its figures and equations are lost. Where the picture is
halved and doubled, the projection that makes path 2's 64 channels the 32 it is said to give, the block's
inside (after the cited residual shrinkage network) and the discriminators' kernels are filled in (methods.md
A.0, G.1-5).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from daybreak.layers.norm import Init, InstanceNorm
from daybreak.layers.patchgan import PatchGan
from daybreak.layers.reflected import Reflected
from daybreak.layers.shrinkage import ResidualShrinkage
from daybreak.losses.adversarial import Gan
from daybreak.networks.base import NetworkSpec, hyper
from daybreak.networks.cycle import CycleNetwork, CycleSettings, cycle_objective


class MsdrsSettings(CycleSettings):
    """Hyper-parameters of the multi-scale deep-residual-shrinkage CycleGAN."""

    resolution: Literal["half", "full"] = hyper(
        "half",
        "Whether the paths work at half the size, with a bilinear ×2 before the output, or at full.",
        source="assumed: section 'Build' has an up-sampling, so something was halved; its figure is lost",
    )
    width: int = hyper(
        64,
        "Channels of paths 1 and 2; path 3 has half as many.",
        source="paper: section 'Build', 3×3×64, 1×1×64 and 5×5×32",
        ge=2,
    )
    deep_blocks: int = hyper(
        9,
        "Residual shrinkage blocks of path 1.",
        source="paper: section 'Build', nine blocks of 3×3×64",
        ge=1,
    )
    side_blocks: int = hyper(
        6,
        "Residual shrinkage blocks of path 2 and of path 3.",
        source="paper: section 'Build', six blocks of 1×1×64 and six of 5×5×32",
        ge=1,
    )
    gan: Gan = hyper(
        "lsgan",
        "Least squares, or binary cross-entropy of the discriminators' scores.",
        source="assumed: eqs. 1 to 4 are lost; least squares is what the cited CycleGAN trains with",
    )
    lambda_cycle: float = hyper(
        10.0,
        "Weight of the cycle loss, eq. 5.",
        source="assumed: the text only adds the losses up; 10 is the cited CycleGAN's",
        ge=0,
    )
    lambda_identity: float = hyper(
        5.0,
        "Weight of the identity loss, eq. 6, which keeps the colours.",
        source="assumed: the text only adds the losses up; half of the cycle's is the cited CycleGAN's",
        ge=0,
    )
    pool: int = hyper(
        50,
        "How many generated pictures are kept for each discriminator to look back on.",
        source="assumed: not mentioned; 50 is the cited CycleGAN's",
        ge=0,
    )
    init: Init = hyper(
        "kaiming",
        "N(0, 0.02), or normal by the fan-in for ReLU; biases start at 0.",
        source="paper: section 'Implementation details', the Kaiming algorithm",
    )
    discriminator_width: int = hyper(
        64,
        "Channels of the first layer of either path of a discriminator; the fourth has eight times as many.",
        source="assumed: the text gives two paths and no widths; those of PatchGAN, with kernels 3 and 5",
        ge=1,
    )


def _normed(convolution: nn.Module) -> tuple[nn.Module, ...]:
    return convolution, InstanceNorm(), nn.ReLU(inplace=True)


def _blocks(count: int, channels: int, kernel: int) -> list[nn.Module]:
    return [ResidualShrinkage(channels, kernel) for _ in range(count)]


class MsdrsGenerator(nn.Module):
    """B×3×H×W in [−1, 1] to the same shape and range; sides even at half resolution, 8 at least.

    Args:
        settings: of the network.
    """

    def __init__(self, settings: MsdrsSettings) -> None:
        super().__init__()
        width, half, stride = settings.width, settings.width // 2, 2 if settings.resolution == "half" else 1
        self.path1 = nn.Sequential(
            *_normed(Reflected(3, width, 3, stride=stride, dilation=2)),
            *_blocks(settings.deep_blocks, width, 3),
        )
        self.path2 = nn.Sequential(
            *_normed(Reflected(3, width, 3, stride=stride, dilation=2)),
            *_blocks(settings.side_blocks, width, 1),
            *_normed(nn.Conv2d(width, half, 1)),
        )
        self.open3 = nn.Sequential(*_normed(Reflected(3, half, 3, stride=stride)))
        self.path3 = nn.Sequential(*_blocks(settings.side_blocks, half, 5))
        self.fuse = nn.Sequential(*_normed(nn.Conv2d(2 * width + 2 * half, width, 1)))
        doubled = (
            nn.Upsample(scale_factor=stride, mode="bilinear", align_corners=False),
            *_normed(Reflected(width, width, 3, dilation=2)),
        )
        self.rise = nn.Sequential(*doubled) if stride == 2 else nn.Identity()
        self.close = Reflected(width, 3, 3, dilation=2)

    def features(self, picture: Tensor) -> Tensor:
        """What the three paths give, cat(X1, cat(X3, X4), cat(X2, X3)): B×3·width×H/s×W/s."""
        x3 = self.open3(picture)
        return torch.cat([self.path1(picture), x3, self.path3(x3), self.path2(picture), x3], dim=1)

    def forward(self, picture: Tensor) -> Tensor:
        """See the class; float32 under autocast too."""
        painted: Tensor = self.close(self.rise(self.fuse(self.features(picture)))).float().tanh()
        return painted


def build(settings: MsdrsSettings) -> CycleNetwork:
    """Both generators and both dual-path discriminators, freshly initialised."""
    step = 2 if settings.resolution == "half" else 1
    seen = max(2 + step * 2 * settings.deep_blocks, 1 + step * 4 * settings.side_blocks)  # paths 1 and 3
    halo = seen + (4 if step == 2 else 0) + 2  # the doubling and its convolution; the output's
    return CycleNetwork(
        lambda: MsdrsGenerator(settings),
        lambda: PatchGan((3, 5), settings.discriminator_width),
        settings,
        halo,
    )


SPEC = NetworkSpec(
    name="msdrs-cyclegan",
    summary="CycleGAN with three paths of residual shrinkage blocks; learns without pairs; 1.2 M parameters.",
    paper="CycleGAN based on multi-scale deep residual shrinkage (paper 0; title and authors not at hand)",
    settings=MsdrsSettings,
    build=build,
    objective=cycle_objective,
    sampling=("unpaired", "aligned"),
    published={
        "data.source": ("lol-v1", "paper: section 'Experiment settings', 485 pairs"),
        "data.sampling": ("unpaired", "assumed: CycleGAN's; the paper calls its learning unsupervised"),
        "data.crop": (
            96,
            "paper: section 'Implementation details', samples adjusted to 96×96; read as crops, "
            "of pictures brought down as well, since its size is free at inference",
        ),
        "data.batch": (1, "paper: section 'Implementation details'"),
        "steps": ("1000 epochs", "paper: section 'Implementation details', 1000 iterations, read as epochs"),
        "optimiser.lr": (1e-3, "paper: section 'Implementation details', generators"),
        "optimiser.critic_lr": (2e-3, "paper: section 'Implementation details', discriminators"),
        "optimiser.betas": ([0.5, 0.999], "cited: CycleGAN's code; the paper says Adam"),
        "optimiser.schedule": ("linear", "cited: CycleGAN, section 4; the paper only says it is adjusted"),
    },
)
