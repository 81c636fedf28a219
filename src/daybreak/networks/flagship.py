"""daybreak's own network: the exposure is found on a small copy of the whole picture, all else is local.

Sources: the five papers' ideas, in our own form (docs/flagship.md). A curve found on a thumbnail brings the
picture to the brightness that is wanted; so brightness is a number that can be asked for, and tiles agree.
What the curve leaves is local, steered by what the thumbnail showed (`layers.local`). `Detail` works at half
the size: an illumination map at a quarter of it (Retinex, papers 2 and 3), and a correction of detail, noise
and colour (papers 0, 1, 4) by sub-pixel ×2 (Shi et al., CVPR 2016). `Gates` works at an eighth: a slope,
thresholds on what is finer (paper 0), and how colourful each place becomes. `Curve` is the curve alone.

Training asks for the brightness of the reference, so that exposure and detail are learned apart.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from daybreak.errors import BadSetting
from daybreak.layers.exposure import Seen, lift, light, see, slope_for
from daybreak.layers.local import Curve, Detail, Gates
from daybreak.layers.thumbnail import quarter, thumbnail
from daybreak.losses.perceptual import Features
from daybreak.losses.ssim import unlike
from daybreak.networks.base import (
    Batch,
    Extra,
    Network,
    NetworkSettings,
    NetworkSpec,
    Objective,
    Phase,
    Terms,
    hyper,
)

Local: TypeAlias = Detail | Gates | Curve

SIDE = 64
"""px, of the small copy on which everything that holds for the whole picture is decided."""

USUAL = -2.3
"""EV: log2 of the mean linear light of an ordinary, normally lit picture (0.2)."""

GAMMA = 2.2
"""Strength moves the mean light evenly in light to the power of 1 / GAMMA, which is how even it looks."""

BRIGHTEST = 0.9
"""Where that ends."""


ELSE = 0.004
"""What is off at the right brightness, as a mean square: 24 dB. PSNR is a logarithm of both errors' sum."""


class FlagshipSettings(NetworkSettings):
    """Hyper-parameters of daybreak's own network."""

    local: Literal["detail", "gates", "curve"] = hyper(
        "detail",
        "What is done locally: a U-Net at half the size; slope and gates found at an eighth of it; nothing.",
        source="assumed: see docs/flagship.md",
    )
    width: int = hyper(
        16,
        "Channels of it: of the U-Net at half the size, with twice, four and six times as many below.",
        source="assumed: see docs/flagship.md",
        ge=4,
    )
    glance: int = hyper(
        24,
        "Channels of the look at the small copy, at half its size; up to 8/3 times as many below.",
        source="assumed: see docs/flagship.md",
        ge=3,
    )
    numbers: int = hyper(
        14,
        "How many numbers of that look steer what is done locally.",
        source="assumed: see docs/flagship.md",
        ge=0,
    )
    ssim: float = hyper(0.3, "Weight of 1 − SSIM.", source="assumed: see docs/flagship.md", ge=0)
    alike: Literal["gray", "color"] = hyper(
        "gray",
        "What SSIM is taken of: the mean of the channels, or each of them, three times the work.",
        source="assumed: see docs/flagship.md",
    )
    guess: float = hyper(
        12.0,
        "Weight of the error of the estimated brightness, the mean light to the power of 1 / 2.2: squared "
        "while small, and by its logarithm where it is more than all else that is off.",
        source="assumed: see docs/flagship.md",
        ge=0,
    )
    look: Literal["learned", "kept"] = hyper(
        "learned",
        "Whether the look at the small copy is learned with the rest, or kept but for the numbers it tells.",
        source="assumed: crops would teach it the light of crops (docs/flagship.md, row 17)",
    )
    asked: float = hyper(
        1.0,
        "EV; up to so much above or below the reference half of the pictures are asked for.",
        source="assumed: see docs/flagship.md",
        ge=0,
    )


