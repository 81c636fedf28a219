"""CycleGAN whose generators attend (EMA) in every residual block and look far (ASPP) behind the encoder.

Source: Kuang, Ou, Lin, Zhong, "Research on low-light image enhancement algorithm based on generative
adversarial networks" (paper 1). The paper fixes where both modules stand and the rates 4, 8 and 16; groups,
widths, norms, the loss weights and how the block adds its attention are filled in (methods.md A.1, G.6-8).
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from daybreak.layers.aspp import Pyramid
from daybreak.layers.attention import MultiScaleAttention
from daybreak.layers.norm import Init
from daybreak.layers.patchgan import PatchGan
from daybreak.layers.resnet import Residual, ResNetGenerator, branch
from daybreak.losses.adversarial import Gan
from daybreak.networks.base import NetworkSpec, hyper
from daybreak.networks.cycle import CycleNetwork, CycleSettings, cycle_objective


class EmaAsppSettings(CycleSettings):
    """Hyper-parameters of the CycleGAN with EMA and ASPP."""

    attention: Literal["inner", "outer_add", "none"] = hyper(
        "inner",
        "Residual blocks x + EMA(F(x)), or r + EMA(r) with r = x + F(x), or without attention.",
        source="assumed: section II.B adds the residual output and the EMA map, which both readings do; "
        "'inner' keeps the identity path",
    )
    groups: int = hyper(
        32,
        "Groups of channels that EMA attends to separately; a divisor of 4·width.",
        source="assumed: the paper gives none; 32 is the default of the cited module's authors",
        ge=1,
    )
    aspp: bool = hyper(
        True,
        "Whether the encoder ends in atrous spatial pyramid pooling.",
        source="paper: section III.A, at the end of the encoder; table 5 without it",
    )
    aspp_rate: int = hyper(
        4,
        "Dilation of the first of ASPP's three 3×3 branches; the others have twice and four times as much.",
        source="paper: section II.C, rates 4, 8 and 16",
        ge=1,
    )
    aspp_width: int = hyper(
        256,
        "Channels of each of ASPP's five branches.",
        source="assumed: the paper gives none; 256 is the cited DeepLab v3's and the encoder's own width",
        ge=1,
    )
    width: int = hyper(
        64,
        "Channels of the generators at full size; at a quarter of the size there are four times as many.",
        source="cited: CycleGAN, appendix 7.2, c7s1-64, d128, d256",
        ge=1,
    )
    blocks: int = hyper(
        9,
        "Residual blocks of a generator.",
        source="cited: CycleGAN, appendix 7.2, nine for 256 px; section III.A says 'multiple'",
        ge=1,
    )
    gan: Gan = hyper(
        "lsgan",
        "Least squares, or binary cross-entropy of the discriminators' scores.",
        source="cited: CycleGAN, section 4, has least squares; eq. 2 prints the cross-entropy ('vanilla')",
    )
    lambda_cycle: float = hyper(
        10.0,
        "λ_cycle of eq. 1.",
        source="cited: CycleGAN, section 4, λ = 10; the paper gives no value",
        ge=0,
    )
    lambda_identity: float = hyper(
        5.0,
        "λ_identity of eq. 1.",
        source="cited: CycleGAN, section 5.2, 0.5 λ; the paper gives no value",
        ge=0,
    )
    upsampling: Literal["plain", "smooth"] = hyper(
        "plain",
        "Doublings as they are, or with small fixed blurs that leave no grid of their cells.",
        source="cited: CycleGAN, appendix 7.2, transposed convolutions; alone they draw a grid",
    )
    init: Init = hyper(
        "normal",
        "N(0, 0.02), or normal by the fan-in for ReLU; biases start at 0.",
        source="cited: CycleGAN, appendix 7.1, N(0, 0.02); the paper gives none",
    )


def _block(settings: EmaAsppSettings) -> nn.Module:
    channels = 4 * settings.width
    inside = branch(channels)
    match settings.attention:
        case "inner":
            return Residual(nn.Sequential(inside, MultiScaleAttention(channels, settings.groups)))
        case "outer_add":
            attention = MultiScaleAttention(channels, settings.groups)
            return nn.Sequential(Residual(inside), Residual(attention))
        case "none":
            return Residual(inside)


def _pyramid(settings: EmaAsppSettings) -> nn.Module:
    if not settings.aspp:
        return nn.Identity()
    rate = settings.aspp_rate
    return Pyramid(4 * settings.width, settings.aspp_width, (rate, 2 * rate, 4 * rate))


def build(settings: EmaAsppSettings) -> CycleNetwork:
    """Both generators and both discriminators, freshly initialised.

    Raises:
        BadSetting: the channels do not fall into so many groups.
    """

    smooth = settings.upsampling == "smooth"

    def generator() -> ResNetGenerator:
        blocks = [_block(settings) for _ in range(settings.blocks)]
        return ResNetGenerator(settings.width, _pyramid(settings), blocks, smooth=smooth)

    each = 8 if settings.attention == "none" else 12  # px a block: 3×3 convolutions at a quarter of the size
    far = 16 * settings.aspp_rate if settings.aspp else 0
    return CycleNetwork(
        generator,
        lambda: PatchGan((4,), settings.discriminator_width),
        settings,
        halo=ResNetGenerator.reach + (6 if smooth else 0) + each * settings.blocks + far,
    )


SPEC = NetworkSpec(
    name="ema-aspp-cyclegan",
    summary="CycleGAN with multi-scale attention and atrous pyramid pooling; 13.6 M parameters.",
    paper="Kuang, Ou, Lin, Zhong: Research on low-light image enhancement algorithm based on generative "
    "adversarial networks (paper 1)",
    settings=EmaAsppSettings,
    build=build,
    objective=cycle_objective,
    sampling=("unpaired", "aligned"),
    published={
        "data.source": ("lol-v1", "paper: section IV, 485 pairs"),
        "data.sampling": ("unpaired", "cited: CycleGAN, section 1; the paper does not say"),
        "data.crop": (256, "cited: CycleGAN, appendix 7.1; the paper gives none"),
        "data.batch": (8, "paper: section IV"),
        "steps": ("200 epochs", "paper: section IV"),
        "optimiser.lr": (1e-4, "paper: section IV"),
        "optimiser.betas": ([0.5, 0.999], "cited: CycleGAN's code; the paper gives none"),
        "optimiser.schedule": ("linear", "cited: CycleGAN, section 4; the paper gives an initial rate"),
    },
)
