"""Plain CycleGAN: the baseline of papers 0 and 1, and the stem of both.

Source: Zhu et al., "Unpaired image-to-image translation using cycle-consistent adversarial networks", ICCV
2017: ResNet generators, 70×70 PatchGAN discriminators, least squares (methods.md C.10).
"""

from __future__ import annotations

from torch import nn

from daybreak.layers.patchgan import PatchGan
from daybreak.layers.resnet import Residual, ResNetGenerator, branch
from daybreak.networks.base import NetworkSpec, hyper
from daybreak.networks.cycle import CycleNetwork, CycleSettings, cycle_objective


class CycleGanSettings(CycleSettings):
    """Hyper-parameters of CycleGAN."""

    width: int = hyper(
        64,
        "Channels of the generators at full size; at a quarter of the size there are four times as many.",
        source="cited: CycleGAN, appendix 7.2, c7s1-64, d128, d256",
        ge=1,
    )
    blocks: int = hyper(
        9,
        "Residual blocks of a generator.",
        source="cited: CycleGAN, appendix 7.2, nine for pictures of 256 px and more",
        ge=1,
    )


def build(settings: CycleGanSettings) -> CycleNetwork:
    """Both generators and both discriminators, freshly initialised."""

    def generator() -> ResNetGenerator:
        blocks = [Residual(branch(4 * settings.width)) for _ in range(settings.blocks)]
        return ResNetGenerator(settings.width, nn.Identity(), blocks)

    return CycleNetwork(
        generator,
        lambda: PatchGan((4,), settings.discriminator_width),
        settings,
        halo=ResNetGenerator.reach + 8 * settings.blocks,
    )


SPEC = NetworkSpec(
    name="cyclegan",
    summary="Two ResNet generators that undo each other; learns without pairs; 11.4 M parameters.",
    paper="Zhu, Park, Isola, Efros: Unpaired image-to-image translation using CycleGAN. ICCV 2017",
    settings=CycleGanSettings,
    build=build,
    objective=cycle_objective,
    sampling=("unpaired", "aligned"),
    published={
        "data.sampling": ("unpaired", "cited: CycleGAN, section 1"),
        "data.crop": (256, "cited: CycleGAN, appendix 7.1"),
        "data.batch": (1, "cited: CycleGAN, section 4"),
        "steps": ("200 epochs", "cited: CycleGAN, section 4"),
        "optimiser.lr": (2e-4, "cited: CycleGAN, section 4"),
        "optimiser.betas": ([0.5, 0.999], "cited: CycleGAN's code"),
        "optimiser.schedule": ("linear", "cited: CycleGAN, section 4, constant for 100 epochs, then to 0"),
    },
)