class Glance(nn.Module):
    """What one look at the small copy tells: how bright the picture should be, and a few numbers besides.

    Args:
        width: channels at half the size of the copy.
        numbers: how many besides.
    """

    def __init__(self, width: int, numbers: int) -> None:
        super().__init__()
        widths = (6, width, 4 * width // 3, 2 * width, 8 * width // 3)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.ReLU(inplace=True)]
        self.look = nn.Sequential(*layers)
        self.tell = nn.Sequential(
            nn.Linear(2 * widths[-1], widths[-1]), nn.ReLU(inplace=True), nn.Dropout(0.1)
        )
        self.exposure = nn.Linear(widths[-1], 1)
        self.numbers = nn.Linear(widths[-1], numbers) if numbers else None
        nn.init.zeros_(self.exposure.weight)
        nn.init.constant_(self.exposure.bias, 0.0)

    def forward(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """A copy of 64×64 to B values in EV (see `light`) and B×numbers."""
        small = seen.copy
        usual = slope_for(seen, torch.full_like(small[:, 0, 0, 0], USUAL))
        even = lift(small, torch.exp2(usual).view(-1, 1, 1, 1))
        dark = torch.log2(small + 1.0 / 255.0) / 4.0 + 1.0
        features = self.look(torch.cat([even, dark], dim=1))  # B×C×4×4
        told = self.tell(torch.cat([features.mean((2, 3)), features.amax((2, 3))], dim=1))
        numbers = told[:, :0] if self.numbers is None else self.numbers(told)
        return USUAL + self.exposure(told)[:, 0].float(), numbers


def brightness(ev: Tensor) -> Tensor:
    """How bright a mean light looks: the errors that count in a picture's values are about those of this."""
    return torch.exp2(ev / GAMMA)


class Develop(nn.Module):
    """What is exported.

    Args:
        glance, local: the network's own.
    """

    def __init__(self, glance: Glance, local: Local) -> None:
        super().__init__()
        self.glance, self.detail = glance, local

    def forward(
        self,
        low: Tensor,
        guide: Tensor | None = None,
        wanted: Tensor | None = None,
        strength: Tensor | None = None,
    ) -> Tensor:
        """The enhanced picture, or a tile of it.

        Args:
            low: B×3×H×W in [0, 1], sides multiples of 16.
            guide: B×3×64×64, `thumbnail` of the whole picture; None or values below 0: of `low`,
                from means of 4×4 pixels.
            wanted: B values, the mean light to reach in EV (see `light`); None or 0: as the network sees fit.
            strength: B values; 0 gives the picture back, 1 reaches what is wanted, more goes beyond; None: 1.

        Returns:
            B×3×H×W in [0, 1].
        """
        small = thumbnail(quarter(low), SIDE)
        if guide is not None:
            small = torch.where(guide < 0.0, small, guide)
        seen = see(small)
        fit, numbers = self.glance(seen)
        if wanted is not None:
            fit = torch.where(wanted < 0.0, wanted, fit)
        share = (255.0 * small.amax((1, 2, 3))).clamp(max=1.0)  # where nothing was seen nothing is made up
        if strength is None:
            return self.towards(low, seen, fit, numbers, share).clamp(0.0, 1.0)
        before, after = brightness(light(small)), brightness(fit)
        fit = GAMMA * torch.log2((before + strength * (after - before)).clamp(1e-3, BRIGHTEST))
        share = share * strength.clamp(max=1.0)
        return self.towards(low, seen, fit, numbers, share).clamp(0.0, 1.0)

    def towards(
        self, low: Tensor, seen: Seen, wanted: Tensor, numbers: Tensor, share: Tensor | None = None
    ) -> Tensor:
        """The picture at a mean light of `wanted` EV, not clamped; of the local part a share (B values)."""
        slope = slope_for(seen, wanted)
        steering = torch.cat([numbers, slope[:, None] / 4.0, wanted[:, None] - USUAL], dim=1)
        made: Tensor = self.detail(low, slope, steering.to(numbers.dtype), share)
        return made


LOCAL: dict[str, type[Local]] = {"detail": Detail, "gates": Gates, "curve": Curve}


class Flagship(Network):
    """A glance at the whole, and detail."""

    context = "local"  # what is global comes with the guide
    multiple = 16
    guide = SIDE
    extras = (Extra("guide", (3, SIDE, SIDE), -1.0), Extra("wanted", (), 0.0), Extra("strength", (), 1.0))

    def __init__(self, settings: FlagshipSettings) -> None:
        super().__init__()
        self.glance = Glance(settings.glance, settings.numbers)
        local = LOCAL[settings.local](settings.width, settings.numbers + 2)
        self.detail, self.halo, self.point = local, local.halo, local.point
        self._develop = (Develop(self.glance, local),)

    def inference(self) -> Develop:
        """Both parts."""
        return self._develop[0]


class FlagshipObjective(Objective[Flagship]):
    """Charbonnier and SSIM at the reference's brightness; the error of the estimated one apart."""

    def __init__(
        self,
        network: Flagship,
        settings: FlagshipSettings,
        features: Features | None = None,  # noqa: ARG002
    ) -> None:
        super().__init__(network)
        self.settings = settings

    def phases(self) -> tuple[Phase, ...]:
        """One; the look may be kept."""
        network, numbers = self.network, self.network.glance.numbers
        if self.settings.look == "learned":
            return super().phases()
        learned = (network.detail,) if numbers is None else (network.detail, numbers)
        if not any(True for module in learned for _ in module.parameters()):
            raise BadSetting("look=kept for a network that is a look and nothing else", "look=learned")
        return (Phase("network", learned, self.terms),)

    def terms(self, batch: Batch) -> Terms:
        """Weighted loss terms of one batch."""
        low, high = batch.low, batch.reference()
        develop = self.network.inference()
        with torch.no_grad():
            truth = light(high)
            ev = (torch.rand_like(truth) * 2 - 1) * self.settings.asked * (torch.rand_like(truth) < 0.5)
            slope = slope_for(see(thumbnail(high, SIDE)), truth + ev)
            asked = torch.where(
                (ev == 0).view(-1, 1, 1, 1), high, lift(high, torch.exp2(slope).view(-1, 1, 1, 1))
            )
            wanted = light(asked)
            seen = see(thumbnail(low, SIDE))
        guess, numbers = self.network.glance(seen)
        output = develop.towards(low, seen, wanted, numbers).float()
        off = output - asked
        seen_alike = (output, asked)
        if self.settings.alike == "gray":
            seen_alike = (output.mean(1, keepdim=True), asked.mean(1, keepdim=True))
        unsure = (brightness(guess) - brightness(truth)).square()
        return {
            "pixels": (off.square() + 1e-6).sqrt().mean(),
            "ssim": self.settings.ssim * unlike(*seen_alike),
            "guess": self.settings.guess * ELSE * torch.log1p(unsure / ELSE).mean(),
        }


SPEC = NetworkSpec(
    name="daybreak",
    summary="Exposure from one glance at the whole picture, detail and noise locally.",
    paper="daybreak's own (docs/flagship.md)",
    settings=FlagshipSettings,
    build=Flagship,
    objective=FlagshipObjective,
)
